//! The mark that each transaction leaves: the store's id, how many transactions it has had, and which layout its pages have.
//!
//! A store is a file and the log beside it, and SQLite itself ties neither to the other: it lays any log over any file. The
//! mark does. It stands on a page of its own, which each transaction writes, so that it is found in the file and in the log
//! without asking SQLite, by the place and the shape of its row.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use steadfast_crash_points::Transaction as Points;

use super::SqliteFailure;

/// Of which store, after how many of its transactions, and in which layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// 16 hex digits.
    pub(super) store: String,
    pub(super) transactions: u64,
    /// `PRAGMA schema_version`. It grows with each change of a table and each VACUUM, also in the copy that VACUUM INTO makes:
    /// pages of one layout are none of another's.
    pub(super) layout: u32,
}

const ID: usize = 16;
const DIGITS: usize = 19;
const LAYOUT: usize = 10;
const TEXT: usize = ID + 1 + DIGITS + 1 + LAYOUT;

impl Mark {
    /// `id:number:layout`, the numbers in decimal with leading zeros, so that it is always as long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (store, numbers) = text.split_once(':')?;
        let (number, layout) = numbers.split_once(':')?;
        let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        let is_whole = store.len() == ID && is_number(number, DIGITS) && is_number(layout, LAYOUT);
        is_whole.then_some(())?;
        Some(Self {
            store: store.to_owned(),
            transactions: number.parse().ok()?,
            layout: layout.parse().ok()?,
        })
    }

    /// The mark on a page of the file or the log; `None` if it is another page. No content of a record looks like it: what
    /// is compared is the structure, a leaf of a table with one row of this shape.
    pub(super) fn on_page(page: &[u8]) -> Option<Self> {
        const LEAF_OF_TABLE: u8 = 0x0d;
        // Length of the row, its rowid, length of its header, NULL for the rowid's column, a text of that length.
        const ROW: [u8; 5] = [3 + TEXT as u8, 1, 3, 0, 13 + 2 * TEXT as u8];
        let is_leaf = page.first() == Some(&LEAF_OF_TABLE) && page.get(3..5)? == [0, 1];
        is_leaf.then_some(())?;
        let at = page.get(8..10)?.try_into().ok().map(u16::from_be_bytes)?;
        let text = page.get(usize::from(at)..)?.strip_prefix(&ROW)?.get(..TEXT)?;
        Self::parse(std::str::from_utf8(text).ok()?)
    }
}

/// The number of the mark's page, counted from 1.
pub(super) fn page_number(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let mut select = connection.prepare_cached("SELECT rootpage FROM sqlite_schema WHERE name = 'head'")?;
    let mut rows = select.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(u64::try_from(row.get::<_, i64>(0)?).ok())
}

/// A transaction that leaves a mark: the only way in which an open store is written.
pub(super) struct Write<'c> {
    transaction: Transaction<'c>,
    points: Points,
}

impl<'c> Write<'c> {
    /// `points` are those of its kind.
    pub(super) fn begin(connection: &'c mut Connection, points: Points) -> rusqlite::Result<Self> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        points.begun.reach();
        Ok(Self { transaction, points })
    }

    /// Makes it durable, with its mark.
    pub(super) fn commit(self) -> Result<(), SqliteFailure> {
        let marked = self
            .transaction
            .prepare_cached(
                "UPDATE head SET mark = substr(mark, 1, 17) || printf('%019d', CAST(substr(mark, 18, 19) AS INTEGER) + 1)
                     || ':' || printf('%010d', (SELECT schema_version FROM pragma_schema_version))",
            )?
            .execute([])?;
        if marked != 1 {
            return Err(SqliteFailure::Row("the table `head` has not one row".to_owned()));
        }
        self.points.marked.reach();
        self.transaction.commit()?;
        self.points.durable.reach();
        Ok(())
    }
}

impl<'c> std::ops::Deref for Write<'c> {
    type Target = Transaction<'c>;

    fn deref(&self) -> &Transaction<'c> {
        &self.transaction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page as SQLite writes it.
    fn page(text: &str) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[0] = 0x0d;
        page[4] = 1;
        let row = [&[50, 1, 3, 0, 107], text.as_bytes()].concat();
        let at = page.len() - row.len();
        page[8..10].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
        page[at..].copy_from_slice(&row);
        page
    }

    #[test]
    fn a_mark_is_known_by_its_shape() {
        let text = "0123456789abcdef:0000000000000000042:0000000007";
        let mark = Mark::on_page(&page(text)).unwrap();
        assert_eq!(
            (&*mark.store, mark.transactions, mark.layout),
            ("0123456789abcdef", 42, 7)
        );
        let mut two_rows = page(text);
        two_rows[4] = 2;
        let mut index = page(text);
        index[0] = 0x0a;
        let mut foreign_row = page(text);
        let at = foreign_row.len() - 52;
        foreign_row[at + 2] = 9;
        for other in [
            two_rows,
            index,
            foreign_row,
            page(&text.replace(':', "x")),
            vec![],
            vec![0x0d; 9],
        ] {
            assert_eq!(Mark::on_page(&other), None);
        }
        // What a hostile text may say stands behind the head of another row.
        assert_eq!(Mark::on_page(&text.as_bytes().repeat(100)), None);
    }

    #[test]
    fn sqlite_writes_it_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = Connection::open(&path).unwrap();
        super::super::schema::migrate(&mut connection).unwrap();
        for n in 2..=12 {
            Write::begin(&mut connection, Points::CHECK).unwrap().commit().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let number = usize::try_from(page_number(&connection).unwrap().unwrap()).unwrap();
            let on_page = Mark::on_page(&bytes[(number - 1) * 4096..number * 4096]).unwrap();
            let seen: String = connection
                .query_row("SELECT mark FROM head", [], |row| row.get(0))
                .unwrap();
            assert_eq!(Mark::parse(&seen), Some(on_page.clone()));
            assert_eq!(on_page.transactions, n);
            let layout: u32 = connection
                .pragma_query_value(None, "schema_version", |row| row.get(0))
                .unwrap();
            assert_eq!(on_page.layout, layout);
        }
    }
}
