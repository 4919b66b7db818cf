//! Links from a job to what else shows it: dashboards, logs, Flink's own pages. `[[link]]` of the configuration says where to.
//!
//! A template stands in the configuration, and the job's names are put into it. They are percent-encoded, so that no name of an
//! object changes what a URL says; and the host is the operator's alone.

use std::fmt::Write as _;

use steadfast_core::glob::glob_matches;
use steadfast_core::record::JobRecord;

use crate::view::Link;

/// The longest template, in bytes.
const LONGEST: usize = 2048;

/// One `[[link]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate {
    name: String,
    parts: Vec<Part>,
    /// Globs; none: all clusters.
    clusters: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Placeholder),
}

/// What of a job is put into a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Cluster,
    Namespace,
    Name,
    FlinkJobId,
    Deployment,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is no http or https.
    #[error("does not begin with http:// or https://")]
    Scheme,
    /// It is no URL, whatever is put into it.
    #[error("is not a URL")]
    NoUrl,
    /// It is longer than 2048 bytes.
    #[error("is longer than {LONGEST} bytes")]
    TooLong,
    /// It has braces that are no placeholder.
    #[error("has braces that are no placeholder")]
    Braces,
    /// It has a user or a password.
    #[error("has a user or a password, which everybody who sees the job would see")]
    User,
    /// A job's name would choose the host.
    #[error("lets a job's name choose the host")]
    Host,
}

impl LinkError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Scheme | Self::NoUrl => "write a URL such as \"https://grafana.example/d/flink?var-job={name}\"",
            Self::TooLong => "write a shorter one",
            Self::Braces => {
                "use {cluster}, {namespace}, {name}, {flink_job_id} and {deployment}; braces that mean themselves are %7B and %7D"
            }
            Self::User => "remove what stands before the @",
            Self::Host => "before the path use {cluster} alone",
        }
    }
}

impl Placeholder {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cluster" => Self::Cluster,
            "namespace" => Self::Namespace,
            "name" => Self::Name,
            "flink_job_id" => Self::FlinkJobId,
            "deployment" => Self::Deployment,
            _ => return None,
        })
    }

    /// Of a job; `None`: it has none. Outside of Kubernetes there is neither cluster nor namespace nor Deployment.
    fn of(self, record: &JobRecord) -> Option<String> {
        let target = &record.key.target;
        let in_kubernetes = target.cluster.as_str() != "-";
        match self {
            Self::Cluster => in_kubernetes.then(|| target.cluster.to_string()),
            Self::Namespace => in_kubernetes.then(|| target.namespace.to_string()),
            Self::Name => Some(target.name.to_string()),
            Self::FlinkJobId => record.incarnation.flink_job_id.map(|id| id.to_string()),
            Self::Deployment => record.deployment().map(str::to_owned),
        }
    }
}

impl LinkTemplate {
    /// A link of that name to a URL with placeholders, of the jobs of these clusters (globs; none: of all jobs).
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(name: &str, url: &str, clusters: Vec<String>) -> Result<Self, LinkError> {
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(LinkError::Scheme);
        }
        if url.len() > LONGEST {
            return Err(LinkError::TooLong);
        }
        let parts = parts(url)?;
        let filled: String = parts.iter().map(Part::example).collect();
        let parsed: reqwest::Url = filled.parse().map_err(|_| LinkError::NoUrl)?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(LinkError::User);
        }
        if url
            .chars()
            .any(|character| character.is_control() || character.is_whitespace())
        {
            return Err(LinkError::NoUrl);
        }
        let authority = url.split("://").nth(1).unwrap_or_default();
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.replace("{cluster}", "").contains('{') {
            return Err(LinkError::Host);
        }
        Ok(Self {
            name: name.to_owned(),
            parts,
            clusters,
        })
    }

    /// The link of a job; `None` if it is of no such cluster, or something that is to be put into it is not known.
    fn of(&self, record: &JobRecord) -> Option<Link> {
        let cluster = record.key.target.cluster.as_str();
        let is_meant = self.clusters.is_empty() || self.clusters.iter().any(|glob| glob_matches(glob, cluster));
        let url = is_meant.then(|| {
            self.parts
                .iter()
                .map(|part| part.of(record))
                .collect::<Option<String>>()
        })??;
        Some(Link {
            name: self.name.clone(),
            url,
        })
    }
}

/// The links of a job, in the order of the configuration.
pub(crate) fn links(templates: &[LinkTemplate], record: &JobRecord) -> Vec<Link> {
    templates.iter().filter_map(|template| template.of(record)).collect()
}

impl Part {
    fn of(&self, record: &JobRecord) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Value(placeholder) => placeholder.of(record).map(|value| encoded(&value)),
        }
    }

    /// What a URL is checked with.
    fn example(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Value(_) => "x",
        }
    }
}

fn parts(url: &str) -> Result<Vec<Part>, LinkError> {
    let mut parts = Vec::new();
    let mut rest = url;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').ok_or(LinkError::Braces)?;
        let placeholder = Placeholder::named(name).ok_or(LinkError::Braces)?;
        parts.extend([Part::Text(before.to_owned()), Part::Value(placeholder)]);
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    let has_braces = |part: &Part| matches!(part, Part::Text(text) if text.contains('}'));
    if parts.iter().any(has_braces) {
        return Err(LinkError::Braces);
    }
    Ok(parts)
}

/// Percent-encodes all but what never means anything in a URL (RFC 3986, unreserved).
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;
    use steadfast_core::state::JobState;

    use super::*;
    use crate::testing::{SESSION_JOB, TestServer, record};

    fn template(url: &str) -> Result<LinkTemplate, LinkError> {
        LinkTemplate::new("Grafana", url, Vec::new())
    }

    fn url(template: &str, id: &str) -> Option<String> {
        let template = self::template(template).unwrap();
        template.of(&record(id, JobState::Running)).map(|link| link.url)
    }

    #[test]
    fn names_are_put_in_and_change_nothing_else() {
        let all = "https://{cluster}.example/{namespace}/{deployment}?var-job={name}";
        assert_eq!(
            url(all, "local/default/orders").unwrap(),
            "https://local.example/default/orders?var-job=orders"
        );
        assert_eq!(
            url("http://g/?q={name}&b=1", "local/default/a&b=2#c d").unwrap(),
            "http://g/?q=a%26b%3D2%23c%20d&b=1"
        );
    }

    #[test]
    fn what_is_not_known_leaves_the_link_out() {
        for id in ["{cluster}", "{namespace}", "{deployment}", "{flink_job_id}"] {
            let template = format!("https://g.example/?of={id}");
            assert_eq!(url(&template, "-/-/orders"), None, "{id}");
        }
        assert!(url("https://g.example/{name}", "-/-/orders").is_some());
        let flinks = url("https://g.example/{flink_job_id}", SESSION_JOB).unwrap();
        assert!(flinks.ends_with("/ffffffffa021a4190000000000000000"), "{flinks}");
    }

    #[test]
    fn only_jobs_of_its_clusters_have_it() {
        let template = LinkTemplate::new("G", "https://g.example/", vec!["prod-*".to_owned()]).unwrap();
        let of = |id: &str| template.of(&record(id, JobState::Running)).is_some();
        assert!(of("prod-eu/a/b") && !of("local/a/b") && !of("-/-/b"));
    }

    #[test]
    fn what_is_no_link_of_the_operators_is_refused() {
        for (wrong, error) in [
            ("javascript:alert(1)", LinkError::Scheme),
            ("ftp://g.example/", LinkError::Scheme),
            ("https://", LinkError::NoUrl),
            ("https://g.example/a b", LinkError::NoUrl),
            ("https://g.example/{pod}", LinkError::Braces),
            ("https://g.example/{name", LinkError::Braces),
            ("https://g.example/name}", LinkError::Braces),
            ("https://me:secret@g.example/", LinkError::User),
            ("https://{name}.example/", LinkError::Host),
            ("https://{namespace}@g.example/", LinkError::User),
        ] {
            assert_eq!(template(wrong), Err(error), "{wrong}");
        }
        assert_eq!(
            template(&format!("https://g/{}", "x".repeat(LONGEST))),
            Err(LinkError::TooLong)
        );
    }

    #[tokio::test]
    async fn a_job_has_its_links_wherever_it_is_shown() {
        let server = TestServer::linked(vec![template("https://g.example/{name}").unwrap()]);
        server.add("local/default/orders", JobState::Running).await;
        let links = json!([{ "name": "Grafana", "url": "https://g.example/orders" }]);
        let path = "/api/v1/jobs/local/default/orders";
        let (status, job) = server.get(path).await;
        assert_eq!((status, &job["links"]), (StatusCode::OK, &links));
        let (_, page) = server.get("/api/v1/jobs").await;
        assert_eq!(page["items"][0]["links"], links);
        for (method, path, body) in [
            (http::Method::PUT, format!("{path}/intent"), r#"{"intent":"cancel"}"#),
            (http::Method::POST, format!("{path}/look"), ""),
        ] {
            let (_, job) = server.call(method, &path, body).await;
            assert_eq!(job["links"], links, "{path}");
        }
    }
}
