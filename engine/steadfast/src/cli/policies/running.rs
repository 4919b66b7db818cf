//! `steadfast policy list` of a running engine.

use anyhow::anyhow;
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::client::{Client, ServerOptions};
use crate::cli::output::{Detail, Format};
use crate::cli::printer;
use crate::cli::screen::{BAD, DOUBT, PLAIN, Screen};
use crate::cli::status::{refused_reload, text};
use crate::cli::table::{Cell, Column, Table};

const PATH: &str = "/api/v1/policies";

/// Lists what decides now; the wide list has the digests.
pub(super) async fn show(server: &ServerOptions, format: &Format) -> Result<(), Failure> {
    let answer = Client::new(server)?.get(PATH).await;
    let list = match answer {
        Err(Failure::Unreachable(error)) => {
            let other = "`--config FILE` lists the policies of a configuration without an engine";
            return Err(Failure::Unreachable(anyhow!("{error:#}; {other}")));
        }
        answer => answer?,
    };
    match format {
        Format::People(detail) => {
            let mut screen = Screen::of_stdout();
            if *detail == Detail::Wide {
                screen.width = None;
            }
            if let Some(line) = refused_reload(&list) {
                printer::note(&line);
            }
            printer::page(&table(&list, *detail).shown(screen))?;
        }
        Format::Data(data) => printer::data(&data.shown(&list)?)?,
    }
    Ok(())
}

fn table(list: &Value, detail: Detail) -> Table {
    let mut columns = ["NAME", "ROLE", "ROLLOUT", "STANDING"].map(Column::whole).to_vec();
    let is_wide = detail == Detail::Wide;
    columns.extend(
        ["SINCE", "SHA256", "PARAMS"]
            .map(Column::whole)
            .into_iter()
            .filter(|_| is_wide),
    );
    columns.extend([Column::cut("MODULE", 20), Column::sentence("SUMMARY")]);
    let mut table = Table::new(columns);
    for policy in list.get("items").and_then(Value::as_array).into_iter().flatten() {
        let standing = text(policy, "/standing");
        let style = match standing {
            "as-configured" => PLAIN,
            "unusable" => BAD,
            _ => DOUBT,
        };
        let mut row: Vec<Cell> = ["/name", "/role", "/rollout"]
            .map(|key| text(policy, key).into())
            .to_vec();
        row.push(Cell::styled(standing, style));
        if is_wide {
            row.extend(["/since", "/sha256"].map(|key| Cell::from(text(policy, key))));
            row.push(policy.get("params").map_or_else(String::new, Value::to_string).into());
        }
        row.push(text(policy, "/module").into());
        // Why it is not as configured says more than what it is.
        let note = policy.get("note").and_then(Value::as_str);
        row.push(note.unwrap_or_else(|| text(policy, "/description")).into());
        table.row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_is_not_as_configured_says_why() {
        let policy = |name: &str| {
            json!({ "name": name, "role": "decides", "rollout": "100%", "module": "builtin:conservative",
            "standing": "as-configured", "description": "It waits.", "since": "2026-11-23T01:13:29Z", "sha256": "ab", "params": {} })
        };
        let mut outdated = policy("team");
        (outdated["standing"], outdated["note"]) = (json!("outdated"), json!("the file is gone"));
        let list = json!({ "items": [policy("default"), outdated] });
        let expected = "\
NAME      ROLE      ROLLOUT   STANDING        MODULE                 SUMMARY
default   decides   100%      as-configured   builtin:conservative   It waits.
team      decides   100%      outdated        builtin:conservative   the file is gone
";
        assert_eq!(table(&list, Detail::Usual).shown(Screen::default()), expected);
        assert!(table(&list, Detail::Wide).shown(Screen::default()).contains("SHA256"));
    }

    #[test]
    fn what_was_refused_is_said_above_those_of_before() {
        let reload = |result: &str| json!({ "items": [], "lastReload": { "result": result, "at": "now", "message": "no module" } });
        assert_eq!(refused_reload(&reload("done")), None);
        let line = refused_reload(&reload("refused")).unwrap();
        assert!(line.contains("refused now") && line.contains("no module"), "{line}");
    }
}
