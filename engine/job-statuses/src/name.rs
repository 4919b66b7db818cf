//! What a job's resource is called.

use sha2::{Digest as _, Sha256};
use steadfast_core::id::JobKey;

/// The longest name of an object.
const NAME: usize = 253;
/// The longest value of a label, and the most that is kept of a name that cannot be one.
const LABEL: usize = 63;

/// The name of a job's resource in its namespace. No two jobs of a cluster have the same:
///
/// - an application's is its name, where that has no dot;
/// - that of a job of a session cluster is the cluster's name and the job, by id or by FlinkSessionJob, with a dot between, where
///   neither has one;
/// - any other, as one with a capital letter, has what can be kept of its id, its digest, and `id`, with two dots between.
///
/// So the number of dots tells them apart.
pub fn object_name(key: &JobKey) -> String {
    let name = &key.target.name;
    let plain = match &key.session_job {
        None => is_plain(name).then(|| name.to_string()),
        Some(job) => {
            let job = job.to_string();
            (is_plain(name) && is_plain(&job)).then(|| format!("{name}.{job}"))
        }
    };
    plain.filter(|name| name.len() <= NAME).unwrap_or_else(|| {
        let id = match &key.session_job {
            None => name.to_string(),
            Some(job) => format!("{name}/{job}"),
        };
        format!("{}.{}.id", kept(&id), digest(&id))
    })
}

/// The name of a `[[kubernetes]]` entry as the value of a label.
pub fn label_value(cluster: &str) -> String {
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = cluster.as_bytes();
    let is_value = bytes.len() <= LABEL
        && is_outer(bytes.first())
        && is_outer(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    if is_value { cluster.to_owned() } else { digest(cluster) }
}

/// Whether it is one label of a DNS name. Each is as long as a whole name may be: only the whole is held to that.
fn is_plain(text: &str) -> bool {
    let is_outer = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| is_outer(byte) || byte == b'-')
        && text.bytes().next().is_some_and(is_outer)
        && text.bytes().last().is_some_and(is_outer)
}

/// For people, what is left of an id.
fn kept(id: &str) -> String {
    let mark = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '-',
    };
    let kept: String = id.chars().take(LABEL).map(mark).collect();
    match kept.trim_matches('-') {
        "" => "job".to_owned(),
        kept => kept.to_owned(),
    }
}

fn digest(text: &str) -> String {
    let mut digest = const_hex::encode(Sha256::digest(text.as_bytes()));
    digest.truncate(32);
    digest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn named(id: &str) -> String {
        object_name(&JobKey::parse(id).unwrap())
    }

    #[test]
    fn usual_jobs_are_called_as_people_call_them() {
        assert_eq!(named("local/default/orders"), "orders");
        assert_eq!(named("local/default/s/daily"), "s.daily");
        let id = "0".repeat(32);
        assert_eq!(named(&format!("local/default/s/{id}")), format!("s.{id}"));
    }

    #[test]
    fn no_two_jobs_have_one_name() {
        let long = "x".repeat(253);
        let ids = [
            "s",
            "s/daily",
            "s.daily",
            "s.daily.id",
            "s.dai/ly",
            "s/dai.ly",
            "s.dai.ly",
            "Orders",
            "orders",
            "ORDERS",
            "ördérs",
            "-",
            "--",
            &long,
            &format!("{long}/daily"),
            &format!("{long}/weekly"),
        ]
        .map(|id| named(&format!("local/default/{id}")));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        for name in &ids {
            let is_label = |label: &str| !label.is_empty() && is_plain(label);
            assert!(name.len() <= NAME && name.split('.').all(is_label), "{name}");
        }
        // A digest that was somehow another's name has two dots, which no other has.
        assert_eq!(
            named(&format!("local/default/{}", named("local/default/Orders")))
                .matches('.')
                .count(),
            2
        );
        assert_ne!(
            named(&format!("local/default/{}", named("local/default/Orders"))),
            named("local/default/Orders")
        );
    }

    #[test]
    fn the_cluster_does_not_matter_to_the_name_and_fits_a_label() {
        assert_eq!(named("a/n/orders"), named("b/n/orders"));
        assert_eq!(label_value("east-1"), "east-1");
        for other in ["östlich", "-east", "east ", &"e".repeat(64)] {
            assert_eq!(label_value(other).len(), 32, "{other}");
        }
    }
}
