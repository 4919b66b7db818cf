//! What docs/metrics.md says of `/metrics` is so, and the other way round.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::running::{BASE, Engine};
use crate::unreadable::{ApiServer, write_kubeconfig};

/// What a metric is: its type, and the names of its labels.
type Described = (String, BTreeSet<String>);

/// What such an engine has nothing to say of: a family without a sample is not named.
const ABSENT: [&str; 11] = [
    "steadfast_decisions_trimmed_total",
    "steadfast_forbidden_requests_total",
    "steadfast_policy_failures_total",
    "steadfast_policy_suspended",
    "steadfast_shadow_aspect_differences_total",
    "steadfast_shadow_aspect_jobs_differing",
    "steadfast_shadow_differences_total",
    "steadfast_shadow_jobs_differing",
    "steadfast_shadow_skipped_total",
    "steadfast_transitions_total",
    // Where there is a token, which this test's client does not show.
    "steadfast_wrong_tokens_total",
];

/// The rows of the page's tables that name metrics.
fn documented() -> BTreeMap<String, Described> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = std::fs::read_to_string(page).unwrap();
    let words = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // The table of alerts names none.
    let tables = text.split("## Alerts").next().unwrap();
    let rows = tables.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let &[name, kind, labels, _, ""] = cells.as_slice() else {
            panic!("{line}")
        };
        let name = name.trim_end_matches('`').to_owned();
        Some((name, (kind.to_owned(), words(labels).into_iter().collect())))
    });
    let mut described = BTreeMap::new();
    for (name, row) in rows {
        assert!(described.insert(name.clone(), row).is_none(), "{name} has two rows");
    }
    described
}

/// Each family that is served with its type and its help, and the labels of each of its samples.
struct Served {
    types: BTreeMap<String, String>,
    helped: BTreeSet<String>,
    labels: BTreeMap<String, BTreeSet<BTreeSet<String>>>,
}

impl Served {
    fn read(text: &str) -> Self {
        let (mut types, mut helped) = (BTreeMap::new(), BTreeSet::new());
        let mut labels: BTreeMap<String, BTreeSet<BTreeSet<String>>> = BTreeMap::new();
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words.as_slice() {
                ["#", "TYPE", family, kind] => {
                    assert!(
                        types.insert((*family).to_owned(), (*kind).to_owned()).is_none(),
                        "{family} twice"
                    );
                }
                ["#", "HELP", family, help] => {
                    assert!(help.ends_with('.') && !help.ends_with(".."), "{line}");
                    helped.insert((*family).to_owned());
                }
                _ => {
                    let (series, _) = line.rsplit_once(' ').unwrap();
                    let (name, set) = series.split_once('{').unwrap_or((series, ""));
                    let name = family_of(name, &types);
                    let names = set
                        .split("\",")
                        .filter_map(|label| Some(label.split_once("=\"")?.0.to_owned()));
                    labels
                        .entry(name)
                        .or_default()
                        .insert(names.filter(|name| name != "le").collect());
                }
            }
        }
        Self { types, helped, labels }
    }
}

/// The samples of a histogram have names of their own.
fn family_of(sample: &str, types: &BTreeMap<String, String>) -> String {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
        let family = sample.strip_suffix(suffix)?;
        (types.get(family)? == "histogram").then_some(family)
    });
    of_histogram.unwrap_or(sample).to_owned()
}

#[test]
fn the_page_about_metrics_says_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = ApiServer::start();
    cluster.grant(true);
    write_kubeconfig(&folder.path().join("kubeconfig"), cluster.address, "{}");
    let config = format!(
        "{BASE}[timing]\npoll = \"50ms\"\n[metrics]\nper_job = true\n[[kubernetes]]\nname = \"a\"\nkubeconfig = \"kubeconfig\"\njob_statuses = true\n\
         [[sink]]\nname = \"s\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n[telemetry]\nendpoint = \"http://127.0.0.1:9\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let engine = Engine::start_configured(folder.path());
    engine.wait_for("/api/v1/clusters", "the cluster is not read", |clusters| {
        clusters["items"][0]["state"] == "reached" && clusters["standalone"]["flinks"]["silent"] == 1
    });
    assert_eq!(engine.post("/api/v1/reload").0, 200);
    let (_, text) = engine.text("GET", "/metrics");
    let (served, documented) = (Served::read(&text), documented());

    let names = served.types.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(served.helped, names, "each has a help");
    let absent: Vec<&str> = documented
        .keys()
        .map(String::as_str)
        .filter(|name| !names.contains(*name))
        .collect();
    assert_eq!(absent, ABSENT, "on the page, and not served");
    for (name, kind) in &served.types {
        let (wanted, _) = documented
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not on the page"));
        assert_eq!(kind, wanted, "{name}");
    }
    for (name, sets) in &served.labels {
        let (_, wanted) = &documented[name];
        assert!(
            sets.iter().all(|labels| labels == wanted),
            "{name}: {sets:?}, and on the page {wanted:?}"
        );
    }
    // Nearly all have samples in such an engine, or labels would not be compared.
    assert!(served.labels.len() > 50, "{:?}", served.labels.keys());
}
