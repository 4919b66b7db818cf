//! `${NAME}` and `${NAME:-default}` in texts: values of the environment, as containers are given them.
//!
//! They are put in after the file is parsed, so that whatever a variable holds is a text and no TOML.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Mistake;

/// What the environment has under a name.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own.
pub(super) fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Puts values into all texts of a table.
pub(super) fn fill(table: &mut DeTable<'_>, lookup: Lookup<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (_, value) in table.iter_mut() {
        fill_value(value, lookup, &mut mistakes);
    }
    mistakes
}

fn fill_value(value: &mut Spanned<DeValue<'_>>, lookup: Lookup<'_>, mistakes: &mut Vec<Mistake>) {
    let place = value.span();
    match value.get_mut() {
        DeValue::String(text) if has_variables(text) => match filled(text, &place, lookup) {
            Ok(filled) => *text = filled.into(),
            Err(mistake) => mistakes.push(mistake),
        },
        DeValue::Array(array) => {
            for value in array.iter_mut() {
                fill_value(value, lookup, mistakes);
            }
        }
        DeValue::Table(table) => mistakes.extend(fill(table, lookup)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Whether anything of a text is the environment's.
pub(super) fn has_variables(text: &str) -> bool {
    text.contains("${")
}

fn filled(text: &str, place: &Range<usize>, lookup: Lookup<'_>) -> Result<String, Mistake> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = behind;
            continue;
        }
        filled.push_str(before);
        let fix = "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself";
        let Some((inside, behind)) = behind.split_once('}') else {
            return Err(Mistake::new(place.clone(), "a `${` has no `}`", fix));
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(Mistake::new(
                place.clone(),
                "what stands in `${...}` is no name of a variable",
                fix,
            ));
        }
        // An empty variable is as good as none, as in a shell.
        let value = lookup(name).filter(|value| !value.is_empty() || default.is_none());
        let Some(value) = value.or_else(|| default.map(str::to_owned)) else {
            return Err(Mistake::new(
                place.clone(),
                format!("the environment has no {name}"),
                format!("set {name}, or write ${{{name}:-default}}"),
            ));
        };
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| is_part(c) && !c.is_ascii_digit()) && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("10.0.0.7".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn read(text: &str) -> Result<String, String> {
        filled(text, &(0..0), &lookup).map_err(|mistake| format!("{}; {}", mistake.rule, mistake.fix))
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        for (text, filled) in [
            ("${HOST}:8080", "10.0.0.7:8080"),
            ("http://${HOST}:${PORT:-8081}/", "http://10.0.0.7:8081/"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${NONE:-}", ""),
            ("$${HOST} and $HOST {HOST}", "${HOST} and $HOST {HOST}"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (text, says) in [
            (
                "${PORT}",
                "the environment has no PORT; set PORT, or write ${PORT:-default}",
            ),
            ("${HOST", "has no `}`"),
            ("${}", "is no name"),
            ("${1A}", "is no name"),
            ("${HO ST}", "is no name"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
