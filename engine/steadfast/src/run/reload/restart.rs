//! What has changed in a configuration beside its policies and the registries they come from.

use steadfast_core::timing::Timing;

use crate::config::Config;

/// The keys and sections whose change takes effect only after a restart, as the file calls them.
pub(super) fn needed(started: &Config, now: &Config) -> Vec<String> {
    // Taken apart, so that a section or a key that is added one day cannot be forgotten here.
    let Config {
        store,
        server,
        timing,
        clusters,
        jobs,
        // Reloaded, and used to find the modules.
        policies: _,
        registries: _,
        sinks,
        links,
        recording,
        keeping,
        series,
        telemetry,
    } = started;
    let Timing {
        poll,
        timeout,
        validate,
        retry_initial,
        retry_max,
        startup_grace,
        terminal_poll,
        intent_timeout,
    } = *timing;
    let timings = [
        ("poll", poll != now.timing.poll),
        ("timeout", timeout != now.timing.timeout),
        ("validate", validate != now.timing.validate),
        ("retry_initial", retry_initial != now.timing.retry_initial),
        ("retry_max", retry_max != now.timing.retry_max),
        ("startup_grace", startup_grace != now.timing.startup_grace),
        ("terminal_poll", terminal_poll != now.timing.terminal_poll),
        ("intent_timeout", intent_timeout != now.timing.intent_timeout),
    ];
    let sections = [
        ("store.url", *store != now.store),
        ("server.listen", server.listen != now.server.listen),
        ("server.token_file", server.token_file != now.server.token_file),
        ("server.tokens_file", server.tokens_file != now.server.tokens_file),
        ("[server.tls]", server.tls != now.server.tls),
        (
            "[server.kubernetes_auth]",
            server.kubernetes_auth != now.server.kubernetes_auth,
        ),
        ("[[kubernetes]]", *clusters != now.clusters),
        ("[[job]]", *jobs != now.jobs),
        ("[[sink]]", *sinks != now.sinks),
        ("[[link]]", *links != now.links),
        ("[recording]", *recording != now.recording),
        ("[retention]", *keeping != now.keeping),
        ("metrics.per_job", *series != now.series),
        ("[telemetry]", *telemetry != now.telemetry),
    ];
    let timings = timings.map(|(key, changed)| (format!("timing.{key}"), changed));
    let sections = sections.map(|(key, changed)| (key.to_owned(), changed));
    let all = sections.into_iter().chain(timings);
    all.filter_map(|(key, changed)| changed.then_some(key)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn needed_for(text: &str) -> Vec<String> {
        let parse = |text| Config::parse(Path::new("config.toml"), text).unwrap();
        needed(&parse(""), &parse(text))
    }

    #[test]
    fn policies_need_no_restart() {
        let text = "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nrollout = \"20%\"\n\
                    [[policy]]\nname = \"q\"\nmodule = \"builtin:naive\"\n";
        assert_eq!(needed_for(text), [""; 0]);
    }

    #[test]
    fn everything_else_is_named_as_the_file_calls_it() {
        let text = "[store]\nurl = \"sqlite://other.db\"\n[server]\nlisten = \"127.0.0.1:9\"\n\
                    [timing]\npoll = \"7s\"\nretry_max = \"60s\"\n[[kubernetes]]\nname = \"local\"\n\
                    [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:1\"\n\
                    [retention]\njournal = \"off\"\n[metrics]\nper_job = true\n[telemetry]\nendpoint = \"http://127.0.0.1:4318\"\n[[sink]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\n\
                    [[link]]\nname = \"g\"\nurl = \"https://g.example/\"\n";
        assert_eq!(
            needed_for(text),
            [
                "store.url",
                "server.listen",
                "[[kubernetes]]",
                "[[job]]",
                "[[sink]]",
                "[[link]]",
                "[retention]",
                "metrics.per_job",
                "[telemetry]",
                "timing.poll",
                "timing.retry_max"
            ]
        );
    }
}
