//! Whether tables and indexes are those that this version makes, and nothing else is in the file.
//!
//! What belongs there is asked of SQLite itself: an empty store is made in memory, and the two are compared. A trigger of somebody
//! else's could change what is written, a view could stand in for a table, an index could refuse rows: connections of ours run no
//! trigger and read no view (`opening.rs`), and a repair drops all three. The copy that it makes first has them.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use steadfast_core::foreign_text::ForeignText;

use super::SqliteFailure;
use super::records::text;
use super::schema;

/// Something of `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// `table`, `index`, `view`, `trigger`.
    kind: String,
    name: String,
    table: String,
    sql: String,
}

/// What is not as it is made.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    /// The tables are those of one version, and the number says another.
    Version { says: i32, stands: i32 },
    /// One of ours is not there.
    Missing(Object),
    /// A table of ours that is not there, under another name.
    Renamed { ours: Object, is: String },
    /// One of ours, and not as it is made.
    Altered { ours: Object, lacks: Vec<String> },
    /// None of ours.
    Foreign { object: Object, hinders: bool },
}

const REPAIR: &str = "stop the engine; `steadfast store repair` mends it, after a copy";
const DROP: &str = "stop the engine; `steadfast store repair` drops it, after a copy";

impl Flaw {
    pub(super) fn place(&self) -> String {
        match self {
            Self::Version { .. } => "the version of the schema".to_owned(),
            Self::Missing(object) | Self::Altered { ours: object, .. } | Self::Renamed { ours: object, .. } => {
                object.called()
            }
            Self::Foreign { object, .. } => object.called(),
        }
    }

    pub(super) fn what(&self) -> String {
        match self {
            Self::Version { says, stands } => format!("it is {says}, and the tables are those of version {stands}"),
            Self::Missing(_) => "it is missing".to_owned(),
            Self::Renamed { is, .. } => format!("it is missing, and the table {} has its columns", shown(is)),
            Self::Altered { lacks, .. } if lacks.is_empty() => "it is not as Steadfast makes it".to_owned(),
            Self::Altered { lacks, .. } => format!("it lacks {}", lacks.join(", ")),
            Self::Foreign { object, hinders } => {
                let on = shown(&object.table);
                match object.kind.as_str() {
                    "trigger" => format!("it is not Steadfast's, and stands on {on}; the engine lets none run"),
                    "view" => "it is not Steadfast's; the engine reads none".to_owned(),
                    "index" if *hinders => format!("it is not Steadfast's, and can keep rows out of {on}"),
                    "index" => format!("it is not Steadfast's, and stands on {on}"),
                    _ => "it is not Steadfast's; the engine reads none but its own".to_owned(),
                }
            }
        }
    }

    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => DROP,
            Self::Version { .. } | Self::Missing(_) | Self::Renamed { .. } | Self::Altered { .. } => REPAIR,
        }
    }

    /// The table that cannot be read for it.
    pub(super) fn unreadable_table(&self) -> Option<&str> {
        match self {
            Self::Missing(ours) | Self::Renamed { ours, .. } if ours.kind == "table" => Some(&ours.name),
            Self::Altered { ours, lacks } if ours.kind == "table" && !lacks.is_empty() => Some(&ours.name),
            Self::Version { .. }
            | Self::Missing(_)
            | Self::Renamed { .. }
            | Self::Altered { .. }
            | Self::Foreign { .. } => None,
        }
    }

    /// When a repair comes to it: what stands on tables goes before them, and names are free before they are taken.
    fn turn(&self) -> u8 {
        match self {
            Self::Version { .. } => 0,
            Self::Foreign { object, .. } if object.kind != "table" => 1,
            Self::Renamed { .. } => 2,
            Self::Foreign { .. } => 3,
            Self::Altered { .. } | Self::Missing(_) => 4,
        }
    }

    /// Whether no engine can go on with it.
    pub(super) fn hinders(&self) -> bool {
        match self {
            Self::Version { .. } | Self::Renamed { .. } => true,
            Self::Missing(ours) => ours.kind == "table",
            Self::Altered { ours, lacks } => ours.kind == "table" && !lacks.is_empty(),
            Self::Foreign { hinders, .. } => *hinders,
        }
    }
}

impl Object {
    fn called(&self) -> String {
        format!("the {} {}", shown(&self.kind), shown(&self.name))
    }

    fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }
}

/// A name that somebody else gave.
fn shown(name: &str) -> String {
    ForeignText::from(name.to_owned()).to_string()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All but what SQLite keeps for itself.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut select = connection.prepare(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Object {
            kind: text(row.get_ref(0)?),
            name: text(row.get_ref(1)?),
            table: text(row.get_ref(2)?),
            sql: match row.get_ref(3)? {
                ValueRef::Text(sql) => String::from_utf8_lossy(sql).into_owned(),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => String::new(),
            },
        });
    }
    Ok(all)
}

/// What an empty store of a version has.
fn made(version: i32) -> rusqlite::Result<(Connection, Vec<Object>)> {
    let mut empty = Connection::open_in_memory()?;
    schema::migrate_to(&mut empty, version)?;
    let objects = objects(&empty)?;
    Ok((empty, objects))
}

/// A statement without what makes no difference: comments, white space and quotes.
fn bare(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let kept = |c: &char| !c.is_whitespace() && !matches!(c, '"' | '`' | '[' | ']');
    lines.flat_map(str::chars).filter(kept).collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = select.query_map([table], |row| Ok(text(row.get_ref(0)?)))?;
    names.collect()
}

/// Which version the tables are of, whatever the number says: the latest of which one is there.
pub(super) fn standing(connection: &Connection) -> rusqlite::Result<i32> {
    let mut stands = schema::version(connection)?;
    for (name, since) in schema::TABLES {
        let is_there: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
            [name],
            |row| row.get(0),
        )?;
        if is_there {
            stands = stands.max(*since);
        }
    }
    Ok(stands)
}

/// Everything that is not as this version makes it.
pub(super) fn find(connection: &Connection) -> rusqlite::Result<Vec<Flaw>> {
    let (says, stands) = (schema::version(connection)?, standing(connection)?);
    let mut flaws = Vec::new();
    if says != stands {
        flaws.push(Flaw::Version { says, stands });
    }
    let (empty, ours) = made(stands)?;
    let mut theirs = objects(connection)?;
    for object in ours {
        let Some(place) = theirs.iter().position(|other| other.is(&object)) else {
            flaws.push(missing(connection, &empty, object, &mut theirs)?);
            continue;
        };
        let found = theirs.swap_remove(place);
        if bare(&found.sql) != bare(&object.sql) {
            let lacks = lacking(connection, &empty, &object.name)?;
            flaws.push(Flaw::Altered { ours: object, lacks });
        }
    }
    for object in theirs {
        let hinders = object.kind == "index" && refuses(connection, &object)?;
        flaws.push(Flaw::Foreign { object, hinders });
    }
    Ok(flaws)
}

/// What of a table has to be there and is not, for rows to be written and read as ever.
fn lacking(connection: &Connection, empty: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let traits = |connection: &Connection| -> rusqlite::Result<Vec<(String, String)>> {
        // An added column keeps no row out if it can do without a value.
        let mut select = connection.prepare(
            "SELECT name, type || ' ' || \"notnull\" || ' ' || pk FROM pragma_table_info(?1)
             UNION ALL SELECT 'STRICT', strict FROM pragma_table_list(?1) WHERE strict
             UNION ALL SELECT 'a default of ' || name, '' FROM pragma_table_info(?1) WHERE \"notnull\" AND dflt_value IS NULL",
        )?;
        let rows = select.query_map([table], |row| Ok((text(row.get_ref(0)?), text(row.get_ref(1)?))))?;
        rows.collect()
    };
    let (has, wanted) = (traits(connection)?, traits(empty)?);
    let is_default = |name: &str| name.starts_with("a default of ");
    let lost = wanted.iter().filter(|one| !has.contains(one) && !is_default(&one.0));
    let added = has.iter().filter(|one| !wanted.contains(one) && is_default(&one.0));
    Ok(lost.chain(added).map(|(name, _)| shown(name)).collect())
}

/// A table that is not there may have been renamed: one that has its columns is it.
fn missing(
    connection: &Connection,
    empty: &Connection,
    ours: Object,
    theirs: &mut Vec<Object>,
) -> rusqlite::Result<Flaw> {
    if ours.kind == "table" {
        let wanted = columns(empty, &ours.name)?;
        for (place, other) in theirs.iter().enumerate() {
            if other.kind == "table" && columns(connection, &other.name)? == wanted {
                let is = theirs.swap_remove(place).name;
                return Ok(Flaw::Renamed { ours, is });
            }
        }
    }
    Ok(Flaw::Missing(ours))
}

/// Whether an index can keep a row out: one that is unique, or of what has to be computed.
fn refuses(connection: &Connection, index: &Object) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE name = ?2 AND (\"unique\" OR partial))
             OR EXISTS (SELECT 1 FROM pragma_index_xinfo(?2) WHERE cid = -2)",
        [&index.table, &index.name],
        |row| row.get(0),
    )
}

/// Makes everything as this version makes it, in one transaction. Rows of our tables stay.
pub(super) fn mend(connection: &mut Connection, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let mut flaws = find(connection)?;
    if flaws.is_empty() {
        return Ok(());
    }
    flaws.sort_by_key(Flaw::turn);
    let write = connection.transaction()?;
    for flaw in &flaws {
        match flaw {
            Flaw::Version { stands, .. } => {
                write.pragma_update(None, "user_version", stands)?;
                done.push(format!("the version of the schema is {stands} now, as its tables are"));
            }
            Flaw::Foreign { object, .. } => drop_foreign(&write, object, done)?,
            Flaw::Renamed { ours, is } => {
                write.execute_batch(&format!("ALTER TABLE {} RENAME TO {}", quoted(is), ours.name))?;
                done.push(format!("{} has its name back, from {}", ours.called(), shown(is)));
            }
            Flaw::Altered { ours, .. } if ours.kind == "table" => rebuild(&write, ours, done)?,
            Flaw::Altered { ours, .. } => write.execute_batch(&format!("DROP INDEX {}", quoted(&ours.name)))?,
            Flaw::Missing(ours) if ours.kind == "table" => {
                write.execute_batch(&ours.sql)?;
                done.push(format!("{} was missing, and is made anew, empty", ours.called()));
            }
            Flaw::Missing(_) => {}
        }
    }
    // Those of tables that were made anew, and those that were missing before.
    for flaw in find(&write)? {
        if let Flaw::Missing(index) = flaw {
            write.execute_batch(&index.sql)?;
            done.push(format!("{} is made anew", index.called()));
        }
    }
    write.commit()?;
    Ok(())
}

fn drop_foreign(write: &Connection, object: &Object, done: &mut Vec<String>) -> rusqlite::Result<()> {
    // Whatever its kind is called, it is one of these.
    let kind = match object.kind.as_str() {
        "table" => "TABLE",
        "view" => "VIEW",
        "trigger" => "TRIGGER",
        _ => "INDEX",
    };
    write.execute_batch(&format!("DROP {kind} IF EXISTS {}", quoted(&object.name)))?;
    done.push(format!("{} is dropped: it is not Steadfast's", object.called()));
    Ok(())
}

/// Makes a table of ours as it should be, with the rows and the numbering that it had.
fn rebuild(write: &Connection, ours: &Object, done: &mut Vec<String>) -> rusqlite::Result<()> {
    let Object { name, sql, .. } = ours;
    let old = format!("{name}_before_repair");
    let given: Option<i64> = write.query_row(
        "SELECT max(seq) FROM sqlite_sequence WHERE name = ?1 AND typeof(seq) = 'integer'",
        [name],
        |row| row.get(0),
    )?;
    let had = columns(write, name)?;
    write.execute_batch(&format!("ALTER TABLE {name} RENAME TO {old}; {sql}"))?;
    let (names, values) = carried_over(write, name, &had)?;
    let rows: i64 = write.query_row(&format!("SELECT count(*) FROM {old}"), [], |row| row.get(0))?;
    let insert = format!("INSERT OR IGNORE INTO {name} ({names}) SELECT {values} FROM {old}");
    let carried = write.execute(&insert, [])?;
    write.execute_batch(&format!("DROP TABLE {old}"))?;
    if let Some(given) = given {
        write.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
            (name, given),
        )?;
    }
    done.push(match rows.saturating_sub(i64::try_from(carried).unwrap_or(i64::MAX)) {
        0 => format!("{} is made anew, with all of its rows", ours.called()),
        lost => format!(
            "{} is made anew; {lost} of its {rows} rows do not fit into it, and the backup alone has them",
            ours.called()
        ),
    });
    Ok(())
}

/// The columns of a table, and what to fill them with from one that `had` these. What has no value gets one that says nothing: where
/// a document tells it, the mending of rows has it follow the document.
fn carried_over(write: &Connection, table: &str, had: &[String]) -> rusqlite::Result<(String, String)> {
    let mut select = write.prepare("SELECT name, type, \"notnull\" OR pk FROM pragma_table_info(?1)")?;
    let mut rows = select.query([table])?;
    let (mut names, mut values) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (name, kind, is_needed) = (text(row.get_ref(0)?), text(row.get_ref(1)?), row.get::<_, bool>(2)?);
        let value = match (had.contains(&name), kind.as_str()) {
            (true, "ANY") => name.clone(),
            (true, kind) => format!("CAST({name} AS {kind})"),
            (false, _) => "NULL".to_owned(),
        };
        let nothing = match kind.as_str() {
            // It is beyond what is counted, so that nobody takes it for one that was there.
            "INTEGER" => "9223372036854775807",
            "BLOB" => "x''",
            _ => "''",
        };
        values.push(if is_needed {
            format!("ifnull({value}, {nothing})")
        } else {
            value
        });
        names.push(name);
    }
    Ok((names.join(", "), values.join(", ")))
}
