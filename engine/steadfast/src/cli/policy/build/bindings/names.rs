//! The words of the contract's enums for languages in which they are numbers: as the record writes them.

use std::fmt::Write as _;

use wit_bindgen_core::wit_parser::{Enum, Resolve, TypeDefKind};

/// An enum of the contract.
struct Words {
    /// `job-state`.
    name: String,
    /// `RUNNING`, in the order of their numbers.
    words: Vec<String>,
}

/// `names.go`, of the package of the contract's types.
pub(super) fn go(resolve: &Resolve) -> String {
    let mut text = String::from(
        "// The words of the contract's enums, as the record writes them: the values themselves print as numbers.\n\n\
         package steadfast_policy_types\n\nimport \"strconv\"\n\n\
         func nameOf(words []string, value int) string {\n\tif value < len(words) {\n\t\treturn words[value]\n\t}\n\t\
         return strconv.Itoa(value)\n}\n",
    );
    for Words { name, words } in all(resolve) {
        let name = camel(&name);
        let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n// {name}Name is its word.\nfunc {name}Name(value {name}) string {{\n\treturn nameOf([]string{{{}}}, int(value))\n}}\n",
            listed.join(", ")
        );
    }
    text
}

/// `names.h`.
pub(super) fn c(resolve: &Resolve) -> String {
    let mut text = String::from(
        "// The words of the contract's enums, as the record writes them: the values themselves are numbers.\n\
         #ifndef STEADFAST_NAMES_H\n#define STEADFAST_NAMES_H\n\n#include \"policy.h\"\n",
    );
    for Words { name, words } in all(resolve) {
        let name = name.replace('-', "_");
        let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let _ = write!(
            text,
            "\nstatic inline const char *steadfast_{name}_name(steadfast_{name}_t value) {{\n  \
             static const char *const words[] = {{{}}};\n  return value < sizeof words / sizeof *words ? words[value] : \"?\";\n}}\n",
            listed.join(", ")
        );
    }
    text.push_str("\n#endif\n");
    text
}

fn all(resolve: &Resolve) -> Vec<Words> {
    let named = resolve.types.iter().filter_map(|(_, kind)| {
        let TypeDefKind::Enum(cases) = &kind.kind else {
            return None;
        };
        Some(Words {
            name: kind.name.clone()?,
            words: words(kind.name.as_deref()?, cases),
        })
    });
    named.collect()
}

/// States are written in capitals and conditions in camel case, as in the API; other words as in the contract.
fn words(name: &str, cases: &Enum) -> Vec<String> {
    let cases = cases.cases.iter().map(|case| case.name.as_str());
    let one = |case: &str| match name {
        "job-state" => case.to_uppercase().replace('-', "_"),
        "condition-type" => camel(case),
        _ => case.to_owned(),
    };
    cases.map(one).collect()
}

fn camel(kebab: &str) -> String {
    let parts = kebab.split('-').map(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use steadfast_core::state::{ConditionType, Confidence, Intent, JobState, Mode};

    use super::super::parsed;
    use super::*;

    /// A word that core gained or wrote otherwise would be another one in a policy's messages than in the record.
    #[test]
    fn the_words_are_those_of_the_record() {
        let (resolve, _) = parsed(steadfast_wit::POLICY_WIT).unwrap();
        let all = all(&resolve);
        let words = |name: &str| {
            let found = all.iter().find(|words| words.name == name).unwrap();
            let mut words = found.words.clone();
            words.sort();
            words
        };
        let sorted = |known: Vec<&str>| {
            let mut known: Vec<String> = known.into_iter().map(str::to_owned).collect();
            known.sort();
            known
        };
        assert_eq!(
            words("job-state"),
            sorted(JobState::ALL.iter().map(|word| word.as_str()).collect())
        );
        assert_eq!(
            words("confidence"),
            sorted(Confidence::ALL.iter().map(|word| word.as_str()).collect())
        );
        assert_eq!(
            words("intent"),
            sorted(Intent::ALL.iter().map(|word| word.as_str()).collect())
        );
        assert_eq!(
            words("mode"),
            sorted(Mode::ALL.iter().map(|word| word.as_str()).collect())
        );
        let conditions: Vec<&str> = ConditionType::ALL.iter().map(|word| word.as_str()).collect();
        for word in words("condition-type") {
            assert!(conditions.contains(&word.as_str()), "{word}");
        }
        let (go, c) = (go(&resolve), c(&resolve));
        assert!(go.contains("func JobStateName(value JobState) string"), "{go}");
        assert!(
            c.contains("steadfast_job_state_name(steadfast_job_state_t value)"),
            "{c}"
        );
    }
}
