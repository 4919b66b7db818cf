//! Which hosts are this machine, where nobody can listen in between.

use std::net::IpAddr;

/// Whether a host of a URL is this machine by its name or its address. An IPv6 address may stand in brackets. Other names
/// are not resolved: what they mean is for somebody else to say.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_by_name_and_address() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["10.0.0.1", "localhost.example", "api", "[fd00::1]", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
