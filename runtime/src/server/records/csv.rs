//! CSV (RFC 4180) on its way in: a line of names, then a record a line.

use crate::server::draft::Unknown;
use crate::server::problem::{Kind, Problem};
use dbgen_schema::{Table, Type};
use serde_json::{Map, Value as Json};

/// A record as JSON would say it.
pub(super) type Object = Map<String, Json>;
/// A row: its line, and its cells, each with whether it stood in quotes.
type Row = (usize, Vec<(String, bool)>);

/// The records of a text, each with its line. An empty cell is null, unless it stands in quotes.
pub(super) fn records(table: &Table, text: &str, unknown: Unknown) -> Result<Vec<(usize, Object)>, Problem> {
    let mut rows = rows(text)?.into_iter();
    let Some((_, names)) = rows.next() else {
        return Err(Problem::new(Kind::MalformedRequest, "the first line of CSV names the fields"));
    };
    let is_known = |name: &str| table.field(name).is_some() || matches!(name, "_id" | "_version");
    if let Some((name, _)) = names.iter().find(|(name, _)| unknown == Unknown::Refuse && !is_known(name)) {
        let fields = table.fields.iter().map(|field| field.name.as_str());
        let sentence = format!("the first line names a field `{name}`, which table `{}` has not", table.name);
        return Err(Problem::unknown(Kind::UnknownField, sentence, name, fields).member("line", 1));
    }
    let record = |(line, cells): Row| {
        if cells.len() != names.len() {
            let detail = format!("line {line} has {} cells, and the first line has {}", cells.len(), names.len());
            return Err(Problem::new(Kind::MalformedRequest, detail).member("line", line));
        }
        let members = names.iter().zip(cells).map(|((name, _), cell)| (name.clone(), value(table, name, cell)));
        Ok((line, members.collect()))
    };
    rows.map(record).collect()
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

fn rows(text: &str) -> Result<Vec<Row>, Problem> {
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
                let detail = format!("line {line}: something stands behind a quoted cell");
                return Err(Problem::new(Kind::MalformedRequest, detail).member("line", line));
            }
            _ => cell.push(c),
        }
    }
    if inside {
        let detail = format!("line {begun}: a quoted cell does not end");
        return Err(Problem::new(Kind::MalformedRequest, detail).member("line", begun));
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
