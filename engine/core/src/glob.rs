//! Globs: patterns of names in which `*` stands for any text.

/// Whether the text matches a glob of literal parts and `*`.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, text) in [
            ("*", ""),
            ("*", "orders"),
            ("ord*", "orders"),
            ("*ers", "orders"),
            ("o*d*s", "orders"),
            ("orders", "orders"),
        ] {
            assert!(glob_matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [
            ("ord", "orders"),
            ("*x", "orders"),
            ("o*d*x", "orders"),
            ("orders*s", "orders"),
            ("", "orders"),
        ] {
            assert!(!glob_matches(glob, text), "{glob} {text}");
        }
    }
}
