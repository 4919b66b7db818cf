use super::*;

const FILE: &str = "\
# The whole file has a heading.
[store]
url = \"sqlite://steadfast.db\"

# Decides what is not told otherwise.
[[policy]]
name = \"default\"                    # its name
module = \"builtin:conservative\"

# Patient, since the night of the outage.
[policy.params]
absence_window = \"60s\"              # not less

# A candidate.
[[policy]]
name = \"candidate\"
module = \"own.wasm\"                 # built by CI
shadow = true                       # until it has been seen

[policy.params]
calm = true

[[sink]]
kind = \"webhook\"                    # to the platform
url = \"http://127.0.0.1:9000/\"
";

#[test]
fn the_shadow_and_the_decider_change_places_and_every_comment_stays() {
    let promoted = promote(FILE, "candidate", 100).unwrap();
    let expected = "\
# The whole file has a heading.
[store]
url = \"sqlite://steadfast.db\"

# A candidate.
[[policy]]
name = \"candidate\"
module = \"own.wasm\"                 # built by CI
shadow = false                       # until it has been seen

[policy.params]
calm = true

# Decides what is not told otherwise.
[[policy]]
name = \"default\"                    # its name
module = \"builtin:conservative\"
shadow = true

# Patient, since the night of the outage.
[policy.params]
absence_window = \"60s\"              # not less

[[sink]]
kind = \"webhook\"                    # to the platform
url = \"http://127.0.0.1:9000/\"
";
    assert_eq!(promoted.text, expected);
    assert_eq!(
        promoted.summary,
        "- default (decides, 100%)\n- candidate (shadow, 100%)\n+ candidate (decides, 100%)\n+ default (shadow, 100%)\n"
    );
}

#[test]
fn going_back_is_one_promotion_more() {
    let there = promote(FILE, "candidate", 100).unwrap().text;
    let back = promote(&there, "default", 100).unwrap().text;
    // Only the word that was left out at first is written now.
    let expected = FILE.replace(
        "module = \"builtin:conservative\"\n",
        "module = \"builtin:conservative\"\nshadow = false\n",
    );
    assert_eq!(back, expected);
}

#[test]
fn a_share_leaves_the_others_with_who_decides_them_and_can_grow() {
    let some = promote(FILE, "candidate", 20).unwrap();
    assert_eq!(
        some.summary,
        "- candidate (shadow, 100%)\n+ candidate (decides, 20%)\n  default (decides, 100%)\n"
    );
    let more = promote(&some.text, "candidate", 50).unwrap();
    assert_eq!(
        more.summary,
        "- candidate (decides, 20%)\n+ candidate (decides, 50%)\n  default (decides, 100%)\n"
    );
    let all = promote(&more.text, "candidate", 100).unwrap();
    assert_eq!(all.text, promote(FILE, "candidate", 100).unwrap().text);
}

fn entry(name: &str, rest: &str) -> String {
    format!("[[policy]]\nname = \"{name}\"\nmodule = \"builtin:conservative\"\n{rest}\n")
}

#[test]
fn it_stands_before_the_one_that_decides_its_jobs_and_behind_those_for_fewer() {
    let text = [
        entry("few", "select = { namespace = [\"a\"], name = [\"x*\"] }"),
        entry("default", ""),
        entry("team", "select = { namespace = [\"a\"] }\nshadow = true"),
    ]
    .concat();
    let promoted = promote(&text, "team", 100).unwrap();
    assert_eq!(
        promoted.summary,
        "- team (shadow, 100%)\n  few (decides, 100%)\n+ team (decides, 100%)\n  default (decides, 100%)\n",
        "who decides other jobs too goes on"
    );
}

#[test]
fn what_cannot_be_promoted_is_refused_by_name() {
    let message = |text: &str, name| promote(text, name, 100).unwrap_err().to_string();
    assert_eq!(
        message(FILE, "other"),
        "no [[policy]] is named `other`; there are `default`, `candidate`"
    );
    assert_eq!(
        message(FILE, "default"),
        "`default` is not a shadow: it decides all its jobs already; promote one of `candidate`"
    );
    assert!(message("policy = [{ name = \"p\" }]", "p").contains("[[policy]] heading"));
    assert!(message("", "p").contains("no [[policy]] entries"));
}

#[test]
fn a_file_keeps_the_ends_of_its_lines() {
    let plain = promote(FILE, "candidate", 100).unwrap().text;
    let crlf = promote(&FILE.replace('\n', "\r\n"), "candidate", 100).unwrap().text;
    assert_eq!(crlf, plain.replace('\n', "\r\n"));
}
