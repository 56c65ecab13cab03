//! CSV (RFC 4180) on its way in: a line of names, then a record a line, or more lines where a cell in quotes has several.
//!
//! Where a record ends is asked twice: of a body that comes in parts ([`incoming`](super::incoming)), and when the record is
//! read. Both follow [`Within`], so they cannot disagree.

use crate::server::draft::Unknown;
use crate::server::json;
use crate::server::problem::{Kind, Problem};
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::{Table, Type};
use serde_json::{Map, Value as Json};

/// A record as JSON would say it.
pub(super) type Object = Map<String, Json>;
/// A cell, and whether it stood in quotes.
pub(super) type Cell = (String, bool);

/// Where in a record a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Before the first letter of a cell.
    Start,
    /// In a cell without quotes, or behind one with quotes.
    Plain,
    /// In a cell with quotes.
    Quoted,
    /// Behind a quote in such a cell, which ends it unless another one follows.
    Closing,
}

impl Within {
    /// Where one letter leads. Of a letter that is several bytes each byte will do. A quote in a cell without quotes is a
    /// mistake, but changes nothing: the record ends with its line, and those behind it are read as they are.
    pub(super) fn then(self, c: char) -> Within {
        match (self, c) {
            (Within::Quoted, '"') => Within::Closing,
            (Within::Quoted, _) | (Within::Start | Within::Closing, '"') => Within::Quoted,
            (_, ',' | '\n') => Within::Start,
            _ => Within::Plain,
        }
    }

    /// Whether a line that ends here goes on.
    pub(super) fn is_quoted(self) -> bool {
        self == Within::Quoted
    }
}

/// The names in the first line of a text, which every record's cells go by.
#[derive(Debug, Clone)]
pub(super) struct Head(Vec<String>);

impl Head {
    /// Reads the first line.
    pub(super) fn read(table: &Table, text: &[u8], unknown: Unknown) -> Result<Head, Problem> {
        let names: Vec<String> = row(1, text)?.into_iter().map(|(name, _)| name).collect();
        let is_known = |name: &str| table.field(name).is_some() || matches!(name, "_id" | "_version");
        if let Some(name) = names.iter().find(|name| unknown == Unknown::Refuse && !is_known(name)) {
            let fields = table.fields.iter().map(|field| field.name.as_str());
            let sentence = format!("the first line names a field `{name}`, which table `{}` has not", table.name);
            return Err(Problem::unknown(Kind::UnknownField, sentence, name, fields).member("line", 1));
        }
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = twice {
            let detail = format!("the first line names `{name}` twice");
            return Err(Problem::new(Kind::DuplicateKey, detail).member("line", 1));
        }
        Ok(Head(names))
    }

    /// The record of a line. An empty cell is null, unless it stands in quotes.
    pub(super) fn record(&self, table: &Table, line: usize, text: &[u8]) -> Result<Object, Problem> {
        let cells = row(line, text)?;
        if cells.len() != self.0.len() {
            let detail = format!("line {line} has {} cells, and the first line has {}", cells.len(), self.0.len());
            return Err(Problem::new(Kind::MalformedRequest, detail).member("line", line));
        }
        Ok(self.0.iter().zip(cells).map(|(name, cell)| (name.clone(), value(table, name, cell))).collect())
    }
}

/// The cells of a record that begins in this line.
fn row(line: usize, text: &[u8]) -> Result<Vec<Cell>, Problem> {
    let wrong = |detail: &str| Problem::new(Kind::MalformedRequest, format!("line {line}: {detail}"));
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is not UTF-8").member("line", line))?;
    cells(text).map_err(|what| wrong(what).member("line", line))
}

/// A cell as JSON would say it: by the type of its field.
fn value(table: &Table, name: &str, (text, quoted): Cell) -> Json {
    if text.is_empty() && !quoted {
        return Json::Null;
    }
    let ty = table.field(name).map(|(_, field)| &field.ty);
    let is_text = match ty {
        Some(Type::Str(_) | Type::Text | Type::Bytes | Type::FixedBytes(_)) => true,
        Some(Type::Scalar(scalar)) => scalar.desc().kind == ScalarKind::Uuid,
        // A variant's name; one with a payload is an object.
        Some(Type::Enum(_)) => !text.starts_with('{'),
        _ => false,
    };
    let read = || match text.starts_with(['{', '[']) {
        // As strict as in a body of JSON.
        true => json::parse(text.as_bytes()).ok(),
        false => serde_json::from_str(&text).ok(),
    };
    let value = if is_text { None } else { read() };
    value.unwrap_or(Json::String(text))
}

const BARE_QUOTE: &str =
    "a quote stands inside a cell without quotes: put the whole cell in quotes, and double those inside it";

/// The cells of one record, which is all of the text.
pub(super) fn cells(text: &str) -> Result<Vec<Cell>, &'static str> {
    let (mut cells, mut cell, mut quoted, mut within) = (Vec::new(), String::new(), false, Within::Start);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (within, c) {
            (Within::Quoted, '"') => {}
            (Within::Quoted, _) => cell.push(c),
            (Within::Closing, '"') => cell.push('"'),
            (Within::Start, '"') => quoted = true,
            (Within::Plain, '"') => return Err(BARE_QUOTE),
            (_, ',') => cells.push((std::mem::take(&mut cell), std::mem::take(&mut quoted))),
            (_, '\n') if rest.peek().is_some() => return Err("something stands behind the end of the record"),
            (_, '\n') => {
                cells.push((cell, quoted));
                return Ok(cells);
            }
            (_, '\r') if rest.peek() == Some(&'\n') => {}
            (Within::Closing, _) => return Err("something stands behind a quoted cell"),
            _ => cell.push(c),
        }
        within = within.then(c);
    }
    if within.is_quoted() {
        return Err("a quoted cell does not end");
    }
    cells.push((cell, quoted));
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> Vec<String> {
        let cells = cells(text).expect("it is well formed");
        cells.into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn cells_are_read_as_they_were_written() {
        assert_eq!(read("a,b\r\n"), ["a", "b"]);
        assert_eq!(read("1,\"x,\"\"y\"\"\nz\"\n"), ["1", "x,\"y\"\nz"]);
        assert_eq!(read(",\n"), ["", ""]);
        assert_eq!(read("\"\"\"\"\r\n"), ["\""]);
        assert_eq!(read("a"), ["a"]);
        assert_eq!(read("\r"), ["\r"]);
        assert_eq!(cells("\"\",\n"), Ok(vec![(String::new(), true), (String::new(), false)]));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for wrong in ["\"a", "\"a\"b", "5\" nail", "a\"", "a\"b\"", " \"a\"", "\"a\" ,b", "\"a\"\r", "a\nb", "\n\n"] {
            assert!(cells(wrong).is_err(), "{wrong:?}");
        }
    }
}
