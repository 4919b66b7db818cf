mod decoding;
mod fake;
mod lists;
mod lookups;
mod operator;
mod outages;
mod watched;
mod watches;

use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::news::{Completeness, Object, What};

use super::*;
use fake::{Lists, Network, Server, Watches, deployment};
use watched::{Watched, settings};

/// A body that a real API server sent.
fn recorded(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn is_list(news: &KubeNews, kind: ObjectKind) -> bool {
    news.scope.kind == kind && matches!(news.what, What::Listed(..))
}

/// The names of what a list holds.
fn names(news: &KubeNews) -> Vec<&str> {
    match &news.what {
        What::Listed(objects, _) => objects.iter().map(|object| object.place().1).collect(),
        What::Changed(object) | What::Deleted(object) => vec![object.place().1],
        What::Failed(_) => Vec::new(),
    }
}
