//! Pages of what the API is pinned to show, as a person reads them.

use std::fmt::Write as _;

use serde_json::Value;

#[test]
fn pages_of_every_kind_of_answer() {
    let answers = include_str!("../../../../server/tests/explain/v1.jsonl").lines();
    let mut pages = String::new();
    for (answer, n) in answers.zip(1..) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        writeln!(pages, "===== {n}\n{}", super::page("local/default/orders", &answer)).unwrap();
    }
    insta::assert_snapshot!(pages);
}
