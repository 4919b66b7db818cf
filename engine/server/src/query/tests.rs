use std::collections::BTreeSet;

use super::*;

/// Every kind of parameter there is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    #[param(value_type = Option<u64>)]
    after: Option<Position>,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<String>>,
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    words: BTreeSet<String>,
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    sure: Option<bool>,
}

#[test]
fn what_is_not_said_has_its_default() {
    for query in ["", "limit=&after=&cursor=&words=&sure="] {
        let asked: Asked = parse(query).unwrap();
        assert_eq!((asked.limit, asked.after, asked.cursor), (Limit(500), None, None));
        assert_eq!((asked.words.len(), asked.sure), (0, None));
    }
}

#[test]
fn what_is_said_is_read() {
    let query = format!(
        "limit=7&after=3&cursor={}&words=a%2Cb&words=c&sure=false",
        cursor::write(&"k").unwrap()
    );
    let asked: Asked = parse(&query).unwrap();
    assert_eq!((asked.limit, asked.after), (Limit(7), Some(Position(Sequence(3)))));
    assert_eq!((asked.cursor, asked.sure), (Some(Cursor("k".to_owned())), Some(false)));
    assert_eq!(asked.words, BTreeSet::from(["a", "b", "c"].map(str::to_owned)));
}

#[test]
fn of_several_values_a_list_takes_all() {
    let asked: Asked = parse("limit=2&words=a&words=b&limit=&words=").unwrap();
    assert_eq!((asked.limit, asked.words.len()), (Limit(2), 2));
}

#[test]
fn what_is_wrong_is_named_with_its_rule_and_the_fix() {
    for (query, parameter, detail) in [
        (
            "limit=0",
            "limit",
            "limit=`0` is not a whole number from 1 to 5000; follow `cursor` for more",
        ),
        (
            "limit=5001",
            "limit",
            "limit=`5001` is not a whole number from 1 to 5000; follow `cursor` for more",
        ),
        (
            "limit=1,2",
            "limit",
            "limit=`1,2` is not a whole number from 1 to 5000; follow `cursor` for more",
        ),
        ("limit=1&limit=2", "limit", "`limit` is given twice; give it once"),
        ("sure=true&sure=true", "sure", "`sure` is given twice; give it once"),
        (
            "after=-1",
            "after",
            "after=`-1` is not a position in the journal; use one that this engine gave",
        ),
        (
            "cursor=7b7d",
            "cursor",
            "cursor=`7b7d` is not a cursor of this list; use the `cursor` of the page before, or leave it out",
        ),
        (
            "sure=maybe",
            "sure",
            "sure=`maybe` is neither true nor false; write one of them",
        ),
        (
            "sre=true",
            "sre",
            "`sre` is not a parameter here; there are limit, after, cursor, words, sure",
        ),
    ] {
        let problem = parse::<Asked>(query).unwrap_err();
        assert_eq!(problem, Problem::parameter(parameter, detail), "{query}");
    }
}

#[test]
fn a_page_ends_where_there_is_more() {
    for (count, on_page, cursor) in [(0, 0, None), (2, 2, None), (3, 2, Some("1".to_owned()))] {
        let limit = Limit(2);
        assert!(count <= limit.and_one());
        let page = Page::of((0..count).collect(), limit, |item| Some(item.to_string()));
        assert_eq!((page.items.len(), page.cursor), (on_page, cursor), "{count}");
    }
}
