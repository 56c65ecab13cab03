//! CSV (RFC 4180) on its way in: a line of names, then a record a line.

use crate::server::draft::Unknown;
use crate::server::problem::{Kind, Problem};
use dbgen_schema::{Table, Type};
use serde_json::{Map, Value as Json};

/// A record as JSON would say it.
pub(super) type Object = Map<String, Json>;
/// A row: its line, and its cells, each with whether it stood in quotes.
type Row = (usize, Vec<(String, bool)>);

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
fn row(line: usize, text: &[u8]) -> Result<Vec<(String, bool)>, Problem> {
    let wrong = |detail: &str| Problem::new(Kind::MalformedRequest, format!("line {line}: {detail}"));
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is not UTF-8").member("line", line))?;
    let rows = rows(text).map_err(|what| wrong(what).member("line", line))?;
    Ok(rows.into_iter().next().map(|(_, cells)| cells).unwrap_or_default())
}

/// A cell as JSON would say it: by the type of its field.
fn value(table: &Table, name: &str, (text, quoted): (String, bool)) -> Json {
    if text.is_empty() && !quoted {
        return Json::Null;
    }
    let is_text = table.field(name).is_some_and(|(_, field)| {
        matches!(field.ty, Type::Str(_) | Type::Text | Type::Bytes | Type::FixedBytes(_) | Type::Enum(_))
    });
    match serde_json::from_str(&text) {
        Ok(Json::Object(payload)) => Json::Object(payload),
        Ok(json) if !is_text => json,
        _ => Json::String(text),
    }
}

fn rows(text: &str) -> Result<Vec<Row>, &'static str> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut cells, mut cell, mut quoted, mut inside) = (Vec::new(), String::new(), false, false);
    let (mut line, mut begun) = (1, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if inside && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if inside => inside = false,
            _ if inside => cell.push(c),
            '"' if cell.is_empty() && !quoted => (inside, quoted) = (true, true),
            ',' => cells.push((std::mem::take(&mut cell), std::mem::take(&mut quoted))),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' => {
                cells.push((std::mem::take(&mut cell), std::mem::take(&mut quoted)));
                rows.push((begun, std::mem::take(&mut cells)));
                begun = line;
            }
            _ if quoted => {
                return Err("something stands behind a quoted cell");
            }
            _ => cell.push(c),
        }
    }
    if inside {
        return Err("a quoted cell does not end");
    }
    if !cell.is_empty() || quoted || !cells.is_empty() {
        cells.push((cell, quoted));
        rows.push((begun, cells));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> Vec<(usize, Vec<String>)> {
        let rows = rows(text).expect("it is well formed");
        rows.into_iter().map(|(line, cells)| (line, cells.into_iter().map(|(text, _)| text).collect())).collect()
    }

    #[test]
    fn cells_are_read_as_they_were_written() {
        let cells =
            |line: usize, cells: &[&str]| (line, cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            read("a,b\r\n1,\"x,\"\"y\"\"\nz\"\r\n,\n"),
            [cells(1, &["a", "b"]), cells(2, &["1", "x,\"y\"\nz"]), cells(4, &["", ""]),]
        );
        assert_eq!(read("a"), [cells(1, &["a"])]);
        assert_eq!(read(""), []);
        assert!(rows("\"a").is_err() && rows("\"a\"b").is_err());
    }
}
