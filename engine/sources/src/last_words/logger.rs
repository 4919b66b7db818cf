//! Who wrote a line of a log, as far as its layout shows it.
//!
//! Flink's `log4j-console.properties` has shown the logger since 1.13 (`%-60c`), and most layouts that operators write do, in
//! full, shortened (`%c{1.}`), as the class alone (`%c{1}`), or as a member of a JSON object. So a line that merely holds
//! Flink's words, as a job's own `println` can print them, is told from Flink's.

/// The package of the classes that log how a job ended, and those classes.
const PACKAGE: [&str; 5] = ["org", "apache", "flink", "runtime", "dispatcher"];
const DISPATCHERS: [&str; 3] = ["Dispatcher", "StandaloneDispatcher", "MiniDispatcher"];
/// Classes that a JobManager's log is full of: where a layout shows the logger, one of them is there.
const FLINKS: [&str; 6] = [
    "ExecutionGraph",
    "JobMaster",
    "CheckpointCoordinator",
    "ClusterEntrypoint",
    "DefaultDeclarativeSlotPool",
    "ActiveResourceManager",
];
/// How much of a line stands before its message, in characters, at most.
const HEAD: usize = 300;

/// Whether what stands before a message, or beside it in an object, names a dispatcher of Flink's.
pub(super) fn names_dispatcher(head: &str) -> bool {
    words(head).any(is_dispatcher)
}

/// Whether the layout of a log shows loggers, by any line that Flink wrote.
pub(super) fn are_shown_in(log: &str) -> bool {
    log.lines().any(|line| {
        // A stack trace names classes too, and none of them wrote it.
        if line.starts_with(char::is_whitespace) || line.starts_with("Caused by:") {
            return false;
        }
        let end = line.char_indices().nth(HEAD).map_or(line.len(), |(at, _)| at);
        let head = line.get(..end).unwrap_or_default();
        let (head, is_headed) = match head.split_once(" - ") {
            Some((head, _)) => (head, true),
            None => (head, line.contains('{')),
        };
        is_headed && words(head).any(|word| is_dispatcher(word) || is_flinks(word))
    })
}

fn words(head: &str) -> impl Iterator<Item = &str> {
    head.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '$')))
        .filter(|word| !word.is_empty())
}

/// A class with its package, of which each part may be shortened and the first ones be left out.
fn is_dispatcher(word: &str) -> bool {
    let mut parts = word.rsplit('.');
    let is_class = parts.next().is_some_and(|class| DISPATCHERS.contains(&class));
    let mut package = PACKAGE.iter().rev();
    is_class
        && parts.all(|part| {
            package
                .next()
                .is_some_and(|of| of.starts_with(part) || of.ends_with(part))
        })
}

fn is_flinks(word: &str) -> bool {
    word.starts_with("org.apache.flink.")
        || word.starts_with("o.a.f.")
        || word.rsplit('.').next().is_some_and(|class| FLINKS.contains(&class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatcher_is_known_however_its_name_is_shortened() {
        for head in [
            "2026-11-24 12:00:00,123 INFO  org.apache.flink.runtime.dispatcher.StandaloneDispatcher    [] - ",
            "12:00 INFO  o.a.f.r.dispatcher.MiniDispatcher [] - ",
            "INFO  o.a.f.r.d.StandaloneDispatcher - ",
            "INFO  patcher.StandaloneDispatcher - ",
            "[INFO] StandaloneDispatcher: ",
        ] {
            assert!(names_dispatcher(head), "{head}");
        }
        for head in [
            "",
            "2026-11-24 12:00:00,123 INFO  com.acme.Orders [] - ",
            "INFO  com.acme.StandaloneDispatcher [] - ",
            "INFO [flink-pekko.actor.default-dispatcher-4] com.acme.Orders - ",
            "INFO org.apache.flink.runtime.dispatcher.DispatcherRestEndpoint - ",
        ] {
            assert!(!names_dispatcher(head), "{head}");
        }
    }

    #[test]
    fn a_stack_trace_shows_no_loggers() {
        assert!(!are_shown_in(
            "INFO Job ended\n\tat org.apache.flink.A.b(A.java:1) - x\nCaused by: org.apache.flink.E: a - b\n"
        ));
        assert!(are_shown_in("12:00 INFO  ExecutionGraph - Job x switched\n"));
        assert!(are_shown_in(
            r#"{"logger":"org.apache.flink.runtime.jobmaster.JobMaster","message":"x"}"#
        ));
    }
}
