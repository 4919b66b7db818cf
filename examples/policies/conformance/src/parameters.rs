//! What `configure` takes, and by which name it refuses the rest.

use std::path::Path;

use crate::Loader;
use crate::verdict::Verdict;

/// Taken.
const GOOD: [&str; 6] = [
    r#"{}"#,
    r#"{"absence_confirmations": 1}"#,
    r#"{"unreachable_after": "800ms"}"#,
    r#"{"unreachable_after": "4h59m"}"#,
    r#"{"unreachable_after": "2h", "absence_confirmations": 100000}"#,
    r#" { "absence_confirmations" : 3 , "unreachable_after" : "0s" } "#,
];

/// Refused, by a message with this word.
const BAD: [(&str, &str); 14] = [
    (r#"{"absence_confirmations": 0}"#, "absence_confirmations"),
    (r#"{"absence_confirmations": -1}"#, "absence_confirmations"),
    (r#"{"absence_confirmations": 1.5}"#, "absence_confirmations"),
    (r#"{"absence_confirmations": "2"}"#, "absence_confirmations"),
    (r#"{"absence_confirmations": true}"#, "absence_confirmations"),
    (r#"{"absence_confirmations": null}"#, "absence_confirmations"),
    (r#"{"unreachable_after": 15}"#, "unreachable_after"),
    (r#"{"unreachable_after": "15"}"#, "unreachable_after"),
    (r#"{"unreachable_after": "1h15"}"#, "unreachable_after"),
    (r#"{"unreachable_after": "15 s"}"#, "unreachable_after"),
    (r#"{"unreachable_after": "-15s"}"#, "unreachable_after"),
    (r#"{"unreachable_after": "soon"}"#, "unreachable_after"),
    (r#"{"unreachable_after": ["15s"]}"#, "unreachable_after"),
    (r#"{"patience": "15s"}"#, "patience"),
];

pub(crate) fn compare(loader: &Loader, module: &Path) -> Verdict {
    let mut verdict = Verdict::default();
    for params in GOOD {
        let refused = loader.load(module, params).err();
        verdict.count(refused.map(|error| format!("{params} is refused: {error:#}")));
    }
    for (params, word) in BAD {
        verdict.count(match loader.load(module, params) {
            Ok(_) => Some(format!("{params} is taken")),
            // A trap refuses too, but tells the operator nothing.
            Err(error) if is_refused_over(&error, word) => None,
            Err(error) => Some(format!("{params} is refused without a word of {word}: {error:#}")),
        });
    }
    verdict
}

fn is_refused_over(error: &anyhow::Error, word: &str) -> bool {
    let refusal = error.downcast_ref();
    matches!(refusal, Some(steadfast_host::LoadError::Params { message, .. }) if message.contains(word))
}
