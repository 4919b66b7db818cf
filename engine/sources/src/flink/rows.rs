//! Cuts `{"jobs":[...]}` into its rows while its bytes arrive.
//!
//! The list of a large session cluster has tens of megabytes, of which a few facts a row are kept. So no more of it is
//! ever held than one row, up to [`Bounds::row`]; a larger one is followed to its end, unread. Wherever the body is
//! cut into chunks, the same comes out.

mod value;

use serde::de::IgnoredAny;

use value::Value;

/// How much of a body is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The most that is held of one row, in bytes.
    pub(super) row: usize,
    /// The most rows.
    pub(super) rows: usize,
    /// The most bytes in all.
    pub(super) bytes: usize,
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row<'a> {
    /// Its text: whatever stands between two commas, which need not be JSON.
    Text(&'a [u8]),
    /// It exceeds [`Bounds::row`].
    TooLarge,
}

/// Why a body is not such a list, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoList {
    /// Something else than such a list.
    Malformed(String),
    /// More than is read.
    TooLarge(String),
}

/// What stands next, white space aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// `{`
    Body,
    /// A member's name, or the body's end.
    FirstName,
    /// A member's name.
    Name,
    /// The colon behind a name.
    Colon(Member),
    /// A member's value.
    Value,
    /// `[`
    List,
    /// A row, or the list's end.
    FirstRow,
    /// A row.
    Row,
    /// A comma, or the list's end.
    RowEnd,
    /// A comma, or the body's end.
    MemberEnd,
    /// Nothing any more.
    Nothing,
}

/// Of which member a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Jobs,
    Other,
}

/// What a value that is being read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Other,
    Row,
}

/// A list that is being read.
#[derive(Debug)]
pub(super) struct Rows {
    bounds: Bounds,
    next: Next,
    open: Option<(Part, Value)>,
    /// The open value, as far as it came in earlier chunks, unless it is too large.
    held: Vec<u8>,
    has_list: bool,
    rows: usize,
    bytes: usize,
}

impl Rows {
    /// A list of which nothing has come.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            next: Next::Body,
            open: None,
            held: Vec::new(),
            has_list: false,
            rows: 0,
            bytes: 0,
        }
    }

    /// Takes in the next bytes and gives out each row that ends in them. Nothing counts once this has failed.
    pub(super) fn take(
        &mut self,
        chunk: &[u8],
        mut row: impl FnMut(Row<'_>) -> Result<(), NoList>,
    ) -> Result<(), NoList> {
        self.bytes = self.bytes.saturating_add(chunk.len());
        if self.bytes > self.bounds.bytes {
            return Err(too_large("the body", self.bounds.bytes, "bytes"));
        }
        let mut rest = chunk;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.open.is_some() {
                rest = self.go_on(rest, &mut row)?;
            } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                rest = behind;
            } else if self.begins_value(byte)? {
                continue;
            } else {
                self.pass(byte)?;
                rest = behind;
            }
        }
        Ok(())
    }

    /// The body has ended. Fails if the list has not.
    pub(super) fn finish(self) -> Result<(), NoList> {
        if self.next != Next::Nothing {
            let message = format!("it ends in the middle, after {} bytes", self.bytes);
            return Err(NoList::Malformed(message));
        }
        if !self.has_list {
            return Err(NoList::Malformed("there is no member `jobs`".to_owned()));
        }
        Ok(())
    }

    /// Opens the value that begins with this byte, if one is due here.
    fn begins_value(&mut self, byte: u8) -> Result<bool, NoList> {
        let part = match (self.next, byte) {
            (Next::FirstName, b'}') | (Next::FirstRow, b']') => return Ok(false),
            (Next::FirstName | Next::Name, b'"') => Part::Name,
            (Next::Value, _) => Part::Other,
            (Next::FirstRow | Next::Row, _) => Part::Row,
            (
                Next::FirstName
                | Next::Name
                | Next::Body
                | Next::Colon(_)
                | Next::List
                | Next::RowEnd
                | Next::MemberEnd
                | Next::Nothing,
                _,
            ) => return Ok(false),
        };
        if part == Part::Row {
            self.rows += 1;
            if self.rows > self.bounds.rows {
                return Err(too_large("the list", self.bounds.rows, "rows"));
            }
        }
        self.open = Some((part, Value::default()));
        Ok(true)
    }

    /// Passes what stands between two values.
    fn pass(&mut self, byte: u8) -> Result<(), NoList> {
        self.next = match (self.next, byte) {
            (Next::Body, b'{') => Next::FirstName,
            (Next::FirstName | Next::MemberEnd, b'}') => Next::Nothing,
            (Next::Colon(Member::Jobs), b':') => Next::List,
            (Next::Colon(Member::Other), b':') => Next::Value,
            (Next::List, b'[') => Next::FirstRow,
            (Next::FirstRow | Next::RowEnd, b']') => Next::MemberEnd,
            (Next::RowEnd, b',') => Next::Row,
            (Next::MemberEnd, b',') => Next::Name,
            _ => {
                let shown = byte.escape_ascii();
                return Err(NoList::Malformed(format!("`{shown}` where no list of jobs has it")));
            }
        };
        Ok(())
    }

    /// Reads on in the open value. Returns what comes behind it.
    fn go_on<'a>(
        &mut self,
        chunk: &'a [u8],
        row: &mut impl FnMut(Row<'_>) -> Result<(), NoList>,
    ) -> Result<&'a [u8], NoList> {
        let Some((part, mut value)) = self.open.take() else {
            return Ok(chunk);
        };
        let end = value.read(chunk).map_err(NoList::Malformed)?;
        let (ours, behind) = chunk.split_at(end.unwrap_or(chunk.len()));
        let is_held = value.length <= self.bounds.row;
        if end.is_none() {
            if is_held {
                self.held.extend_from_slice(ours);
            } else {
                self.held = Vec::new();
            }
            self.open = Some((part, value));
            return Ok(behind);
        }
        // What lies in one chunk is not copied.
        let mut held = std::mem::take(&mut self.held);
        let text = if held.is_empty() || !is_held {
            ours
        } else {
            held.extend_from_slice(ours);
            &held
        };
        self.next = match part {
            Part::Row => {
                row(if is_held { Row::Text(text) } else { Row::TooLarge })?;
                Next::RowEnd
            }
            Part::Name if !is_held => return Err(too_large("a member's name", self.bounds.row, "bytes")),
            Part::Name => Next::Colon(self.member(text)?),
            Part::Other => {
                if is_held {
                    json::<IgnoredAny>(text)?;
                }
                Next::MemberEnd
            }
        };
        // The room is kept for the next one.
        held.clear();
        self.held = held;
        Ok(behind)
    }

    fn member(&mut self, name: &[u8]) -> Result<Member, NoList> {
        if json::<String>(name)? != "jobs" {
            return Ok(Member::Other);
        }
        if std::mem::replace(&mut self.has_list, true) {
            return Err(NoList::Malformed("there are two members `jobs`".to_owned()));
        }
        Ok(Member::Jobs)
    }
}

fn json<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> Result<T, NoList> {
    crate::json::from_slice(text).map_err(|error| NoList::Malformed(error.to_string()))
}

fn too_large(what: &str, bound: usize, unit: &str) -> NoList {
    NoList::TooLarge(format!("{what} exceeds {bound} {unit}"))
}

#[cfg(test)]
mod tests;
