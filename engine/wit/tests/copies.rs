//! The SDK brings the contract along, so that a copy of its folder builds anywhere; and its tutorial is code that is tested.

use std::path::Path;

#[test]
fn the_sdk_has_the_contract_as_it_is() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/sdk/wit/policy.wit");
    assert!(
        std::fs::read_to_string(copy).unwrap() == steadfast_wit::POLICY_WIT,
        "policies/sdk/wit/policy.wit is another text: cp engine/wit/wit/policy.wit policies/sdk/wit/"
    );
}

#[test]
fn the_tutorial_is_the_code_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let document = std::fs::read_to_string(root.join("docs/policies.md")).unwrap();
    let tested = plain(&std::fs::read_to_string(root.join("policies/sdk/tests/tutorial.rs")).unwrap());
    let (_, tutorial) = document.split_once("## In Rust, from nothing to tested").unwrap();
    let tutorial = tutorial.split("\n## ").next().unwrap();
    let blocks: Vec<&str> = tutorial
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(
        blocks.len() >= 4,
        "docs/policies.md has {} blocks of Rust",
        blocks.len()
    );
    for block in blocks {
        assert!(
            tested.contains(&plain(block)),
            "policies/sdk/tests/tutorial.rs lacks:\n{block}"
        );
    }
}
