//! In which order jobs are listed, and where a page of them ended.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use steadfast_core::id::JobKey;
use steadfast_core::projection::JobView;
use steadfast_core::state::JobState;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::problem::Problem;

/// By what jobs are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
enum By {
    #[default]
    Id,
    Severity,
    State,
    Since,
    Confirmed,
}

/// Ids begin with the cluster: by cluster, then by id is by id.
const CLUSTER: &str = "cluster";

impl By {
    fn named(word: &str) -> Option<Self> {
        if word == CLUSTER {
            return Some(Self::Id);
        }
        word.parse().ok()
    }
}

/// The words of all orders.
fn words() -> impl Iterator<Item = &'static str> {
    By::VARIANTS.iter().map(Into::into).chain([CLUSTER])
}

/// An order of jobs, as a request writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Sort {
    by: By,
    is_turned: bool,
}

impl TryFrom<String> for Sort {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (is_turned, word) = match text.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, text.as_str()),
        };
        let by = By::named(word).ok_or_else(|| {
            let known: Vec<&str> = words().collect();
            let known = known.join(", ");
            format!("`{text}` is not an order; use one of {known}, with a `-` in front to turn it round")
        })?;
        Ok(Self { by, is_turned })
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        let turned = if sort.is_turned { "-" } else { "" };
        format!("{turned}{}", sort.by)
    }
}

/// The words of all orders, each also turned round: what `sort` of `GET /api/v1/jobs` takes.
pub fn sorts() -> impl Iterator<Item = String> {
    words().flat_map(|word| ["", "-"].map(|turned| format!("{turned}{word}")))
}

/// The place of a job in an order: its rank, a time in milliseconds, its key.
pub(super) type Place<'a> = (u8, Option<i64>, &'a JobKey);

impl Sort {
    /// The place of a job. It is found while the loop cannot write: nothing is cloned.
    pub(super) fn place(self, view: &JobView) -> Place<'_> {
        let record = &view.record;
        let began = || Some(record.began().as_millis());
        let (rank, time) = match self.by {
            By::Id => (0, None),
            By::Severity => (view.severity() as u8, began()),
            By::State => (by_word(record.state), None),
            By::Since => (0, began()),
            By::Confirmed => (0, view.confirmed_at().map(|at| at.as_millis())),
        };
        (rank, time, &record.key)
    }

    pub(super) fn compare(self, one: &Place<'_>, other: &Place<'_>) -> Ordering {
        let order = one.cmp(other);
        if self.is_turned { order.reverse() } else { order }
    }

    pub(super) fn is_behind(self, place: &Place<'_>, behind: &Behind) -> bool {
        let last = (behind.rank, behind.time, &behind.key);
        self.compare(place, &last) == Ordering::Greater
    }
}

/// How many states have a word that comes before.
fn by_word(state: JobState) -> u8 {
    let before = JobState::ALL.iter().filter(|other| other.as_str() < state.as_str());
    u8::try_from(before.count()).unwrap_or(u8::MAX)
}

/// Where a page ended, and of which list it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Behind {
    sort: Sort,
    filter: String,
    rank: u8,
    time: Option<i64>,
    key: JobKey,
}

impl Behind {
    pub(super) fn new(sort: Sort, filter: String, (rank, time, key): &Place<'_>) -> Self {
        Self {
            sort,
            filter,
            rank: *rank,
            time: *time,
            key: (*key).clone(),
        }
    }

    /// Refuses a place of another list: what would follow it there is none of what is asked for. Ids are in one order whatever is
    /// filtered.
    pub(super) fn must_go_with(&self, sort: Sort, filter: &str) -> Result<(), Problem> {
        if self.sort == sort && (sort.by == By::Id || self.filter == filter) {
            return Ok(());
        }
        let other = if self.sort == sort {
            "has other filters"
        } else {
            "is sorted otherwise"
        };
        let detail = format!(
            "cursor=... is of a list that {other}; ask for the next page with the filters and the `sort` of the page before, or \
             leave the cursor out"
        );
        Err(Problem::parameter("cursor", detail))
    }
}
