//! A history as a table (RFC 4180), for spreadsheets.

use steadfast_core::alert::AlertEvent;
use steadfast_core::call::{AskedSilence, Call};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::journal::{Entry, Event, Row, Transition};

const HEAD: [&str; 12] = [
    "sequence",
    "at",
    "job",
    "kind",
    "from",
    "to",
    "confidence",
    "alert",
    "status",
    "by",
    "message",
    "silenced",
];

/// A line of the table: its cells, those that it has.
#[derive(Debug, Default)]
struct Line {
    sequence: u64,
    at: String,
    job: String,
    kind: &'static str,
    from: &'static str,
    to: &'static str,
    confidence: &'static str,
    alert: String,
    status: &'static str,
    by: String,
    message: String,
    /// `true` of an alert that nobody was told of.
    silenced: &'static str,
}

/// The table of rows, with the names of its columns in the first line.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = String::new();
    write_line(&mut table, &HEAD);
    for row in rows {
        let line = match row {
            Row::Entry(entry) => Line::of(entry),
            Row::Unreadable(unreadable) => Line {
                sequence: unreadable.sequence.0,
                job: ForeignText::new(&unreadable.job).into(),
                kind: "unreadable",
                message: unreadable.why.clone(),
                ..Line::default()
            },
        };
        line.write(&mut table);
    }
    table
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let bare = Self {
            sequence: entry.sequence.0,
            at: entry.at.to_string(),
            job: entry.key.to_string(),
            kind: entry.event.kind().as_str(),
            ..Self::default()
        };
        match &entry.event {
            Event::Transition(transition) => bare.with_transition(transition),
            Event::Alert(alert) => bare.with_alert(alert),
            Event::Called(call) => bare.with_call(call),
            Event::Update(confidence) => Self {
                confidence: confidence.map_or("", |confidence| confidence.as_str()),
                ..bare
            },
            Event::Forgotten => bare,
        }
    }

    fn with_transition(self, transition: &Transition) -> Self {
        Self {
            from: transition.from.as_str(),
            to: transition.to.as_str(),
            confidence: transition.confidence.as_str(),
            message: format!("{}: {}", transition.reason.code, transition.reason.message),
            ..self
        }
    }

    fn with_alert(self, alert: &AlertEvent) -> Self {
        Self {
            alert: alert.alert.clone(),
            silenced: if alert.silenced { "true" } else { "" },
            status: alert.status.as_str(),
            message: alert.message.clone(),
            ..self
        }
    }

    /// By whom, as they showed it, else as they said.
    fn with_call(self, call: &Call) -> Self {
        // What an earlier build took in may hold anything.
        let harmless = |text: &str| -> String { ForeignText::new(text).into() };
        let by = call.by.as_deref().or(call.says.as_deref());
        let message = match &call.silence {
            None => call.asked.as_str().to_owned(),
            Some(AskedSilence { until, comment: None }) => format!("{} until {until}", call.asked),
            Some(AskedSilence {
                until,
                comment: Some(comment),
            }) => format!("{} until {until}: {comment}", call.asked),
        };
        Self {
            alert: call.alert.as_deref().map(harmless).unwrap_or_default(),
            by: by.map(harmless).unwrap_or_default(),
            message: harmless(&message),
            ..self
        }
    }

    fn write(&self, table: &mut String) {
        let sequence = self.sequence.to_string();
        let cells: [&str; HEAD.len()] = [
            &sequence,
            &self.at,
            &self.job,
            self.kind,
            self.from,
            self.to,
            self.confidence,
            &self.alert,
            self.status,
            &self.by,
            &self.message,
            self.silenced,
        ];
        write_line(table, &cells);
    }
}

fn write_line(table: &mut String, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            table.push(',');
        }
        write_cell(table, cell);
    }
    table.push_str("\r\n");
}

/// A cell. What a spreadsheet would run as a formula is text with an apostrophe in front: names and messages come from outside.
fn write_cell(table: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let is_quoted = cell.contains([',', '"', '\r', '\n']);
    if is_quoted {
        table.push('"');
    }
    if is_formula {
        table.push('\'');
    }
    for character in cell.chars() {
        if character == '"' {
            table.push('"');
        }
        table.push(character);
    }
    if is_quoted {
        table.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut table = String::new();
        write_cell(&mut table, text);
        table
    }

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let written = cell(formula);
            assert!(written.trim_start_matches('"').starts_with('\''), "{written}");
        }
        assert_eq!(cell("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
        assert_eq!(cell("-/-/orders"), "'-/-/orders");
    }

    #[test]
    fn what_would_end_a_cell_is_quoted() {
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
        assert_eq!(cell("plain = text"), "plain = text");
    }
}
