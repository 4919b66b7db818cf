//! Where a call ended: the functions that were under way, by the names that the module has for them.

use wasmtime::WasmBacktrace;

/// How many of them are told, the innermost first.
const SHOWN: usize = 5;
/// How long a name may be, in bytes: generics make some of them long.
const NAME: usize = 60;

/// What every panic goes through, and says nothing of it.
const OF_EVERY_PANIC: [&str; 10] = [
    "rust_begin_unwind",
    "rust_panic",
    "__rust",
    "__rustc",
    "_R",
    "_ZN",
    "abort",
    "core::",
    "std::",
    "<std::",
];

/// `; in a, called by b, called by c`, or nothing where the module has no names.
pub(crate) fn called(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return String::new();
    };
    let names = backtrace.frames().iter().filter_map(|frame| frame.func_name());
    told(names)
}

fn told<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut own: Vec<&str> = names
        .filter(|name| !OF_EVERY_PANIC.iter().any(|prefix| name.starts_with(prefix)))
        .map(short)
        .collect();
    // One that calls itself is told once.
    own.dedup();
    own.truncate(SHOWN);
    if own.is_empty() {
        return String::new();
    }
    format!("; in {}", own.join(", called by "))
}

/// Without the hash that Rust gives a name.
fn short(name: &str) -> &str {
    let name = match name.rsplit_once("::h") {
        Some((before, hash)) if hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) => before,
        Some(_) | None => name,
    };
    name.get(..name.floor_char_boundary(NAME)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_is_told_is_the_policys_own() {
        let names = [
            "std::process::abort::h0123456789abcdef",
            "rust_begin_unwind",
            "core::panicking::panic_fmt::h0123456789abcdef",
            "mine::judge::h0123456789abcdef",
            "mine::judge::h0123456789abcdef",
            "decide",
        ];
        assert_eq!(told(names.into_iter()), "; in mine::judge, called by decide");
        assert_eq!(told(["core::panicking::panic"].into_iter()), "");
        assert_eq!(told(std::iter::repeat_n("again", 20)), "; in again");
        let many: Vec<String> = (0..9).map(|n| format!("f{n}")).collect();
        assert!(told(many.iter().map(String::as_str)).ends_with("called by f4"));
    }
}
