//! The SDK brings the contract along, so that a copy of its folder builds anywhere.

use std::path::Path;

#[test]
fn the_sdk_has_the_contract_as_it_is() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/sdk/wit/policy.wit");
    assert!(
        std::fs::read_to_string(copy).unwrap() == steadfast_wit::POLICY_WIT,
        "policies/sdk/wit/policy.wit is another text: cp engine/wit/wit/policy.wit policies/sdk/wit/"
    );
}
