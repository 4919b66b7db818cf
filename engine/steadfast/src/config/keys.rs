//! Every key of `config.toml`: what it holds, what it is if it is left out, and what it says. The schema for editors and `steadfast
//! config show` are made of this table; tests hold it to the types that the file is read by.

mod tables;

use self::tables::{
    JOB, KUBERNETES, LINK, POLICY, RECORDING, REGISTRY, RETENTION, SERVER, SINK, TELEMETRY, TIMING, key,
};
use Holds::{Text, Truth};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Such as `5s`.
    Duration,
    /// Such as `64MiB`.
    Size,
    /// Such as `20%`.
    Percent,
    Truth,
    /// From 0 to 1.
    Share,
    /// An age, a whole number, or `off`.
    Kept,
    Texts,
    /// Each one of these words.
    Words(&'static [&'static str]),
    TextOrTexts,
    /// Texts by names.
    Pairs,
    /// Anything by names.
    Values,
    /// A table of its own.
    Table(&'static [Key]),
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    /// As the file would say it; `None` where leaving it out says something else than any value.
    pub(crate) default: Option<&'static str>,
    /// May be a secret, or hold one.
    pub(crate) secret: Secret,
    pub(crate) says: &'static str,
}

/// Whether a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    No,
    /// A URL, which may hold a user and a token.
    Url,
    Yes,
}

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) several: bool,
    pub(crate) required: &'static [&'static str],
    pub(crate) keys: &'static [Key],
    pub(crate) says: &'static str,
}

const fn one(name: &'static str, keys: &'static [Key], says: &'static str) -> Section {
    Section {
        name,
        several: false,
        required: &[],
        keys,
        says,
    }
}

const fn several(
    name: &'static str,
    required: &'static [&'static str],
    keys: &'static [Key],
    says: &'static str,
) -> Section {
    Section {
        name,
        several: true,
        required,
        keys,
        says,
    }
}

/// The tables, in the order of the config.toml that comes with Steadfast.
pub(crate) const SECTIONS: &[Section] = &[
    one(
        "store",
        &[Key {
            secret: Secret::Url,
            ..key(
                "url",
                Text,
                Some("\"sqlite://steadfast.db\""),
                "The record; created if there is none.",
            )
        }],
        "Where the record is kept.",
    ),
    one("server", SERVER, "Where the API listens, and to whom it answers."),
    one("timing", TIMING, "How often, and how long."),
    one(
        "recording",
        RECORDING,
        "Snapshots behind decisions, for `steadfast replay`.",
    ),
    one("retention", RETENTION, "What is over goes."),
    one(
        "metrics",
        &[key(
            "per_job",
            Truth,
            Some("false"),
            "Some 25 series of each job as well.",
        )],
        "/metrics.",
    ),
    one(
        "telemetry",
        TELEMETRY,
        "Traces of decisions, by OTLP over HTTP; left out: none.",
    ),
    several("kubernetes", &["name"], KUBERNETES, "A cluster."),
    several("job", &["name"], JOB, "An explicit target, beside the discovered ones."),
    several("policy", &["name"], POLICY, "Who decides."),
    several("registry", &["host"], REGISTRY, "Who we are to a registry of modules."),
    several("sink", &["kind"], SINK, "Who is told of transitions and alerts."),
    several("link", &["name", "url"], LINK, "What else shows a job."),
];

/// Whether there may be several tables of that name; `None`: there is none of it.
pub(super) fn may_be_several(name: &str) -> Option<bool> {
    let mut sections = SECTIONS.iter();
    sections
        .find(|section| section.name == name)
        .map(|section| section.several)
}

#[cfg(test)]
mod tests;
