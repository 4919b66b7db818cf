//! Drives one target with libFuzzer: `fuzz TARGET [libFuzzer's arguments]`, or `fuzz seeds TARGET FOLDER`, or `fuzz targets`.
//!
//! libFuzzer is LLVM's, linked from Debian's clang by `tests/fuzz/run`; here are the few functions through which it and the
//! targets meet. A panic of any thread ends the process, so that libFuzzer keeps the input: tokio would catch it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for the terminal that ends at the first surprise"
)]
#![allow(unsafe_code, reason = "libFuzzer is a C++ library")]

use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::sync::OnceLock;

use fuzz::mutate::mutate;
use fuzz::{TARGETS, Target};

/// What is fuzzed.
static TARGET: OnceLock<&'static Target> = OnceLock::new();

type Callback = unsafe extern "C" fn(*const u8, usize) -> c_int;

unsafe extern "C" {
    /// libFuzzer's own main, with a callback for an input.
    fn LLVMFuzzerRunDriver(count: *mut c_int, arguments: *mut *mut *mut c_char, callback: Callback) -> c_int;
    /// libFuzzer's own mutation, in place.
    fn LLVMFuzzerMutate(data: *mut u8, size: usize, most: usize) -> usize;
}

unsafe extern "C" fn check(data: *const u8, size: usize) -> c_int {
    // SAFETY: libFuzzer hands over `size` bytes that stay until this returns; of none it may name no place.
    let input = if size == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(data, size) }
    };
    if let Some(target) = TARGET.get() {
        (target.check)(input);
    }
    0
}

/// Called by libFuzzer for each mutation: half of them are libFuzzer's own.
///
/// # Safety
/// `data` has room for `most` bytes, of which the first `size` are the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LLVMFuzzerCustomMutator(data: *mut u8, size: usize, most: usize, seed: u32) -> usize {
    let words = TARGET.get().map_or(&[][..], |target| target.words);
    if seed.is_multiple_of(2) {
        // SAFETY: as this function's own.
        return unsafe { LLVMFuzzerMutate(data, size, most) };
    }
    // SAFETY: as this function's own.
    let room = unsafe { std::slice::from_raw_parts_mut(data, most) };
    let changed = mutate(room.get(..size).unwrap_or_default(), words, most, seed.into());
    if let Some(place) = room.get_mut(..changed.len()) {
        place.copy_from_slice(&changed);
    }
    changed.len()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "targets"] => TARGETS.iter().for_each(|target| println!("{}", target.name)),
        [_, "seeds", name, folder] => write_seeds(named(name), Path::new(folder)),
        [program, name, rest @ ..] => std::process::exit(run(named(name), program, rest)),
        _ => panic!("usage: fuzz TARGET [ARGUMENTS], fuzz seeds TARGET FOLDER, fuzz targets"),
    }
}

fn named(name: &str) -> &'static Target {
    Target::named(name).unwrap_or_else(|| panic!("`{name}` is no target; `fuzz targets` lists them"))
}

fn write_seeds(target: &Target, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (n, seed) in (target.seeds)().into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{n:04}")), seed).unwrap();
    }
}

fn run(target: &'static Target, program: &str, rest: &[&str]) -> c_int {
    assert!(TARGET.set(target).is_ok(), "one target a process");
    let plain = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panicked| {
        plain(panicked);
        std::process::abort();
    }));
    let arguments: Vec<CString> = [program]
        .iter()
        .chain(rest)
        .map(|text| CString::new(*text).unwrap())
        .collect();
    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|text| text.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    let mut count = c_int::try_from(arguments.len()).unwrap();
    let mut first = pointers.as_mut_ptr();
    // SAFETY: `count` texts, as C's main has them, that outlive the call.
    unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut first, check) }
}
