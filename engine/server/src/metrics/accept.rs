//! Which format a scraper accepts.

use http::HeaderMap;
use http::header::ACCEPT;

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Prometheus,
}

impl Format {
    /// OpenMetrics is for those who name it, and like it no less than plain text. A wildcard does not: whoever sends one, as
    /// `curl` does, may not know the format.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<Range> = texts
            .flat_map(|text| text.split(','))
            .filter_map(Range::parse)
            .collect();
        let best = |is_wanted: fn(&Range) -> bool| {
            ranges
                .iter()
                .filter(|range| is_wanted(range))
                .map(|range| range.weight)
                .max()
        };
        match (best(Range::is_open_metrics), best(Range::is_plain_text)) {
            (Some(open), plain) if open > 0 && plain.is_none_or(|plain| plain <= open) => Self::OpenMetrics,
            (Some(_) | None, _) => Self::Prometheus,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// One entry of `Accept`.
struct Range {
    media: String,
    version: Option<String>,
    /// In thousandths, as the standard counts.
    weight: u16,
}

impl Range {
    /// `None`: it is none.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let (mut version, mut weight) = (None, 1000);
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            if key.trim().eq_ignore_ascii_case("q") {
                weight = thousandths(value)?;
            } else if key.trim().eq_ignore_ascii_case("version") {
                version = Some(value.to_owned());
            }
        }
        Some(Self { media, version, weight })
    }

    /// 0.0.1 was the same but for its name.
    fn is_open_metrics(&self) -> bool {
        self.media == "application/openmetrics-text"
            && matches!(self.version.as_deref(), None | Some("1.0.0" | "0.0.1"))
    }

    fn is_plain_text(&self) -> bool {
        self.media == "text/plain" && matches!(self.version.as_deref(), None | Some("0.0.4"))
    }
}

/// A weight between 0 and 1 with at most three digits behind the point.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    let value: u16 = digits.parse().ok()?;
    (value <= 1000 && digits.len() == 4).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> Format {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, text.parse().unwrap());
        Format::accepted(&headers)
    }

    #[test]
    fn open_metrics_is_for_those_who_name_it() {
        for text in [
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"",
            // Prometheus 2.42 and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ] {
            assert_eq!(accepted(text), Format::OpenMetrics, "{text}");
        }
    }

    #[test]
    fn everybody_else_gets_what_every_scraper_reads() {
        assert_eq!(Format::accepted(&HeaderMap::new()), Format::Prometheus);
        for text in [
            "*/*",
            "application/*",
            "text/plain",
            "text/html, nonsense;;=, ;q",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=2",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0.5,text/plain;version=0.0.4",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        ] {
            assert_eq!(accepted(text), Format::Prometheus, "{text}");
        }
    }

    #[test]
    fn weights_have_three_digits() {
        for (text, wanted) in [
            ("1", Some(1000)),
            ("0.75", Some(750)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
        ] {
            assert_eq!(thousandths(text), wanted, "{text}");
        }
        for text in ["1.001", "2", "0.1234", "-1", "", "q"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
