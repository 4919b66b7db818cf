//! Where a target's Flink is reached.

use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::TargetId;
use steadfast_core::secret_url::SecretUrl;

/// `flink_rest` of the configuration, with `auto` decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlinkRoute {
    /// The Service's name in cluster DNS.
    Service,
    /// The API server's proxy to the Service.
    Proxy,
    /// The JobManager pod's address.
    Pod,
    /// A URL with `{namespace}`, `{name}`, `{pod_ip}` and `{rest_port}`.
    Template(SecretUrl),
}

impl FlinkRoute {
    /// Whether it leads to a pod's address, which may pass to another pod.
    pub fn is_by_address(&self) -> bool {
        match self {
            Self::Pod => true,
            Self::Template(template) => template.expose().contains("{pod_ip}"),
            Self::Service | Self::Proxy => false,
        }
    }
}

/// Flink's REST port (`rest.port`) where nothing says otherwise.
const PORT: u16 = 8081;

/// The base of Flink's REST URLs, without a slash at its end; a path on the API server for [`FlinkRoute::Proxy`].
/// `rest_port` is the port that the JobManager's pod names `rest`: Flink's Service has the same one. Without it, 8081.
/// Without a known pod address where one is needed, a fault of kind [`FaultKind::Address`].
pub fn base_url(
    route: &FlinkRoute,
    target: &TargetId,
    deployment: &str,
    pod_ip: Option<&str>,
    rest_port: Option<u16>,
) -> Result<String, Fault> {
    let port = rest_port.unwrap_or(PORT);
    let namespace = target.namespace.as_str();
    let ip = || {
        let missing = || {
            Fault::new(
                FaultKind::Address,
                format!("no JobManager pod of {target} has an address yet"),
            )
        };
        let ip = pod_ip.ok_or_else(missing)?;
        Ok(if ip.contains(':') {
            format!("[{ip}]")
        } else {
            ip.to_owned()
        })
    };
    match route {
        FlinkRoute::Service => Ok(format!("http://{deployment}-rest.{namespace}:{port}")),
        FlinkRoute::Proxy => Ok(format!(
            "/api/v1/namespaces/{namespace}/services/{deployment}-rest:{port}/proxy"
        )),
        FlinkRoute::Pod => Ok(format!("http://{}:{port}", ip()?)),
        FlinkRoute::Template(template) => {
            let url = template
                .expose()
                .replace("{namespace}", namespace)
                .replace("{name}", deployment)
                .replace("{rest_port}", &port.to_string());
            let url = if url.contains("{pod_ip}") {
                url.replace("{pod_ip}", &ip()?)
            } else {
                url
            };
            Ok(url.trim_end_matches('/').to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::{ClusterName, Namespace};

    use super::*;

    #[test]
    fn each_route_leads_somewhere_or_says_why_not() {
        let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("prod"), "orders");
        let url = |route: FlinkRoute, ip| base_url(&route, &target, "orders-v2", ip, None);
        assert_eq!(
            url(FlinkRoute::Service, None).unwrap(),
            "http://orders-v2-rest.prod:8081"
        );
        assert_eq!(
            url(FlinkRoute::Proxy, None).unwrap(),
            "/api/v1/namespaces/prod/services/orders-v2-rest:8081/proxy"
        );
        assert_eq!(url(FlinkRoute::Pod, Some("10.0.0.7")).unwrap(), "http://10.0.0.7:8081");
        assert_eq!(url(FlinkRoute::Pod, Some("fd00::7")).unwrap(), "http://[fd00::7]:8081");
        assert_eq!(url(FlinkRoute::Pod, None).unwrap_err().kind, FaultKind::Address);
        let template = FlinkRoute::Template("https://gate/{namespace}/{name}/".into());
        assert_eq!(url(template, None).unwrap(), "https://gate/prod/orders-v2");
    }

    #[test]
    fn the_port_that_the_pod_names_counts_on_each_route() {
        let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("prod"), "orders");
        let url = |route: FlinkRoute| base_url(&route, &target, "orders", Some("fd00::7"), Some(18081)).unwrap();
        assert_eq!(url(FlinkRoute::Service), "http://orders-rest.prod:18081");
        assert_eq!(
            url(FlinkRoute::Proxy),
            "/api/v1/namespaces/prod/services/orders-rest:18081/proxy"
        );
        assert_eq!(url(FlinkRoute::Pod), "http://[fd00::7]:18081");
        let template = FlinkRoute::Template("http://{pod_ip}:{rest_port}/".into());
        assert_eq!(url(template), "http://[fd00::7]:18081");
    }
}
