use std::collections::BTreeSet;

use super::*;
use crate::config::read;

/// The keys that the reader knows in a table.
fn known(table: &str) -> BTreeSet<String> {
    let text = format!("{table}\nno_such_key = 1\n");
    let mistakes = read::read(&text).unwrap_err();
    let fix = mistakes.iter().find(|mistake| mistake.rule.contains("no_such_key"));
    let fix = &fix.unwrap_or_else(|| panic!("{table}: {mistakes:?}")).fix;
    let keys = fix.split("known here: ").nth(1).unwrap();
    keys.split(", ").map(str::to_owned).collect()
}

fn listed(keys: &[Key]) -> BTreeSet<String> {
    keys.iter().map(|key| key.name.to_owned()).collect()
}

#[test]
fn the_table_has_the_keys_that_the_file_is_read_by() {
    assert_eq!(
        known(""),
        SECTIONS.iter().map(|section| section.name.to_owned()).collect()
    );
    for section in SECTIONS {
        let header = if section.several {
            format!("[[{}]]", section.name)
        } else {
            format!("[{}]", section.name)
        };
        assert_eq!(known(&header), listed(section.keys), "{header}");
        for key in section.keys {
            if let Holds::Table(below) = key.holds {
                let header = if section.several {
                    format!("[[{0}]]\n[{0}.{1}]", section.name, key.name)
                } else {
                    format!("[{}.{}]", section.name, key.name)
                };
                assert_eq!(known(&header), listed(below), "{header}");
            }
        }
    }
}

/// Told by what the checked configuration is without the key and with it.
#[test]
fn defaults_are_those_of_the_program() {
    let parse = |text: &str| crate::config::Config::parse(std::path::Path::new("config.toml"), text).unwrap();
    let beginnings = [
        ("kubernetes", "name = \"a\"\n"),
        (
            "job",
            "name = \"a\"\nkubernetes = \"a\"\n[[kubernetes]]\nname = \"a\"\n",
        ),
        ("policy", "name = \"a\"\n"),
        ("link", "name = \"a\"\nurl = \"https://a.example/{name}\"\n"),
        ("registry", "host = \"a.example\"\n"),
        ("sink", "kind = \"webhook\"\nurl = \"http://127.0.0.1:9\"\n"),
        ("telemetry", "endpoint = \"http://127.0.0.1:9\"\n"),
    ];
    for section in SECTIONS {
        let header = if section.several {
            format!("[[{}]]", section.name)
        } else {
            format!("[{}]", section.name)
        };
        let beginning = beginnings
            .iter()
            .find(|(name, _)| *name == section.name)
            .map_or("", |(_, text)| text);
        for key in section.keys {
            let Some(default) = key.default else { continue };
            let with = format!("{header}\n{} = {default}\n{beginning}", key.name);
            assert_eq!(
                parse(&with),
                parse(&format!("{header}\n{beginning}")),
                "{header} {}",
                key.name
            );
        }
    }
}
