use serde_json::json;

use super::*;
use crate::cli::screen::Screen;

fn items() -> Vec<Value> {
    vec![
        json!({ "sequence": 7, "at": "2026-11-23T01:13:29.838Z", "job": "prod/pay/orders", "kind": "transition", "transition": {
            "from": "RUNNING", "to": "FAILED", "confidence": "confirmed", "reason": { "message": "it failed" } } }),
        json!({ "sequence": 8, "at": "2026-11-23T01:13:59.838Z", "job": "prod/pay/orders", "kind": "alert", "alert": {
            "alert": "JobFailed", "status": "firing", "message": "nobody wanted it" } }),
        json!({ "sequence": 8, "at": "2026-11-23T01:14:09Z", "job": "prod/pay/orders", "kind": "call", "call": {
            "what": "silence", "alert": "JobFailed", "through": "nothing", "says": "ann", "until": "2026-11-23T02:44:00.000Z",
            "comment": "being repaired", "from": "127.0.0.1" } }),
        json!({ "sequence": 8, "at": "2026-11-23T01:14:19Z", "job": "prod/pay/orders", "kind": "alert", "alert": {
            "alert": "JobFailed", "status": "resolved", "message": "it runs", "silenced": true } }),
        json!({ "sequence": 9, "at": "2026-11-23T01:14:29.838Z", "job": "prod/pay/orders", "kind": "call", "call": {
            "what": "cancel", "by": "deploy-bot", "through": "token", "says": "ann", "from": "10.0.0.7" } }),
        json!({ "sequence": 10, "at": "2026-11-23T01:14:30Z", "job": "prod/pay/orders", "kind": "call", "call": {
            "what": "none", "through": "token-file" } }),
        json!({ "sequence": 11, "at": "2026-11-23T01:14:31Z", "job": "prod/pay/orders", "kind": "call", "call": {
            "what": "unsilence", "alert": "JobFailed", "through": "certificate" } }),
        json!({ "sequence": 12, "at": "2026-11-23T01:14:32Z", "job": "prod/pay/orders", "kind": "update", "confidence": "stale",
            "before": "confirmed" }),
        json!({ "sequence": 13, "at": "2026-11-23T01:14:33Z", "job": "prod/pay/orders", "kind": "alert", "alert": {
            "alert": "KubernetesUnreachable", "scope": "cluster", "status": "firing", "message": "nobody answers" } }),
        json!({ "sequence": 14, "job": "prod/pay/orders", "kind": "unreadable", "why": "it is damaged" }),
        json!({ "sequence": 10, "at": "2026-11-23T01:14:39Z", "job": "prod/pay/orders", "kind": "forgotten" }),
    ]
}

#[test]
fn each_kind_says_what_and_why() {
    let expected = "\
TIME                   KIND         WHAT                             CONFIDENCE   WHY
2026-11-23T01:13:29Z   transition   RUNNING -> FAILED                confirmed    it failed
2026-11-23T01:13:59Z   alert        JobFailed firing                              nobody wanted it
2026-11-23T01:14:09Z   call         JobFailed silenced until 02:44                being repaired; for ann, from 127.0.0.1, without a token
2026-11-23T01:14:19Z   alert        JobFailed resolved, silenced                  it runs
2026-11-23T01:14:29Z   call         intent cancel                                 by deploy-bot, for ann, from 10.0.0.7
2026-11-23T01:14:30Z   call         intent taken back                             with the token that many share
2026-11-23T01:14:31Z   call         silence of JobFailed ended                    through certificate
2026-11-23T01:14:32Z   update       confirmed -> stale               stale
-                      unreadable   entry 14                                      it is damaged
2026-11-23T01:14:39Z   forgotten
";
    let (own, left_out) = Read::whole(items()).own();
    assert_eq!(table(&own.items, row::Jobs::Same).shown(Screen::default()), expected);
    assert_eq!(left_out, 1);
    let all = table(&items(), row::Jobs::Several).shown(Screen::default());
    assert!(
        all.starts_with("TIME                   JOB               KIND"),
        "{all}"
    );
    // What is told once for all jobs of a cluster is no one's own.
    assert!(
        all.contains("2026-11-23T01:14:33Z   cluster prod      alert        KubernetesUnreachable firing"),
        "{all}"
    );
}

#[test]
fn an_event_of_the_stream_has_the_shape_of_the_history() {
    let body = json!({ "from": "RUNNING", "to": "FAILED" });
    let event = json!({ "job": "prod/pay/orders", "sequence": 7, "at": "2026-11-23T01:13:29.838Z", "revision": 3, "store": "s",
        "body": body, "record": null });
    assert_eq!(
        tail::item("transition", event.clone()),
        json!({ "job": "prod/pay/orders", "sequence": 7, "at": "2026-11-23T01:13:29.838Z", "revision": 3, "kind": "transition",
            "transition": { "from": "RUNNING", "to": "FAILED" } })
    );
    // An engine of an earlier version says by the event's name alone what it is.
    let event = json!({ "job": "a/b/c", "sequence": 8, "body": null, "record": { "confidence": "stale" } });
    assert_eq!(
        tail::item("update", event.clone()),
        json!({ "job": "a/b/c", "sequence": 8, "kind": "update", "confidence": "stale" })
    );
    let told = |kind: &str| {
        let mut told = event.clone();
        told["kind"] = json!(kind);
        told
    };
    assert_eq!(tail::item("update", told("update"))["confidence"], "stale");
    let mut call = told("call");
    call["call"] = json!({ "what": "silence", "alert": "JobFailed", "through": "nothing" });
    assert_eq!(
        tail::item("update", call),
        json!({ "job": "a/b/c", "sequence": 8, "kind": "call",
            "call": { "what": "silence", "alert": "JobFailed", "through": "nothing" } })
    );
}

#[test]
fn each_kind_of_the_engines_is_taken_and_updates_are_left_out_unless_asked_for() {
    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        part: Part,
    }
    let kinds = |words: &[&str]| {
        let line = <Line as clap::Parser>::try_parse_from([&["x"], words].concat());
        line.map(|line| line.part.kinds())
    };
    for kind in EventKind::ALL {
        assert_eq!(kinds(&["--kind", kind.as_str()]).unwrap(), [*kind]);
    }
    let usual: Vec<&EventKind> = EventKind::ALL
        .iter()
        .filter(|kind| **kind != EventKind::Update)
        .collect();
    assert_eq!(kinds(&[]).unwrap().iter().collect::<Vec<_>>(), usual);
    assert!(
        kinds(&["--kind", "savepoint"])
            .unwrap_err()
            .to_string()
            .contains("possible values")
    );
}
