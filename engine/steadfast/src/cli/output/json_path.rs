//! JSONPath (RFC 9535), in the clothes that kubectl has for it: `{.items[*].id}` with text around it, and `{range}`.

use serde_json::Value;
use serde_json_path::JsonPath;

/// What an expression prints, piece by piece.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Pieces(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    /// What it leads to, with blanks between.
    Path(JsonPath),
    /// The same for each.
    Range(JsonPath, Pieces),
}

impl Pieces {
    /// With braces what stands outside of them is text; without, all of it is one path.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains('{') {
            return Ok(Self(vec![Piece::Path(path(text)?)]));
        }
        // What is open: the outermost first, and each range with its path.
        let mut open: Vec<(Option<JsonPath>, Vec<Piece>)> = vec![(None, Vec::new())];
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let inner = inside(behind).ok_or_else(|| format!("`{{{behind}` has no end: add `}}`"))?;
            rest = behind.get(inner.len() + 1..).unwrap_or_default();
            let inner = inner.trim();
            let mut pieces = vec![Piece::Text(before.to_owned())];
            if inner == "end" {
                add(&mut open, pieces);
                match (open.pop(), open.len()) {
                    (Some((Some(range), body)), 1..) => add(&mut open, vec![Piece::Range(range, Self(body))]),
                    _ => return Err("there is no `{range ...}` before this `{end}`".to_owned()),
                }
                continue;
            }
            if let Some(range) = inner.strip_prefix("range ") {
                add(&mut open, pieces);
                open.push((Some(path(range.trim())?), Vec::new()));
                continue;
            }
            pieces.push(match inner.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                Some(_) => Piece::Text(serde_json::from_str(inner).map_err(|_| format!("`{inner}` is no text"))?),
                None => Piece::Path(path(inner)?),
            });
            add(&mut open, pieces);
        }
        add(&mut open, vec![Piece::Text(rest.to_owned())]);
        match (open.pop(), open.is_empty()) {
            (Some((_, pieces)), true) => Ok(Self(pieces)),
            _ => Err("a `{range ...}` has no `{end}`".to_owned()),
        }
    }

    pub(super) fn shown(&self, document: &Value) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Path(path) => path
                .query(document)
                .iter()
                .map(|node| text(node))
                .collect::<Vec<_>>()
                .join(" "),
            Piece::Range(path, pieces) => path.query(document).iter().map(|node| pieces.shown(node)).collect(),
        };
        self.0.iter().map(piece).collect()
    }
}

fn add(open: &mut [(Option<JsonPath>, Vec<Piece>)], pieces: Vec<Piece>) {
    if let Some((_, innermost)) = open.last_mut() {
        innermost.extend(pieces);
    }
}

/// Up to the brace that ends it, which is not one in quotes.
fn inside(text: &str) -> Option<&str> {
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if character == '\\' => escaped = true,
            Some(end) if character == end => quote = None,
            Some(_) => {}
            None if character == '}' => return text.get(..at),
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None => {}
        }
    }
    None
}

/// kubectl leaves the root out, or calls it `@`.
fn path(text: &str) -> Result<JsonPath, String> {
    let whole = match text.strip_prefix('@').unwrap_or(text) {
        rest if rest.is_empty() || rest == "." => "$".to_owned(),
        rest if rest.starts_with('$') => rest.to_owned(),
        rest if rest.starts_with(['.', '[']) => format!("${rest}"),
        rest => format!("$.{rest}"),
    };
    JsonPath::parse(&whole).map_err(|error| format!("`{text}` is no JSONPath (RFC 9535): {error}"))
}

/// A text as it is, anything else as JSON.
fn text(node: &Value) -> String {
    match node {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => node.to_string(),
    }
}
