//! The rules that go beyond types. All mistakes of a file are collected.

mod ended_jobs;
mod flink_access;
mod jobs;
mod links;
mod names;
mod policies;
mod quote;
mod registries;
mod retention;
mod server;
mod sinks;
mod telemetry;
mod trust;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::Fault;
use steadfast_core::recording::Retention;
use steadfast_core::secret_url::SecretUrl;
use steadfast_core::timing::Timing;
use steadfast_reconcile::{Discover, JobSeries, Recording};
use steadfast_sources::kubernetes::check_kubeconfig;
use toml::Spanned;

use super::file::{self, File};
use super::values::Span;
use super::{Cluster, Config, FlinkRest, Job, Mistake, Modules, Policy};

use quote::{is_word, quoted_store};

/// How long an intent stands where the file does not say: fifteen validations, so that who looks at everything more often gives
/// it up sooner, and at least a minute, since who posted it has yet to act.
fn usual_intent_timeout(validate: Duration) -> Duration {
    const VALIDATIONS: u32 = 15;
    const AT_LEAST: Duration = Duration::from_secs(60);
    validate.saturating_mul(VALIDATIONS).max(AT_LEAST)
}

/// How Flinks that are reached as `rest` says are reached through the API server, as far as the file tells; `None` if they are not.
/// A kubeconfig leads in from outside, where the cluster's own names are not known.
fn proxied(rest: &FlinkRest, cluster: &file::Kubernetes) -> Option<&'static str> {
    match rest {
        FlinkRest::Proxy => Some("flink_rest is \"proxy\""),
        FlinkRest::Auto if cluster.kubeconfig.is_some() => {
            Some("from outside the cluster, as by a kubeconfig, flink_rest is \"proxy\" where nothing is said")
        }
        FlinkRest::Auto | FlinkRest::Service | FlinkRest::Pod | FlinkRest::Url(_) => None,
    }
}

/// Checks a file whose relative paths start at `folder`.
pub(super) fn check(file: File, folder: &Path, modules: Modules) -> Result<Config, Vec<Mistake>> {
    let mut checker = Checker {
        folder,
        modules,
        mistakes: Vec::new(),
    };
    let config = Config {
        store: checker.store(&file.store.url),
        server: checker.server(&file.server, &file.kubernetes),
        timing: checker.timing(&file.timing),
        recording: checker.recording(&file.recording),
        keeping: checker.retention(&file.retention),
        series: if file.metrics.per_job {
            JobSeries::Each
        } else {
            JobSeries::None
        },
        clusters: checker.clusters(&file.kubernetes),
        jobs: checker.jobs(&file.job, &file.kubernetes),
        policies: checker.policies(&file.policy),
        registries: checker.registries(&file.registry),
        sinks: checker.sinks(&file.sink, &file.kubernetes),
        links: checker.links(&file.link),
        telemetry: file
            .telemetry
            .as_ref()
            .and_then(|telemetry| checker.telemetry(telemetry)),
    };
    if checker.mistakes.is_empty() {
        Ok(config)
    } else {
        Err(checker.mistakes)
    }
}

struct Checker<'a> {
    folder: &'a Path,
    modules: Modules,
    mistakes: Vec<Mistake>,
}

impl Checker<'_> {
    fn refuse(&mut self, place: Range<usize>, rule: impl Into<String>, fix: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, rule, fix));
    }

    fn store(&mut self, url: &Spanned<String>) -> String {
        let text = url.get_ref();
        match text.strip_prefix("sqlite://") {
            Some("") => self.refuse(
                url.span(),
                "store.url names no file",
                "write sqlite:// and a path, such as \"sqlite://steadfast.db\"",
            ),
            Some(path) => return format!("sqlite://{}", self.folder.join(path).display()),
            None if text.starts_with("postgres://") => self.refuse(
                url.span(),
                "store.url is a PostgreSQL address, which this version cannot use",
                "use the embedded store: \"sqlite://steadfast.db\"",
            ),
            None => self.refuse(
                url.span(),
                format!("store.url{} has no known scheme", quoted_store(text)),
                "start it with sqlite://",
            ),
        }
        String::new()
    }

    fn recording(&mut self, recording: &file::Recording) -> Option<Recording> {
        let default = Recording::default();
        let every = self.span("recording.every", recording.every.as_ref(), default.every);
        let max_age = self.span("recording.max_age", recording.max_age.as_ref(), default.keep.max_age);
        let max_bytes = recording.max_size.map_or(default.keep.max_bytes, |size| size.0);
        (max_bytes > 0).then_some(Recording {
            every,
            keep: Retention { max_age, max_bytes },
        })
    }

    fn timing(&mut self, timing: &file::Timing) -> Timing {
        let default = Timing::default();
        let validate = self.pace("validate", timing.validate.as_ref(), default.validate);
        let checked = Timing {
            poll: self.pace("poll", timing.poll.as_ref(), default.poll),
            timeout: self.span("timeout", timing.timeout.as_ref(), default.timeout),
            validate,
            retry_initial: self.span("retry_initial", timing.retry_initial.as_ref(), default.retry_initial),
            retry_max: self.span("retry_max", timing.retry_max.as_ref(), default.retry_max),
            startup_grace: timing
                .startup_grace
                .as_ref()
                .map_or(default.startup_grace, |span| span.get_ref().0),
            terminal_poll: self.pace("terminal_poll", timing.terminal_poll.as_ref(), default.terminal_poll),
            intent_timeout: self.span(
                "intent_timeout",
                timing.intent_timeout.as_ref(),
                usual_intent_timeout(validate),
            ),
        };
        if checked.retry_initial > checked.retry_max {
            let place = timing
                .retry_initial
                .as_ref()
                .or(timing.retry_max.as_ref())
                .map_or(0..0, Spanned::span);
            self.refuse(
                place,
                "timing.retry_initial is longer than timing.retry_max",
                "make retry_initial the shorter one",
            );
        }
        checked
    }

    fn span(&mut self, key: &str, value: Option<&Spanned<Span>>, default: Duration) -> Duration {
        let Some(value) = value else { return default };
        let span = value.get_ref().0;
        if span < *Timing::PACES.start() {
            self.refuse(
                value.span(),
                format!("{key} is {span:?}, shorter than 10ms"),
                "write 10ms or more",
            );
        }
        span
    }

    /// A span that becomes the pace of a watch, which has the limits that decisions have.
    fn pace(&mut self, key: &str, value: Option<&Spanned<Span>>, default: Duration) -> Duration {
        let pace = self.span(key, value, default);
        if let Some(value) = value.filter(|_| pace > *Timing::PACES.end()) {
            self.refuse(
                value.span(),
                format!("{key} is {pace:?}, longer than a day: a watch would all but have ended"),
                "write 1d or less",
            );
        }
        pace
    }

    fn clusters(&mut self, entries: &[file::Kubernetes]) -> Vec<Cluster> {
        let mut names = BTreeSet::new();
        entries
            .iter()
            .map(|entry| {
                let name = self.name(&entry.name, "kubernetes.name");
                if name == "-" {
                    self.refuse(
                        entry.name.span(),
                        "kubernetes.name `-` stands for no cluster, as in the ids of standalone jobs",
                        "give the cluster another name",
                    );
                }
                if !names.insert(name.clone()) {
                    self.refuse(
                        entry.name.span(),
                        format!("two [[kubernetes]] entries are named `{name}`"),
                        "give each its own name",
                    );
                }
                let flink_rest = entry
                    .flink_rest
                    .as_ref()
                    .map_or(FlinkRest::Auto, |rest| self.flink_rest(rest));
                Cluster {
                    flink_access: self.flink_access(
                        entry.flink_auth.as_ref(),
                        entry.flink_ca_file.as_ref(),
                        proxied(&flink_rest, entry),
                    ),
                    kubeconfig: entry.kubeconfig.as_ref().map(|path| self.kubeconfig(path)),
                    namespaces: self.namespaces(&entry.namespaces),
                    discover: self.discover(entry.discover.as_deref()),
                    flink_rest,
                    ended_jobs: self.ended_jobs(entry),
                    job_statuses: entry.job_statuses,
                    name,
                }
            })
            .collect()
    }

    fn discover(&mut self, kinds: Option<&[Spanned<String>]>) -> Vec<Discover> {
        let Some(kinds) = kinds else {
            return vec![Discover::Native, Discover::FlinkDeployment];
        };
        let mut checked = Vec::new();
        for kind in kinds {
            match kind.get_ref().as_str() {
                "native" => checked.push(Discover::Native),
                "flinkdeployment" => checked.push(Discover::FlinkDeployment),
                other => self.refuse(
                    kind.span(),
                    format!("discover knows no `{other}`"),
                    "use \"native\" and \"flinkdeployment\"",
                ),
            }
        }
        checked
    }

    fn flink_rest(&mut self, rest: &Spanned<String>) -> FlinkRest {
        match rest.get_ref().as_str() {
            "auto" => FlinkRest::Auto,
            "service" => FlinkRest::Service,
            "proxy" => FlinkRest::Proxy,
            "pod" => FlinkRest::Pod,
            url if url.starts_with("http://") || url.starts_with("https://") => {
                let left = ["{namespace}", "{name}", "{pod_ip}"]
                    .iter()
                    .fold(url.replace("{rest_port}", "8081"), |url, known| url.replace(known, "x"));
                let url = SecretUrl::from(url);
                if left.contains(['{', '}']) {
                    self.refuse(
                        rest.span(),
                        format!("flink_rest `{url}` has an unknown placeholder"),
                        "use {namespace}, {name}, {pod_ip} and {rest_port} only",
                    );
                } else if left.parse::<reqwest::Url>().is_err() {
                    self.refuse(
                        rest.span(),
                        format!("flink_rest `{url}` is not a URL"),
                        "write a URL such as \"http://127.0.0.1:8081\"",
                    );
                } else if left.contains(['?', '#']) {
                    self.refuse(
                        rest.span(),
                        format!("flink_rest `{url}` has a query or a fragment, which would swallow the paths that are put behind it"),
                        "write it up to the `?` or the `#`; a token belongs into flink_auth",
                    );
                }
                FlinkRest::Url(url)
            }
            other => {
                self.refuse(
                    rest.span(),
                    if is_word(other) {
                        format!("flink_rest knows no `{other}`")
                    } else {
                        "flink_rest is neither a word that it knows nor an address".to_owned()
                    },
                    "use auto, service, proxy, pod, or a URL that begins with http:// or https://",
                );
                FlinkRest::Auto
            }
        }
    }

    fn kubeconfig(&mut self, path: &Spanned<String>) -> PathBuf {
        let mistakes = self.mistakes.len();
        let file = self.file(path, "kubernetes.kubeconfig");
        if self.mistakes.len() == mistakes
            && let Err(error) = check_kubeconfig(&file)
        {
            self.refuse(
                path.span(),
                format!("kubernetes.kubeconfig: {}", error_chain(&error)),
                "correct that file; `kubectl --kubeconfig FILE version` must work with it",
            );
        }
        file
    }

    /// A file that must be there, and hold what it is named for.
    fn file_with(
        &mut self,
        path: &Spanned<String>,
        key: &str,
        check: fn(&Path) -> Result<(), Fault>,
        fix: &str,
    ) -> PathBuf {
        let mistakes = self.mistakes.len();
        let file = self.file(path, key);
        if self.mistakes.len() == mistakes
            && let Err(fault) = check(&file)
        {
            self.refuse(path.span(), format!("{key}: {}", fault.message), fix);
        }
        file
    }

    /// A file that must be there.
    fn file(&mut self, path: &Spanned<String>, key: &str) -> PathBuf {
        const RELATIVE: &str = "correct the path; a relative one starts at the configuration's folder";
        /// Where systemd puts what it hands to a service.
        const HANDED_OVER: &str = "/run/credentials";
        let full = self.folder.join(path.get_ref());
        let shown = full.display();
        if !full.exists() {
            let fix = if full.starts_with(HANDED_OVER) {
                "systemd puts it there while the service runs, if the unit has LoadCredential= with its name; `journalctl -u steadfast` \
                 tells what the service itself says"
            } else {
                RELATIVE
            };
            self.refuse(path.span(), format!("{key}: there is no file {shown}"), fix);
        } else if !full.is_file() {
            self.refuse(path.span(), format!("{key}: {shown} is no file"), RELATIVE);
        }
        full
    }
}
