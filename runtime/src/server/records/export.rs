//! Lists without end: every record as a line of JSON or CSV, streamed from one view.
//!
//! The view is pinned until the last line is sent, so an export is consistent however long it takes. It costs memory: the
//! ids of its records, and what the database changes meanwhile.

use super::deadline::Deadline;
use super::{ListQuery, Problem, Server, understand};
use crate::dynamic::DynTable;
use crate::id::RecordId;
use crate::limits::EXPORT_SCAN_TIME_MAX;
use crate::server::extract::accepts;
use crate::server::json;
use crate::server::problem::Kind;
use crate::server::reply::Reply;
use crate::server::row::{Row, RowJson};
use crate::view::View;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use dbgen_schema::json::{Int64, encode_as};
use dbgen_schema::{Schema, Table};
use hyper::body::Frame;
use serde_json::Value as Json;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes that are written before they are sent.
const CHUNK_BYTES: usize = 64 << 10;

/// In which form a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Pages of JSON.
    Page,
    /// All records, a JSON object a line.
    NdJson,
    /// All records, comma-separated, with a line of names.
    Csv,
}

impl Form {
    /// What the `Accept` headers ask for. What they name goes before what they merely allow.
    pub(super) fn of(headers: &HeaderMap) -> Result<Form, Problem> {
        let names = |media_type: &str| {
            let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
            values
                .flat_map(|value| value.split(','))
                .any(|range| range.split(';').next().is_some_and(|range| range.trim().eq_ignore_ascii_case(media_type)))
        };
        if names("application/json") && accepts(headers, "application", "json") {
            Ok(Form::Page)
        } else if names("application/x-ndjson") && accepts(headers, "application", "x-ndjson") {
            Ok(Form::NdJson)
        } else if names("text/csv") && accepts(headers, "text", "csv") {
            Ok(Form::Csv)
        } else if accepts(headers, "application", "json") {
            Ok(Form::Page)
        } else {
            let detail = "a list is application/json, application/x-ndjson or text/csv";
            Err(Problem::new(Kind::NotAcceptable, detail))
        }
    }
}

/// Begins an export. Runs where it may take its time.
pub(super) fn begin(server: &Server, table: &str, mut query: ListQuery, form: Form) -> Result<Reply, Problem> {
    if query.cursor.is_some() {
        let detail = "an export has no pages: it takes no `cursor`";
        query.mistakes.push(Problem::new(Kind::InvalidParameter, detail).member("param", "cursor"));
    }
    let view = server.view();
    let opened = view.open_table(table)?;
    let plan = understand(server, &view, opened, &mut query)?;
    let count = query.limit.map_or(usize::MAX, |limit| query.offset.saturating_add(limit));
    let wanted = super::Wanted { filters: &plan.filters, order: &plan.order, after: None, count, count_all: false };
    let mut deadline = Deadline::after(server.db.shared.clock.clone(), EXPORT_SCAN_TIME_MAX);
    let found = super::scan::scan(opened, &wanted, &mut deadline)?;
    let ids: Vec<RecordId> = found.rows.into_iter().skip(query.offset).map(|found| found.id).collect();
    let (commit, at) = (view.commit(), opened.number().at());
    let mut export =
        Export { view, at, ids: ids.into_iter(), form, select: plan.select, int64: query.int64, head: Vec::new() };
    let media_type = match form {
        Form::Page | Form::NdJson => "application/x-ndjson",
        Form::Csv => {
            export.head = export.csv_head();
            "text/csv; charset=utf-8"
        }
    };
    Ok(Reply::text(media_type, Body::new(export)).commit(commit))
}

/// The body of an export.
struct Export {
    view: View,
    /// The table's place in the view.
    at: usize,
    /// Records that are still to be written.
    ids: std::vec::IntoIter<RecordId>,
    form: Form,
    select: Option<Vec<usize>>,
    int64: Int64,
    /// What stands before the first record.
    head: Vec<u8>,
}

impl hyper::body::Body for Export {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.next_chunk();
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk.into()))))
    }
}

impl Export {
    /// Lines enough to be worth sending; empty at the end.
    fn next_chunk(&mut self) -> Vec<u8> {
        let mut chunk = std::mem::take(&mut self.head);
        let Some(table) = self.view.tables().nth(self.at) else { return chunk };
        while chunk.len() < CHUNK_BYTES
            && let Some(id) = self.ids.next()
        {
            // The view is the one that the ids are from: every record is there.
            if let Ok(record) = table.get(id) {
                self.write_line(table, &Row::of(record), &mut chunk);
            }
        }
        chunk
    }

    fn write_line(&self, table: DynTable<'_>, row: &Row, line: &mut Vec<u8>) {
        let (schema, table, select) = (self.view.schema(), table.schema(), self.select.as_deref());
        match self.form {
            Form::Page | Form::NdJson => {
                line.extend(json::to_vec(&RowJson { schema, table, row, int64: self.int64, select }));
                line.push(b'\n');
            }
            Form::Csv => {
                line.extend(format!("{},{}", row.id, row.version).into_bytes());
                for (at, field) in self.selected(table) {
                    line.push(b',');
                    let value = row.values.get(at).map(|value| encode_as(schema, &field.ty, value, self.int64));
                    line.extend(cell(value.unwrap_or(Json::Null)).into_bytes());
                }
                line.extend(b"\r\n");
            }
        }
    }

    fn csv_head(&self) -> Vec<u8> {
        let schema: &Schema = self.view.schema();
        let names = self.selected(&schema.tables[self.at]).map(|(_, field)| format!(",{}", field.name));
        format!("_id,_version{}\r\n", names.collect::<String>()).into_bytes()
    }

    fn selected<'t>(&'t self, table: &'t Table) -> impl Iterator<Item = (usize, &'t dbgen_schema::Field)> {
        let is_selected = |at: usize| self.select.as_ref().is_none_or(|select| select.contains(&at));
        table.fields.iter().enumerate().filter(move |(at, _)| is_selected(*at))
    }
}

/// A value as a cell of RFC 4180: a text as it is, nothing for null, all else as JSON.
fn cell(value: Json) -> String {
    let text = match value {
        Json::Null => return String::new(),
        // So that an empty text is told from nothing.
        Json::String(text) if text.is_empty() => return "\"\"".to_owned(),
        Json::String(text) => text,
        other => other.to_string(),
    };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_of_csv() {
        for (value, expected) in [
            (json!(null), ""),
            (json!(""), "\"\""),
            (json!("a b"), "a b"),
            (json!("a,\"b\"\n"), "\"a,\"\"b\"\"\n\""),
            (json!(1.5), "1.5"),
            (json!([1, 2]), "\"[1,2]\""),
            (json!({ "x": 1 }), "\"{\"\"x\"\":1}\""),
        ] {
            assert_eq!(cell(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn what_is_named_goes_before_what_is_allowed() {
        let form = |accept: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            Form::of(&headers).map_err(|problem| problem.kind())
        };
        assert_eq!(form("*/*"), Ok(Form::Page));
        assert_eq!(form("application/x-ndjson, */*;q=0.1"), Ok(Form::NdJson));
        assert_eq!(form("text/csv"), Ok(Form::Csv));
        assert_eq!(form("text/csv, application/json"), Ok(Form::Page));
        assert_eq!(form("text/html"), Err(Kind::NotAcceptable));
        assert_eq!(Form::of(&HeaderMap::new()).map_err(|problem| problem.kind()), Ok(Form::Page));
    }
}
