use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use super::draw::draw;
use super::read::Read;
use super::view::{Action, View};

const WIDTH: u16 = 100;

fn job(id: &str, state: &str, severity: &str, since: &str) -> Value {
    json!({
        "id": id, "state": state, "severity": severity, "confidence": if severity == "unconfirmed" { "stale" } else { "confirmed" },
        "since": since, "conditions": [], "reason": { "message": format!("Flink says {state}") },
        "alerts": if severity == "alerting" { json!([{ "alert": "JobFailed", "scope": "job" }]) } else { json!([]) },
    })
}

/// In the order of their ids, as an engine of an earlier version answers.
fn recorded() -> Read {
    let jobs = vec![
        job("prod/pay/clicks", "RUNNING", "running", "2026-11-23T01:00:00Z"),
        job("prod/pay/orders", "FAILED", "alerting", "2026-11-23T01:09:29Z"),
        job("prod/pay/refunds", "RUNNING", "unconfirmed", "2026-11-22T00:00:00Z"),
        job("prod/shop/carts", "FINISHED", "ended", "2026-11-20T00:00:00Z"),
        job("prod/shop/views", "FAILED", "failed", "2026-11-23T01:13:00Z"),
    ];
    Read::of(jobs, &Value::Null)
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T01:13:29Z").unwrap()
}

fn view() -> View {
    let mut view = View::new("http://me:p4ss@127.0.0.1:8080");
    view.take(Ok(recorded()), now());
    view
}

fn screen(view: &mut View, width: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, 9)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal
}

fn lines(view: &mut View) -> Vec<String> {
    lines_of(view, WIDTH)
}

fn lines_of(view: &mut View, width: u16) -> Vec<String> {
    let terminal = screen(view, width);
    let buffer = terminal.backend().buffer();
    let line = |y: u16| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol().to_owned())
            .collect::<String>()
    };
    (0..9).map(|y| line(y).trim_end().to_owned()).collect()
}

fn press(view: &mut View, keys: &[KeyCode]) -> Action {
    let mut action = Action::Nothing;
    for key in keys {
        action = view.press(KeyEvent::new(*key, KeyModifiers::NONE));
    }
    action
}

#[test]
fn the_worst_stand_first_and_are_counted() {
    let mut view = view();
    assert_eq!(
        lines(&mut view),
        [
            "steadfast 127.0.0.1:8080  1 alerting  1 failed  1 unconfirmed  1 running  1 ended  01:13:29 UTC",
            "JOB              STATE        CONFIDENCE AGE     STANDS                   REASON",
            "prod/pay/orders  FAILED       confirmed  4m      JobFailed                Flink says FAILED",
            "prod/shop/views  FAILED       confirmed  29s                              Flink says FAILED",
            "prod/pay/refunds RUNNING      stale      25h                              Flink says RUNNING",
            "prod/pay/clicks  RUNNING      confirmed  13m                              Flink says RUNNING",
            "prod/shop/carts  FINISHED     confirmed  3d1h                             Flink says FINISHED",
            "",
            "j k move   / find   Enter why   q quit",
        ]
    );
    let terminal = screen(&mut view, WIDTH);
    let state = &terminal.backend().buffer()[(17, 2)];
    assert_eq!(state.fg, Color::Red);
    assert!(state.modifier.contains(Modifier::REVERSED), "the first row is chosen");
}

#[test]
fn keys_move_find_and_ask_why() {
    let mut view = view();
    assert_eq!(
        press(&mut view, &[KeyCode::Enter]),
        Action::Explain("prod/pay/orders".to_owned())
    );
    assert_eq!(
        press(&mut view, &[KeyCode::Char('j'), KeyCode::Enter]),
        Action::Explain("prod/shop/views".to_owned())
    );
    assert_eq!(
        press(&mut view, &[KeyCode::Char('G'), KeyCode::Enter]),
        Action::Explain("prod/shop/carts".to_owned())
    );
    // The choice is of a job, not of a row.
    let mut fewer = recorded();
    fewer.jobs.remove(0);
    view.take(Ok(fewer), now());
    assert_eq!(
        press(&mut view, &[KeyCode::Enter]),
        Action::Explain("prod/shop/carts".to_owned())
    );
    view.take(Ok(recorded()), now());
    let find = ['/', 'P', 'A', 'Y'].map(KeyCode::Char);
    assert_eq!(
        press(&mut view, &find),
        Action::Search,
        "the engine has jobs that are not shown"
    );
    assert_eq!(lines(&mut view).last().map(String::as_str), Some("/PAY_"));
    assert_eq!(press(&mut view, &[KeyCode::Enter]), Action::Nothing);
    let shown = lines(&mut view);
    assert!(!shown.iter().any(|line| line.contains("shop")), "{shown:#?}");
    assert!(shown[8].ends_with("/PAY: 3 of 5, Esc shows all"), "{shown:#?}");
    assert_eq!(press(&mut view, &[KeyCode::Esc]), Action::Search);
    assert_eq!(press(&mut view, &[KeyCode::Esc]), Action::Nothing);
    assert_eq!(view.jobs().len(), 5);
    view.explain(
        "prod/pay/orders".to_owned(),
        &format!("it is FAILED\nbecause\u{1b}[2J of that\nand more{}", "\n".repeat(20)),
    );
    let page = lines(&mut view);
    assert_eq!(page[1..3], ["it is FAILED", "because\\u001b[2J of that"]);
    press(&mut view, &[KeyCode::Char('j')]);
    assert_eq!(lines(&mut view)[1], "because\\u001b[2J of that");
    press(&mut view, &[KeyCode::Esc]);
    assert!(lines(&mut view)[1].starts_with("JOB"));
    assert_eq!(press(&mut view, &[KeyCode::Char('q')]), Action::Quit);
}

#[test]
fn a_narrow_screen_keeps_the_name_and_says_what_is_not_confirmed() {
    let mut view = view();
    // In 32 columns the ids have 9.
    let shown = lines_of(&mut view, 32);
    assert!(shown[2].starts_with("…y/orders FAILED "), "{shown:#?}");
    assert!(shown[4].starts_with("…/refunds RUNNING? "), "{shown:#?}");
    let at_40 = lines_of(&mut view, 40);
    assert!(at_40[4].starts_with("prod/pay/refunds RUNNING?"), "{at_40:#?}");
}

#[test]
fn a_page_is_wrapped_and_ends_at_the_foot_of_the_screen() {
    let mut view = view();
    let page = format!(
        "begin\n{}end of it, 漢字漢字漢字漢字漢字漢字",
        "because of that, and of more\n".repeat(9)
    );
    view.explain("prod/pay/orders".to_owned(), &page);
    let shown = lines_of(&mut view, 20);
    assert_eq!(
        shown[1..5],
        ["begin", "because of that, and", "of more", "because of that, and"]
    );
    press(&mut view, &[KeyCode::Char('G')]);
    let shown = lines_of(&mut view, 20);
    assert!(shown[7].starts_with('漢') && shown[5] == "end of it,", "{shown:#?}");
    press(&mut view, &[KeyCode::Char('k')]);
    assert_ne!(lines_of(&mut view, 20)[7], shown[7]);
}

#[test]
fn what_is_old_says_so_and_looks_so() {
    let mut view = view();
    view.take(Err("no engine answers".to_owned()), now());
    let shown = lines(&mut view);
    assert!(shown[2].starts_with("prod/pay/orders"), "{shown:#?}");
    view.read.counts = vec![1, 0, 0, 0, 0, 0, 0];
    let shown = lines(&mut view);
    assert!(shown[0].contains("as of 01:13:29 UTC: no engine answers"), "{shown:#?}");
    let terminal = screen(&mut view, WIDTH);
    assert!(terminal.backend().buffer()[(0, 3)].modifier.contains(Modifier::DIM));
    view.take(Ok(recorded()), now());
    assert!(!lines(&mut view)[0].contains("as of"));
}

#[test]
fn an_engine_of_an_earlier_version_is_sorted_and_counted_here() {
    let plain = |id: &str, state: &str, confidence: &str, conditions: Value| json!({ "id": id, "state": state, "confidence": confidence, "conditions": conditions, "alerts": [], "since": "" });
    let jobs = vec![
        plain("a", "RUNNING", "confirmed", json!([])),
        plain("b", "RUNNING", "confirmed", json!([{ "type": "CrashLoop" }])),
        plain("c", "STARTING", "confirmed", json!([])),
        plain("d", "LOST", "confirmed", json!([])),
        plain("e", "RUNNING", "stale", json!([])),
    ];
    let read = Read::of(jobs, &Value::Null);
    let order: Vec<&str> = read.jobs.iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(order, ["d", "b", "e", "c", "a"]);
    assert_eq!(read.counts, [0, 1, 1, 1, 1, 1, 0]);
    let summary = json!({ "severity": { "alerting": 3, "running": 9000 } });
    assert_eq!(Read::of(Vec::new(), &summary).counts, [3, 0, 0, 0, 0, 9000, 0]);
}

#[test]
fn clusters_that_cannot_be_read_stand_above_the_jobs_and_a_cut_list_says_so() {
    let mut view = view();
    let unread = (1..=5).map(|n| format!("prod-{n}: not readable\u{1b}[2J")).collect();
    let is_cut = true;
    let read = Read {
        unread,
        is_cut,
        ..recorded()
    };
    view.take(Ok(read), now());
    let shown = lines(&mut view);
    assert_eq!(shown[1], "prod-1: not readable\\u001b[2J");
    assert_eq!(shown[4], "2 more clusters are not readable: `steadfast clusters`");
    assert!(shown[5].starts_with("JOB"), "{shown:#?}");
    assert!(shown[8].ends_with("q quit   the worst 5 of 5"), "{shown:#?}");
    press(&mut view, &['/', 's', 'h', 'o'].map(KeyCode::Char));
    press(&mut view, &[KeyCode::Enter]);
    assert!(lines(&mut view)[8].ends_with("/sho: the worst 2 of 5, Esc shows all"));
}
