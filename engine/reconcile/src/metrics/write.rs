//! Gauges that are written from what is there when somebody asks.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use steadfast_core::time::Timestamp;

/// What a family of metrics is called, and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// Without its unit.
    pub(super) name: &'static str,
    /// A sentence, with its full stop.
    pub(super) help: &'static str,
    pub(super) unit: Option<&'static Unit>,
}

impl Named {
    pub(super) const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, unit: None }
    }

    pub(super) const fn seconds(name: &'static str, help: &'static str) -> Self {
        Self {
            unit: Some(&Unit::Seconds),
            ..Self::new(name, help)
        }
    }
}

/// Writes a family of gauges.
pub(super) fn gauges<'a, const N: usize, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    named: Named,
    samples: impl IntoIterator<Item = ([(&'static str, &'a str); N], V)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(named.name, named.help, named.unit, MetricType::Gauge)?;
    for (labels, value) in samples {
        family.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

/// Writes one gauge without labels.
pub(super) fn gauge(encoder: &mut DescriptorEncoder<'_>, named: Named, value: impl EncodeGaugeValue) -> fmt::Result {
    let mut gauge = encoder.encode_descriptor(named.name, named.help, named.unit, MetricType::Gauge)?;
    gauge.encode_gauge(&value)
}

/// A moment in seconds since the Unix epoch.
pub(super) fn seconds(at: Timestamp) -> f64 {
    let millis = u64::try_from(at.as_millis()).unwrap_or_default();
    std::time::Duration::from_millis(millis).as_secs_f64()
}

#[cfg(test)]
pub(super) mod testing {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    /// The samples that a collector gives, in their order.
    pub(in crate::metrics) fn samples(collector: impl Collector) -> Vec<String> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(collector));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with("# "));
        samples.map(str::to_owned).collect()
    }

    /// Those of one metric.
    pub(in crate::metrics) fn samples_of(name: &str, collector: impl Collector) -> Vec<String> {
        let of = samples(collector).into_iter().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with(['{', ' ']).then(|| rest.to_owned())
        });
        of.collect()
    }
}
