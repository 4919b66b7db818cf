//! The text of a configuration as it may be shown beside a mistake.
//!
//! A report draws the lines around a mistake, and secrets stand in such lines: a webhook's address, a Flink's user. What is
//! shown is therefore what is known to hold none: sections, and the values of keys that name nothing secret. Everything
//! else, such as a key that nobody knows, a line that does not parse or a comment, is shown by its length alone. So a report
//! can be read, and its marks stand where they belong.

/// Keys whose values hold no secret, wherever they stand.
const PLAIN: &[&str] = &[
    "alert_after",
    "alerts_only",
    "absence_confirmations",
    "absence_window",
    "batch_wait",
    "checkpoint_failures",
    "deadline",
    "deployment",
    "discover",
    "every",
    "fleet_unknown_share",
    "insecure",
    "intent_timeout",
    "job_statuses",
    "kind",
    "kubernetes",
    "max_age",
    "max_size",
    "memory",
    "mode",
    "module",
    "name",
    "namespace",
    "namespaces",
    "per_job",
    "poll",
    "resend",
    "restart_loop_after",
    "retry_initial",
    "retry_max",
    "rollout",
    "sample",
    "select",
    "service_name",
    "sha256",
    "shadow",
    "start_deadline",
    "states",
    "startup_grace",
    "terminal_poll",
    "timeout",
    "unreachable_after",
    "validate",
    "listen",
];

/// What stands for a character that is not shown.
const HIDDEN: char = '*';

/// The text with what may be secret replaced, byte by byte, so that every place in it stays where it is.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_within = None;
    for line in text.split_inclusive('\n') {
        let from = match is_within {
            // The rest of a text over several lines, whatever it looks like.
            Some(_) => 0,
            None => shown_until(line),
        };
        let (plain, hidden) = line.split_at(from);
        shown.push_str(plain);
        shown.extend(hidden.bytes().map(|byte| match byte {
            b'\n' | b'\r' | b' ' | b'\t' => char::from(byte),
            _ => HIDDEN,
        }));
        is_within = open_text(line, is_within);
    }
    shown
}

/// How much of a line is shown, in bytes.
fn shown_until(line: &str) -> usize {
    let content = line.split('#').next().unwrap_or_default();
    let trimmed = content.trim();
    let is_section = trimmed.starts_with('[') && trimmed.ends_with(']') && trimmed.chars().all(is_of_section);
    if is_section {
        return content.len();
    }
    let Some((key, value)) = content.split_once('=') else {
        return 0;
    };
    let key_end = key.len() + 1;
    let is_word = !key.trim().is_empty()
        && key
            .trim()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !is_word {
        return 0;
    }
    // A URL has no place in these; where one stands, the key is another one than was meant.
    if PLAIN.contains(&key.trim()) && !value.contains("//") && !value.contains('@') {
        content.len()
    } else {
        key_end
    }
}

fn is_of_section(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '[' | ']' | '.' | '_' | '-' | ' ')
}

/// Which text over several lines is open behind a line, if one is.
fn open_text(line: &str, open: Option<&'static str>) -> Option<&'static str> {
    let mut open = open;
    let mut rest = line;
    loop {
        let found = match open {
            Some(end) => rest.find(end).map(|at| (at, None)),
            None => ["\"\"\"", "'''"]
                .into_iter()
                .filter_map(|mark| rest.find(mark).map(|at| (at, Some(mark))))
                .min(),
        };
        let Some((at, next)) = found else { return open };
        open = next;
        rest = rest.get(at + 3..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_plain_keys_are_shown_and_every_place_stays() {
        let text = "[server] # s3cret\nlisten = \"0.0.0.0:80\" # s3cret\n[[sink]]\nurl = \"https://x/s3cret\"\n\
                    ur1 = \"s3cret\"\nkind = \"https://s3cret\"\ns3cret\n\"s3cret\" = 1\nf = { user = \"s3cret\" }\n";
        let shown = masked(text);
        assert_eq!(shown.len(), text.len());
        assert!(!shown.contains("s3cret"), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1].get(..21), Some("listen = \"0.0.0.0:80\""));
        assert_eq!((lines[2], &lines[3][..5]), ("[[sink]]", "url ="));
    }

    #[test]
    fn a_text_over_several_lines_is_hidden_whatever_its_lines_look_like() {
        let text = "url = \"\"\"\nname = \"s3cret\"\n\"\"\"\nname = \"shown\"\nlast = '''\npoll = s3cret";
        let shown = masked(text);
        assert!(
            !shown.contains("s3cret") && shown.contains("name = \"shown\""),
            "{shown}"
        );
    }

    #[test]
    fn characters_of_several_bytes_do_not_move_what_follows() {
        let text = "url = \"grüße-s3cret\"\npoll = \"5s\"\n";
        assert_eq!(masked(text).find("poll"), text.find("poll"));
    }
}
