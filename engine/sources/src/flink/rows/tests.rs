use super::*;

const SMALL: Bounds = Bounds {
    row: 64,
    rows: 100,
    bytes: 10_000,
};

/// A list's rows; `None` for one that is too large.
type Told = Vec<Option<String>>;

/// Reads a body in chunks, and says how many bytes were held at most beside the chunks.
fn read<'a>(bounds: Bounds, chunks: impl Iterator<Item = &'a [u8]>) -> (Result<Told, NoList>, usize) {
    let mut rows = Rows::new(bounds);
    let (mut told, mut held) = (Vec::new(), 0);
    for chunk in chunks {
        let taken = rows.take(chunk, |row| {
            told.push(match row {
                Row::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                Row::TooLarge => None,
            });
            Ok(())
        });
        held = held.max(rows.held.capacity());
        if let Err(error) = taken {
            return (Err(error), held);
        }
    }
    (rows.finish().map(|()| told), held)
}

fn whole(body: &str) -> Result<Told, NoList> {
    read(SMALL, std::iter::once(body.as_bytes())).0
}

/// Bodies of every shape, and whether they are lists.
fn bodies() -> Vec<(String, bool)> {
    let large = format!(r#"{{"name":"{}\"","more":[[{{}}]]}}"#, "n".repeat(200));
    let lists = [
        r#"{"jobs":[]}"#.to_owned(),
        r#" { "jobs" : [ { "a" : "]}\"," } , 7 ,null, "s", [ { } ] ,-1.5e3 ] } "#.to_owned(),
        r#"{"a":{"jobs":[1]},"b":1,"jo\u0062s":[{"x":"\\"},{"ä":"\u00e4"}],"c":"]"}"#.to_owned(),
        format!(r#"{{"jobs":[1,{large},2],"other":{large}}}"#),
    ];
    let others = [
        "",
        "[]",
        "{}",
        "<html></html>",
        r#"{"jobs":null}"#,
        r#"{"jobs":{}}"#,
        r#"{"jobs":[]"#,
        r#"{"jobs":[]}}"#,
        r#"{"jobs":[]}{"jobs":[]}"#,
        r#"{"jobs":[]} x"#,
        r#"{"jobs":[1,]}"#,
        r#"{"jobs":[],}"#,
        r#"{"jobs":[1 2]}"#,
        r#"{"jobs":[{]}"#,
        r#"{"jobs":[{}}"#,
        r#"{"jobs":[],"jobs":[]}"#,
        r#"{"jobs"[]}"#,
        r#"{jobs:[]}"#,
        r#"{"a":nope,"jobs":[]}"#,
        r#"{"a":{"b"},"jobs":[]}"#,
        r#"{"\x":1,"jobs":[]}"#,
    ];
    let lists = lists.into_iter().map(|body| (body, true));
    lists
        .chain(others.into_iter().map(|body| (body.to_owned(), false)))
        .collect()
}

#[test]
fn rows_are_told_as_they_stand_and_what_is_no_list_is_refused() {
    for (body, is_list) in bodies() {
        let told = whole(&body);
        assert_eq!(told.is_ok(), is_list, "{body}: {told:?}");
        assert!(is_list || matches!(told, Err(NoList::Malformed(_))), "{body}: {told:?}");
    }
    let rows = |body: &str| whole(body).unwrap().into_iter().map(Option::unwrap).collect::<Vec<_>>();
    assert_eq!(
        rows(&bodies()[1].0),
        [r#"{ "a" : "]}\"," }"#, "7", "null", r#""s""#, "[ { } ]", "-1.5e3"]
    );
    assert_eq!(rows(&bodies()[2].0), [r#"{"x":"\\"}"#, r#"{"ä":"\u00e4"}"#]);
    let told = whole(&bodies()[3].0).unwrap();
    assert_eq!(told, [Some("1".to_owned()), None, Some("2".to_owned())]);
}

#[test]
fn the_same_comes_out_wherever_the_body_is_cut() {
    for (body, _) in bodies() {
        let expected = whole(&body).map_err(|_| ());
        for size in 1..=body.len() {
            let (told, _) = read(SMALL, body.as_bytes().chunks(size));
            assert_eq!(told.map_err(|_| ()), expected, "{body} by {size}");
        }
        for at in 0..=body.len() {
            let (first, second) = body.as_bytes().split_at(at);
            let (told, _) = read(SMALL, [first, second].into_iter());
            assert_eq!(told.map_err(|_| ()), expected, "{body} at {at}");
        }
    }
}

#[test]
fn no_list_is_complete_before_its_last_bracket() {
    for (body, _) in bodies().into_iter().filter(|(_, is_list)| *is_list) {
        let body = body.trim_end();
        for at in 0..body.len() {
            let (told, _) = read(SMALL, std::iter::once(&body.as_bytes()[..at]));
            assert!(matches!(told, Err(NoList::Malformed(_))), "{body} at {at}");
        }
    }
}

#[test]
fn fifty_thousand_rows_arrive_and_no_more_than_one_is_held() {
    let bounds = Bounds {
        row: 1_000,
        rows: 100_000,
        bytes: 64 << 20,
    };
    let row = |n: usize| format!(r#"{{"jid":"{n:032x}","name":"{}"}}"#, "n".repeat(348));
    let rows: Vec<String> = (0..50_000).map(row).collect();
    assert!(rows.iter().all(|row| row.len() == 400));
    let body = format!(r#"{{"jobs":[{}]}}"#, rows.join(","));
    assert!(body.len() > 20_000_000);
    let (told, held) = read(bounds, body.as_bytes().chunks(8_191));
    assert!(told.unwrap().into_iter().flatten().eq(rows));
    assert!(held <= 2 * bounds.row, "{held} bytes were held of {}", body.len());
}

#[test]
fn what_is_too_large_is_not_held() {
    let endless =
        |begins: &'static str, goes_on: &'static str| std::iter::once(begins).chain(std::iter::repeat(goes_on));
    for (body, what) in [
        (endless(r#"{"jobs":["#, "1,"), "the list exceeds 100 rows"),
        (endless(r#"{"jobs":[""#, "name"), "the body exceeds 10000 bytes"),
        (endless(r#"{"jobs":["#, " "), "the body exceeds 10000 bytes"),
    ] {
        let (told, held) = read(SMALL, body.map(str::as_bytes));
        assert_eq!(told, Err(NoList::TooLarge(what.to_owned())));
        assert!(held <= 2 * SMALL.row, "{held}");
    }
    let name = format!(r#"{{"{}":1,"jobs":[]}}"#, "n".repeat(100));
    assert!(matches!(whole(&name), Err(NoList::TooLarge(_))));
    let deep = format!(r#"{{"jobs":[{}]}}"#, "[".repeat(1_000));
    assert!(matches!(whole(&deep), Err(NoList::Malformed(_))));
}
