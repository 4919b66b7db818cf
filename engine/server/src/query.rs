//! What a request asks for behind the `?`.
//!
//! The parameters of a path are the fields of one type: serde reads them from the query, utoipa describes them in
//! `/openapi.json`, so that the two cannot differ. A name that no field has is refused, since the answer would be
//! one to another question; an empty value counts as none, since forms send all of their fields.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use steadfast_core::journal::Sequence;
use steadfast_core::time::Timestamp;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};

use crate::cursor;
use crate::problem::Problem;

/// Items of a page unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 500;
/// The most `limit` may ask for.
const MAX_LIMIT: usize = 5000;

/// The parameters of a request. A wrong one is a [`Problem`] that names it.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let described = described::<T>();
        let given = given(parts.uri.query().unwrap_or_default(), &described)?;
        read(&described, &given).map(Self)
    }
}

/// The parameters of a request that has some of its own beside those of others. It takes both, and a name that neither has is
/// refused.
#[derive(Debug)]
pub(crate) struct Both<A, B>(pub(crate) A, pub(crate) B);

impl<S, A, B> FromRequestParts<S> for Both<A, B>
where
    S: Send + Sync,
    A: DeserializeOwned + IntoParams,
    B: DeserializeOwned + IntoParams,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (first, second) = (described::<A>(), described::<B>());
        let all = [first.as_slice(), second.as_slice()].concat();
        // serde's `flatten` would lose the names of those that are wrong.
        let given = given(parts.uri.query().unwrap_or_default(), &all)?;
        Ok(Self(read(&first, &given)?, read(&second, &given)?))
    }
}

fn described<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Query))
}

#[cfg(test)]
fn parse<T: DeserializeOwned + IntoParams>(query: &str) -> Result<T, Problem> {
    let described = described::<T>();
    read(&described, &given(query, &described)?)
}

/// What is given of the parameters that there are, by their names.
fn given(query: &str, described: &[Parameter]) -> Result<BTreeMap<String, String>, Problem> {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        let parameter = described.iter().find(|known| known.name == name);
        let parameter = parameter.ok_or_else(|| unknown(&name, described))?;
        match given.get_mut(parameter.name.as_str()) {
            Some(earlier) if is_list(parameter) => {
                earlier.push(',');
                earlier.push_str(&value);
            }
            Some(_) => return Err(twice(&parameter.name)),
            None => drop(given.insert(parameter.name.clone(), value.into_owned())),
        }
    }
    Ok(given)
}

/// Reads those parameters of what is given.
fn read<T: DeserializeOwned>(described: &[Parameter], given: &BTreeMap<String, String>) -> Result<T, Problem> {
    let own = given
        .iter()
        .filter(|(name, _)| described.iter().any(|known| known.name == **name));
    let own: Value = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_path_to_error::deserialize(own).map_err(|error| {
        let name = error.path().to_string();
        let detail = format!("{name}={}", error.inner());
        Problem::parameter(&name, detail)
    })
}

/// A misspelt parameter, which would otherwise be an answer to another question.
fn unknown(name: &str, described: &[Parameter]) -> Problem {
    let known: Vec<&str> = described.iter().map(|known| known.name.as_str()).collect();
    let detail = format!("`{name}` is not a parameter here; there are {}", known.join(", "));
    Problem::parameter(name, detail)
}

/// One of two values would be left out, and the other taken for what was asked.
fn twice(name: &str) -> Problem {
    Problem::parameter(name, format!("`{name}` is given twice; give it once"))
}

/// Whether it may be repeated, which says the same as commas between its values.
fn is_list(parameter: &Parameter) -> bool {
    matches!(parameter.schema, Some(RefOr::T(Schema::Array(_))))
}

/// How many items a page may have: from 1 to [`MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(usize);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a whole number from 1 to {MAX_LIMIT}; follow `cursor` for more"))
    }
}

impl Limit {
    /// How many items to read for a page: the one behind it tells whether there is another page.
    pub(crate) fn and_one(self) -> usize {
        self.0.saturating_add(1)
    }
}

/// A page of a longer list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub(crate) cursor: Option<String>,
}

impl<T> Page<T> {
    /// Of [`Limit::and_one`] items or fewer, those that are on the page. `cursor` writes the place behind an item.
    pub(crate) fn of(mut items: Vec<T>, limit: Limit, cursor: impl FnOnce(&T) -> Option<String>) -> Self {
        let has_more = items.len() > limit.0;
        items.truncate(limit.0);
        let cursor = items.last().filter(|_| has_more).and_then(cursor);
        Self { items, cursor }
    }
}

/// A place in the journal: entries behind it are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Position(pub(crate) Sequence);

impl TryFrom<String> for Position {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text.parse();
        number
            .map(|number| Self(Sequence(number)))
            .map_err(|_| format!("`{text}` is not a position in the journal; use one that this engine gave"))
    }
}

/// A moment as a request writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Moment(pub(crate) Timestamp);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let moment = Timestamp::parse(&text).map(Self);
        moment.ok_or_else(|| format!("`{text}` is not a moment; write it as RFC 3339 does: 2026-11-23T01:13:29.838Z"))
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0.to_string()
    }
}

/// Of items in no order, the first `count` in the order of `compare`.
pub(crate) fn first<T>(mut items: Vec<T>, count: usize, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if count > 0 && items.len() > count {
        items.select_nth_unstable_by(count - 1, &compare);
        items.truncate(count);
    }
    items.sort_unstable_by(compare);
    items
}

/// Where the page before ended, as [`cursor::write`] wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String", bound = "K: DeserializeOwned")]
pub(crate) struct Cursor<K>(pub(crate) K);

impl<K: DeserializeOwned> TryFrom<String> for Cursor<K> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        cursor::read(&text).map(Self).ok_or_else(|| {
            format!("`{text}` is not a cursor of this list; use the `cursor` of the page before, or leave it out")
        })
    }
}

/// Reads `true` or `false`.
pub(crate) fn truth<'de, D: Deserializer<'de>, B: From<bool>>(deserializer: D) -> Result<B, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: Result<bool, _> = text.parse();
    parsed
        .map(B::from)
        .map_err(|_| D::Error::custom(format!("`{text}` is neither true nor false; write one of them")))
}

/// Reads a list that is separated by commas. The error of an item is the parameter's.
pub(crate) fn comma_separated<'de, D, T, C>(deserializer: D) -> Result<C, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: std::fmt::Display>,
    C: FromIterator<T>,
{
    let text = String::deserialize(deserializer)?;
    let items = text.split(',').map(|item| item.trim().parse());
    items.collect::<Result<C, _>>().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests;
