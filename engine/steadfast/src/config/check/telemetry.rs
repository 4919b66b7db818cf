//! `[telemetry]`: where traces of decisions are sent.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use steadfast_reconcile::Fraction;
use steadfast_server::sinks::http_url;
use steadfast_telemetry::Collector;
use toml::Spanned;

use super::sinks::{Ways, names_user};
use super::{Checker, file};
use crate::config::Telemetry;

/// How long a collector may take for one request where the file does not say: as OpenTelemetry has it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What the engine is called in traces where the file does not say.
const SERVICE: &str = "steadfast";
/// What is said of the engine anyway.
const OURS: [&str; 3] = ["service.name", "service.version", "service.instance.id"];

impl Checker<'_> {
    pub(super) fn telemetry(&mut self, telemetry: &Spanned<file::Telemetry>) -> Option<Telemetry> {
        let place = telemetry.span();
        let file::Telemetry {
            endpoint,
            headers,
            token_file,
            ca_file,
            proxy,
            timeout,
            sample,
            service_name,
            resource,
        } = telemetry.get_ref();
        let Some(endpoint) = endpoint else {
            self.refuse(
                place,
                "telemetry names no collector",
                "write endpoint = \"http://HOST:4318\", of one that takes OTLP over HTTP, or remove the section",
            );
            return None;
        };
        self.one_way_to_say_who_asks(&Ways {
            section: "telemetry",
            url: (
                "endpoint",
                http_url(endpoint.get_ref()).is_some_and(|url| names_user(&url)),
            ),
            headers: headers.as_ref(),
            token_file: token_file.as_ref(),
        });
        let collector = Collector {
            endpoint: self.http_url(endpoint, "telemetry.endpoint"),
            headers: headers.as_ref().map_or_else(Vec::new, |headers| {
                self.headers(headers, "telemetry.headers", &[ACCEPT, CONTENT_TYPE])
            }),
            token_file: token_file
                .as_ref()
                .map(|file| self.secret_file(file, "telemetry.token_file")),
            ca_file: ca_file.as_ref().map(|file| self.ca_file(file, "telemetry.ca_file")),
            proxy: proxy.as_ref().map(|proxy| self.http_url(proxy, "telemetry.proxy")),
            timeout: self.span("telemetry.timeout", timeout.as_ref(), TIMEOUT),
        };
        Some(Telemetry {
            collector,
            sample: sample
                .as_ref()
                .map_or_else(Fraction::default, |sample| self.sample(sample)),
            service_name: service_name
                .as_ref()
                .map_or_else(|| SERVICE.to_owned(), |name| self.service_name(name)),
            resource: resource
                .as_ref()
                .map_or_else(BTreeMap::new, |resource| self.resource(resource)),
        })
    }

    fn sample(&mut self, sample: &Spanned<f64>) -> Fraction {
        Fraction::new(*sample.get_ref()).unwrap_or_else(|| {
            self.refuse(
                sample.span(),
                format!("telemetry.sample is {}, which is no part of all", sample.get_ref()),
                "write a number from 0.0, which is none, to 1.0, which is all",
            );
            Fraction::default()
        })
    }

    fn service_name(&mut self, name: &Spanned<String>) -> String {
        let text = name.get_ref();
        if text.trim().is_empty() || text.contains(char::is_control) {
            self.refuse(
                name.span(),
                "telemetry.service_name is empty or has characters that nobody can read",
                "name the engine as traces are to show it, or leave it out for \"steadfast\"",
            );
        }
        text.clone()
    }

    fn resource(&mut self, resource: &Spanned<BTreeMap<String, String>>) -> BTreeMap<String, String> {
        for (name, value) in resource.get_ref() {
            let is_readable = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
            if OURS.contains(&name.as_str()) {
                self.refuse(
                    resource.span(),
                    format!("telemetry.resource sets `{name}`, which is set anyway"),
                    "remove it; telemetry.service_name says how the engine is called",
                );
            } else if !is_readable(name) || !is_readable(value) {
                // Who mistook a value for a name is not quoted.
                self.refuse(
                    resource.span(),
                    "telemetry.resource has a name or a value that is empty or that nobody can read",
                    "write { \"deployment.environment.name\" = \"production\" }",
                );
            }
        }
        resource.get_ref().clone()
    }
}
