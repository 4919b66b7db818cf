//! Tables on a terminal: as wide as it is, in colours, and neither where there is none.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::command::steadfast;
use crate::stub::serve;

/// A terminal of so many columns, and its screen.
fn terminal(columns: u16) -> (File, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal.as_fd(), size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let screen = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    (File::from(terminal), screen)
}

/// What a command writes to a terminal of so many columns.
fn on_terminal(command: &mut Command, columns: u16) -> String {
    let (mut terminal, screen) = terminal(columns);
    let mut child = command.stdout(screen).spawn().unwrap();
    // What still holds it would keep the terminal open.
    command.stdout(std::process::Stdio::null());
    let mut shown = Vec::new();
    // Its end is an error where the last who had it has closed it.
    drop(terminal.read_to_end(&mut shown));
    child.wait().unwrap();
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

fn engine() -> String {
    let address = serve(|request| {
        let job = |name: &str, state: &str| {
            json!({
                "id": format!("prod/payments/{name}"), "state": state, "confidence": "confirmed", "since": "2026-01-01T00:00:00Z",
                "reason": { "message": "Flink lists it, and says so in a sentence that is far longer than a terminal is wide" },
                "alerts": [], "conditions": [{ "type": "CrashLoop" }],
            })
        };
        let items: Vec<Value> = match request.contains("/api/v1/jobs") {
            true => vec![job("orders", "FAILED"), job("clicks", "RUNNING")],
            false => Vec::new(),
        };
        (200, json!({ "items": items, "cursor": null }))
    });
    format!("http://{address}")
}

#[test]
fn a_table_fits_the_terminal_and_has_colours_unless_they_are_not_wanted() {
    let server = engine();
    let status = |more: &[&str]| {
        let arguments = [&["status", "--server", &server], more].concat();
        let mut command = steadfast(Path::new("."), &arguments);
        command.env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
        command
    };
    let plain = on_terminal(&mut status(&[]), 80);
    // The reasons have no room beside the rest, and stand below.
    assert_eq!(plain.lines().count(), 5, "{plain}");
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
    assert!(
        plain.contains("\n  Flink lists it, and says so") && plain.contains('…'),
        "{plain}"
    );
    assert!(!plain.contains('\u{1b}'), "NO_COLOR is set: {plain:?}");
    let wide = on_terminal(&mut status(&["-o", "wide"]), 80);
    assert!(wide.contains("than a terminal is wide"), "{wide}");
    let colored = on_terminal(status(&[]).env_remove("NO_COLOR"), 80);
    assert!(colored.contains("\u{1b}[31mFAILED\u{1b}[0m"), "{colored:?}");
    assert!(colored.contains("\u{1b}[32mRUNNING\u{1b}[0m"), "{colored:?}");
}

#[test]
fn where_no_terminal_is_nothing_is_cut_and_colours_must_be_asked_for() {
    let server = engine();
    let status = || {
        let mut command = steadfast(Path::new("."), &["status", "--server", &server]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    };
    let plain = String::from_utf8(status().output().unwrap().stdout).unwrap();
    assert!(
        plain.contains("than a terminal is wide") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
    let forced = status().env("CLICOLOR_FORCE", "1").output().unwrap().stdout;
    let forced = String::from_utf8(forced).unwrap();
    assert!(forced.contains("\u{1b}[31mFAILED\u{1b}[0m"), "{forced:?}");
}

#[test]
#[cfg(feature = "top")]
fn what_is_looked_for_on_the_screen_is_looked_for_among_all_jobs() {
    use std::io::Write as _;

    let (asked, questions) = std::sync::mpsc::channel();
    let address = serve(move |request| {
        drop(asked.send(request.to_owned()));
        let found = json!({ "id": "prod/pay/rare", "state": "RUNNING", "confidence": "confirmed", "severity": "running",
            "since": "2026-01-01T00:00:00Z", "alerts": [], "conditions": [], "reason": { "message": "Flink lists it" } });
        let items = if request.contains("search=rare") {
            vec![found]
        } else {
            Vec::new()
        };
        match request.contains("/api/v1/summary") {
            true => (200, json!({ "jobs": 10_000, "severity": { "running": 10_000 } })),
            false => (200, json!({ "items": items, "cursor": null })),
        }
    });
    let server = format!("http://{address}");
    let (mut keyboard, screen) = terminal(100);
    // Else it would read the terminal that the tests are run at.
    let mut command = steadfast(Path::new("."), &["top", "--every", "1h", "--server", &server]);
    command
        .stdin(screen.try_clone().unwrap())
        .stdout(screen)
        .env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    drop(command);
    let (shown, screens) = std::sync::mpsc::channel();
    let mut output = keyboard.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read) = output.read(&mut bytes) {
            if read == 0
                || shown
                    .send(String::from_utf8_lossy(&bytes[..read]).into_owned())
                    .is_err()
            {
                return;
            }
        }
    });
    let patience = std::time::Duration::from_secs(60);
    let wait = |what: &str| {
        let mut all = String::new();
        while !all.contains(what) {
            all.push_str(
                &screens
                    .recv_timeout(patience)
                    .unwrap_or_else(|_| panic!("no {what} in {all}")),
            );
        }
    };
    wait("quit");
    keyboard.write_all(b"/rare\r").unwrap();
    while !questions.recv_timeout(patience).unwrap().contains("search=rare&") {}
    wait("prod/pay/rare");
    keyboard.write_all(b"q").unwrap();
    assert!(child.wait().unwrap().success());
}
