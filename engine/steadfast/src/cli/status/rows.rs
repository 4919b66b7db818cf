//! Jobs as rows of a table.

use serde_json::Value;
use steadfast_core::time::Timestamp;

use super::text;
use crate::cli::age::age;
use crate::cli::output::Detail;
use crate::cli::screen::{BAD, DOUBT, PLAIN, of_severity, of_state};
use crate::cli::table::{Cell, Column, Table};

/// A job in a line each. Intents and alerts have a column where there are any, so that the table stays narrow.
pub(in crate::cli) fn table(items: &[Value], detail: Detail, now: Timestamp) -> Table {
    let any = |of: fn(&Value) -> String| items.iter().any(|item| !of(item).is_empty());
    let (has_alerts, has_conditions, has_intents) = (any(alerts), any(conditions), any(intent));
    let is_wide = detail == Detail::Wide;
    let mut columns = vec![
        Column::whole("JOB"),
        Column::whole("STATE"),
        Column::whole("CONFIDENCE"),
        Column::whole("AGE"),
    ];
    let more = ["SEVERITY", "SINCE", "ATTEMPT", "FLINK-JOB", "POLICY", "LABELS"].map(Column::whole);
    columns.extend(more.into_iter().filter(|_| is_wide));
    columns.extend(has_alerts.then_some(Column::cut("ALERTS", 12)));
    columns.extend(has_conditions.then_some(Column::cut("CONDITIONS", 12)));
    columns.extend(has_intents.then_some(Column::whole("INTENT")));
    columns.push(Column::sentence("REASON"));
    let mut table = Table::new(columns);
    for item in items {
        let state = text(item, "/state");
        let mut row: Vec<Cell> = vec![
            text(item, "/id").into(),
            Cell::styled(state, of_state(state)),
            confidence(item),
            age(text(item, "/since"), now).into(),
        ];
        if is_wide {
            let severity = text(item, "/severity");
            row.push(Cell::styled(severity, of_severity(severity)));
            row.push(text(item, "/since").into());
            row.push(
                item.pointer("/attempt")
                    .map_or_else(String::new, Value::to_string)
                    .into(),
            );
            row.push(text(item, "/flinkJobId").into());
            row.push(text(item, "/policy").into());
            row.push(labels(item).into());
        }
        row.extend(has_alerts.then(|| Cell::styled(&alerts(item), BAD)));
        row.extend(has_conditions.then(|| Cell::styled(&conditions(item), DOUBT)));
        row.extend(has_intents.then(|| intent(item).into()));
        row.push(text(item, "/reason/message").into());
        table.row(row);
    }
    table
}

/// What a person can see of a job: as long as that is the same, nothing has happened to it that they should read again.
pub(super) fn seen(item: &Value) -> String {
    let parts = [
        text(item, "/state").to_owned(),
        text(item, "/confidence").to_owned(),
        alerts(item),
        conditions(item),
        intent(item),
        text(item, "/reason/message").to_owned(),
        item.pointer("/attempt").map_or_else(String::new, Value::to_string),
    ];
    parts.join("\n")
}

pub(super) fn confidence(item: &Value) -> Cell {
    let word = text(item, "/confidence");
    Cell::styled(word, if word == "confirmed" { PLAIN } else { DOUBT })
}

/// Those that stand; what is silenced is marked.
pub(in crate::cli) fn alerts(item: &Value) -> String {
    let all = item.pointer("/alerts").and_then(Value::as_array).into_iter().flatten();
    let name = |alert: &Value| match alert.get("silencedUntil") {
        Some(Value::String(_)) => format!("({})", text(alert, "/alert")),
        _ => text(alert, "/alert").to_owned(),
    };
    all.map(name).collect::<Vec<_>>().join(",")
}

pub(in crate::cli) fn conditions(item: &Value) -> String {
    let all = item
        .pointer("/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    all.map(|one| text(one, "/type")).collect::<Vec<_>>().join(",")
}

fn intent(item: &Value) -> String {
    let intent = item.pointer("/intent/intent").and_then(Value::as_str);
    // One that was taken back is none.
    intent.filter(|intent| *intent != "none").unwrap_or_default().to_owned()
}

fn labels(item: &Value) -> String {
    let labels = item.pointer("/labels").and_then(Value::as_object);
    let pair = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
    labels.into_iter().flatten().map(pair).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::screen::Screen;

    fn shown(items: &[Value], detail: Detail) -> String {
        let now = Timestamp::parse("2026-11-23T01:13:29Z").unwrap();
        table(items, detail, now).shown(Screen::default())
    }

    #[test]
    fn alerts_conditions_and_intents_have_a_column_where_there_are_any() {
        let job =
            |alerts: Value, intent: Value| json!({"id": "prod/default/orders", "alerts": alerts, "intent": intent});
        let plain = shown(&[job(json!([]), Value::Null)], Detail::Usual);
        for left in ["ALERTS", "INTENT", "CONDITIONS"] {
            assert!(!plain.contains(left), "{plain}");
        }
        let alerts =
            json!([{"alert": "JobFailed"}, {"alert": "NoCheckpoint", "silencedUntil": "2026-11-24T00:00:00Z"}]);
        let items = [job(alerts, Value::Null), job(json!([]), json!({"intent": "cancel"}))];
        let told = shown(&items, Detail::Usual);
        for said in ["ALERTS", "JobFailed,(NoCheckpoint)", "INTENT", "cancel"] {
            assert!(told.contains(said), "{told}");
        }
    }

    #[test]
    fn a_job_has_its_age_and_in_the_wide_table_all_the_rest() {
        let job = json!({
            "id": "prod/default/orders", "state": "FAILED", "confidence": "stale", "since": "2026-11-23T01:09:29Z", "attempt": 3,
            "flinkJobId": "ab", "policy": "default", "labels": {"team": "pay"}, "reason": {"message": "it ended"},
        });
        let usual = "JOB                   STATE    CONFIDENCE   AGE   REASON\n\
                     prod/default/orders   FAILED   stale        4m    it ended\n";
        let job = std::slice::from_ref(&job);
        assert_eq!(shown(job, Detail::Usual), usual);
        let wide = shown(job, Detail::Wide);
        for said in [
            "2026-11-23T01:09:29Z",
            "3         ab          default   team=pay   it ended",
        ] {
            assert!(wide.contains(said), "{wide}");
        }
    }
}
