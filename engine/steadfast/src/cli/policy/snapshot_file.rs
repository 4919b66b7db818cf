//! A snapshot in a file, in each form in which one is given: what `explain --output json` prints, what `policy snapshot` takes
//! out of a recording, what a recording holds, and a fixture.

use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use steadfast_core::snapshot::Snapshot;
use steadfast_server::explain;

use super::super::printer;
use crate::config::MAX_TEXT;

/// The key of the snapshot, and two that every snapshot has.
const SNAPSHOT: &str = "snapshot";
const OF_A_SNAPSHOT: [&str; 2] = ["now", "record"];
/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// How alike two keys are of which one may be meant by the other.
const ALIKE: f64 = 0.8;

/// A snapshot, and what stands beside it.
#[derive(Debug)]
pub(super) struct SnapshotFile {
    /// How messages call it.
    pub(super) name: String,
    pub(super) snapshot: Snapshot,
    beside: Map<String, Value>,
}

impl SnapshotFile {
    /// Reads a file, or standard input for `-`. What is wrong is told with the key at which it is.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let name = if is_standard_input(path) {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let found = text(path).and_then(|text| Self::of(name.clone(), &text));
        found.map_err(|mistake| format!("{name}: {mistake}"))
    }

    fn of(name: String, text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let Value::Object(mut beside) = document else {
            return Err(nowhere());
        };
        let (place, given) = match beside.remove(SNAPSHOT) {
            Some(given) => (SNAPSHOT, given),
            None if OF_A_SNAPSHOT.iter().any(|key| beside.contains_key(*key)) => {
                ("", Value::Object(std::mem::take(&mut beside)))
            }
            None => return Err(nowhere()),
        };
        let snapshot: explain::Snapshot = at(place, &given)?;
        note_what_is_left_aside(&name, place, &given, &snapshot);
        Ok(Self {
            name,
            snapshot: snapshot.into(),
            beside,
        })
    }

    /// What stands beside the snapshot under a key; `None` if nothing does.
    pub(super) fn part<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, String> {
        let part = self.beside.get(key).map(|part| at(key, part));
        part.transpose().map_err(|mistake| format!("{}: {mistake}", self.name))
    }
}

/// Whether a path stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

fn nowhere() -> String {
    "there is no `snapshot` in it; give what `steadfast explain JOB --output json` or `steadfast policy snapshot` prints, or a \
     fixture, which has \"snapshot\" and \"expect\""
        .to_owned()
}

fn text(path: &Path) -> Result<String, String> {
    if !is_standard_input(path) {
        return steadfast_files::read_text(path, MAX_TEXT).map_err(|error| error.to_string());
    }
    let mut text = String::new();
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    let read = std::io::stdin()
        .lock()
        .take(limit.saturating_add(1))
        .read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    if text.len() > MAX_TEXT {
        return Err(format!("it holds more than {MAX_TEXT} bytes"));
    }
    Ok(text)
}

/// Reads what stands at a place.
fn at<T: DeserializeOwned>(place: &str, value: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = match (place, path.as_str()) {
            ("", ".") => return error.into_inner().to_string(),
            (place, ".") => place.to_owned(),
            ("", path) => path.to_owned(),
            (place, path) => format!("{place}.{path}"),
        };
        format!("`{path}`: {}", error.into_inner())
    })
}

/// A key that nobody knows may be another one, misspelt. It may also be what a later engine shows, so it is no mistake.
fn note_what_is_left_aside(name: &str, place: &str, given: &Value, read: &explain::Snapshot) {
    let (Ok(read), Ok(schema)) = (serde_json::to_value(read), explain::snapshot_schema()) else {
        return;
    };
    let known = schema.keys();
    let mut unknown = Vec::new();
    walk(given, &read, place, &mut |path, key| {
        if !known.contains(key) {
            unknown.push((path, key.to_owned()));
        }
    });
    for (path, key) in unknown {
        let near = known.iter().map(|word| (strsim::jaro_winkler(&key, word), word));
        let near = near
            .filter(|(likeness, _)| *likeness > ALIKE)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let near = near.map_or_else(String::new, |(_, word)| format!("; did you mean `{word}`?"));
        printer::note(&format!(
            "{name}: `{path}` is no key of a snapshot, and was left aside{near}"
        ));
    }
}

/// Tells each key that was given and is not there once it is read.
fn walk(given: &Value, read: &Value, place: &str, tell: &mut dyn FnMut(String, &str)) {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            for (key, value) in given {
                let path = if place.is_empty() {
                    key.clone()
                } else {
                    format!("{place}.{key}")
                };
                match read.get(key) {
                    Some(read) => walk(value, read, &path, tell),
                    None => tell(path, key),
                }
            }
        }
        (Value::Array(given), Value::Array(read)) => {
            for (at, (given, read)) in given.iter().zip(read).enumerate() {
                walk(given, read, &format!("{place}[{at}]"), tell);
            }
        }
        // What is written in another form, such as bytes as numbers, has no keys of its own.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/explain/v1.jsonl"));
    const RECORDED: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../store/tests/formats/v1/recordings.jsonl"
    ));

    fn read(document: &Value) -> Result<Snapshot, String> {
        SnapshotFile::of("it".to_owned(), &document.to_string()).map(|file| file.snapshot)
    }

    fn documents(lines: &str) -> Vec<Value> {
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn each_form_is_read_as_it_is_given() {
        let (shown, recorded) = (documents(SHOWN), documents(RECORDED));
        assert!(shown.len() == recorded.len() && !shown.is_empty());
        for (shown, recorded) in shown.iter().zip(&recorded) {
            let expected = read(shown).unwrap();
            let fixture = serde_json::json!({ "snapshot": shown["snapshot"], "expect": { "state": "RUNNING" } });
            for document in [recorded, &recorded["snapshot"], &shown["snapshot"], &fixture] {
                assert_eq!(read(document).as_ref(), Ok(&expected));
            }
        }
    }

    #[test]
    fn nothing_that_is_shown_or_recorded_is_left_aside() {
        let schema = explain::snapshot_schema().unwrap();
        let known = schema.keys();
        for document in documents(SHOWN).iter().chain(&documents(RECORDED)) {
            let given = &document["snapshot"];
            let read: explain::Snapshot = at("", given).unwrap();
            let read = serde_json::to_value(read).unwrap();
            walk(given, &read, "", &mut |path, key| {
                assert!(known.contains(key), "{path}")
            });
            let mut misspelt = given.clone();
            let flink = misspelt.as_object_mut().unwrap().remove("flink").unwrap();
            misspelt["flnk"] = flink;
            let mut found = Vec::new();
            walk(&misspelt, &read, "", &mut |path, key| {
                found.extend((!known.contains(key)).then_some(path))
            });
            assert_eq!(found, ["flnk"]);
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_key() {
        let first = documents(SHOWN).remove(0);
        let broken = |pointer: &str, value: Value| {
            let mut document = first.clone();
            *document.pointer_mut(pointer).unwrap() = value;
            read(&document).unwrap_err()
        };
        for (pointer, value, expected) in [
            (
                "/snapshot/timing/poll",
                "5s".into(),
                "`snapshot.timing.poll`: neither seconds",
            ),
            (
                "/snapshot/record/memory",
                7.into(),
                "`snapshot.record.memory`: neither hex digits",
            ),
            (
                "/snapshot/record/state",
                "RUNING".into(),
                "`snapshot.record.state`: unknown variant `RUNING`",
            ),
            (
                "/snapshot/now",
                "noon".into(),
                "`snapshot.now`: `noon` is not an RFC 3339 time",
            ),
            ("/snapshot", Value::Null, "`snapshot`: invalid type: null"),
        ] {
            let mistake = broken(pointer, value);
            assert!(mistake.starts_with(expected), "{mistake}");
        }
        assert!(
            read(&serde_json::json!({ "expect": {} }))
                .unwrap_err()
                .contains("no `snapshot` in it")
        );
        assert!(SnapshotFile::of("it".to_owned(), "{").unwrap_err().contains("line 1"));
    }
}
