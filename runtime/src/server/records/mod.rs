//! Lists of records: filter, order, page.
//!
//! A page is a keyset: the records behind the last one of the page before, in an order that ends with `_id` and so is total.
//! Records that come and go between two pages therefore neither repeat nor hide those that stay.

mod bulk;
mod column;
mod csv;
mod cursor;
mod deadline;
mod export;
mod filter;
mod incoming;
mod logic;
mod order;
mod pattern;
mod query;
mod scan;
mod set;
mod way;

pub(crate) use bulk::post as bulk_insert;
pub(crate) use column::text_value;
pub(crate) use query::post as query;
pub(crate) use set::{patch as patch_set, remove as remove_set};

use super::extract::{Path, Query};
use super::json;
use super::params::{FromParams, Params, invalid_parameter};
use super::problem::{Kind, Mistakes, Problem};
use super::reply::Reply;
use super::row::{Row, RowJson};
use super::state::{Server, Shared};
use crate::dynamic::DynTable;
use crate::limits::{PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX, SCAN_TIME_MAX};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, LINK};
use column::field_at;
use cursor::{Cursor, Direction};
use dbgen_schema::json::Int64;
use deadline::Deadline;
use export::Form;
use filter::Filter;
use order::Order;
use scan::{Found, Wanted};
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;

/// Whether to say how many records fulfil the conditions. Of a table without conditions it is always said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Count {
    #[default]
    None,
    /// Every record is looked at.
    Exact,
    /// About how many: a sample is looked at.
    Estimated,
}

impl Count {
    pub(crate) const WORDS: &[(&str, Count)] =
        &[("none", Count::None), ("exact", Count::Exact), ("estimated", Count::Estimated)];
}

/// What of a table is to be listed, as the client wrote it.
#[derive(Debug, Default)]
pub(crate) struct ListQuery {
    pub(crate) filters: Vec<(String, String)>,
    /// Further conditions, as JSON. They are read with the schema of the view that is listed: fields are numbers then.
    pub(crate) conditions: Option<Json>,
    pub(crate) order: Option<String>,
    pub(crate) select: Option<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) cursor: Option<String>,
    pub(crate) count: Count,
    pub(crate) int64: Int64,
    /// What is wrong with it so far. All of it is told when the table is at hand.
    pub(crate) mistakes: Mistakes,
}

impl FromParams for ListQuery {
    const NAMES: &'static [&'static str] = &["select", "order", "limit", "offset", "cursor", "count", "int64"];

    fn from_params(params: &mut Params) -> Self {
        ListQuery {
            select: params.take("select"),
            order: params.take("order"),
            limit: params.take_read("limit", limit_of),
            offset: params.take_read("offset", offset_of).unwrap_or_default(),
            cursor: params.take("cursor"),
            count: params.take_word("count", Count::WORDS).unwrap_or_default(),
            int64: params.take_int64(),
            // All others are filters; whether they name fields is seen when the table is at hand.
            filters: params.take_rest(),
            conditions: None,
            mistakes: params.take_mistakes(),
        }
    }
}

fn offset_of(text: &str) -> Result<usize, Problem> {
    text.parse().map_err(|_| invalid_parameter("offset", text, "a whole number"))
}

pub(super) fn limit_of(text: &str) -> Result<usize, Problem> {
    match text.parse() {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(invalid_parameter("limit", text, &format!("a whole number from 1 to {PAGE_RECORDS_MAX}"))),
    }
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) json: Vec<u8>,
    pub(crate) commit: u64,
    next: Option<String>,
    prev: Option<String>,
    plan: String,
}

/// A query that was understood.
#[derive(Debug)]
struct Plan {
    filters: Vec<Filter>,
    order: Order,
    select: Option<Vec<usize>>,
    cursor: Option<Cursor>,
    /// What the cursor must have been made for.
    subject: u64,
}

/// Lists records: a page of them. A filter without an index looks at every record.
pub(crate) async fn list(server: &Arc<Server>, table: String, query: ListQuery) -> Result<Page, Problem> {
    at_leisure(server, move |server| page(server, &table, query)).await
}

/// Runs something off the threads that answer requests, which may take its time.
async fn at_leisure<R: Send + 'static>(
    server: &Arc<Server>,
    work: impl FnOnce(&Server) -> Result<R, Problem> + Send + 'static,
) -> Result<R, Problem> {
    let server = server.clone();
    let done = tokio::task::spawn_blocking(move || work(&server)).await;
    done.unwrap_or_else(|error| Err(super::problem::internal(&error)))
}

fn page(server: &Server, table: &str, mut query: ListQuery) -> Result<Page, Problem> {
    let view = server.view();
    let table = view.open_table(table)?;
    let limit = query.limit.unwrap_or(PAGE_RECORDS_DEFAULT);
    if limit > PAGE_RECORDS_MAX {
        let detail = format!("a page has at most {PAGE_RECORDS_MAX} records, not {limit}; an export has no limit");
        let problem = Problem::new(Kind::LimitTooLarge, detail).member("param", "limit");
        query.mistakes.push(problem.member("max", PAGE_RECORDS_MAX));
    }
    let plan = understand(server, &view, table, &mut query)?;
    let wanted = Wanted {
        filters: &plan.filters,
        order: &plan.order,
        after: plan.cursor.as_ref(),
        // One more than asked, to know whether there are more.
        count: query.offset.saturating_add(limit).saturating_add(1),
        count_all: query.count == Count::Exact && !plan.filters.is_empty(),
    };
    let mut deadline = Deadline::after(server.db.shared.clock.clone(), SCAN_TIME_MAX);
    let mut found = scan::scan(table, &wanted, &mut deadline)?;
    found.rows.drain(..query.offset.min(found.rows.len()));
    let more = found.rows.len() > limit;
    found.rows.truncate(limit);
    let backward = plan.cursor.as_ref().is_some_and(|cursor| cursor.direction == Direction::Backward);
    if backward {
        found.rows.reverse();
    }
    // Who came by a cursor came from somewhere.
    let (has_next, has_prev) = if backward { (true, more) } else { (more, plan.cursor.is_some()) };
    let seal = |row: Option<&Found>, direction| {
        row.map(|row| cursor::seal(server, &view, table, &plan.order, row, direction, plan.subject))
    };
    let next = if has_next { seal(found.rows.last(), Direction::Forward) } else { None };
    let prev = if has_prev { seal(found.rows.first(), Direction::Backward) } else { None };
    let total = match query.count {
        _ if plan.filters.is_empty() => Some(table.len()),
        Count::None => None,
        Count::Exact => found.total,
        Count::Estimated => Some(scan::estimate(table, &wanted, &mut deadline)?),
    };
    let rows: Vec<Row> = found.rows.iter().filter_map(|found| table.get(found.id).ok()).map(Row::of).collect();
    let select = plan.select.as_deref();
    let items = rows.iter().map(|row| RowJson {
        schema: view.schema(),
        table: table.schema(),
        row,
        int64: query.int64,
        select,
    });
    let shape = PageJson { items: items.collect(), next: &next, prev: &prev, total, version: view.commit() };
    Ok(Page { json: json::to_vec(&shape), commit: view.commit(), next, prev, plan: found.plan })
}

#[derive(Serialize)]
struct PageJson<'a> {
    items: Vec<RowJson<'a>>,
    next: &'a Option<String>,
    prev: &'a Option<String>,
    total: Option<usize>,
    version: u64,
}

fn understand(
    server: &Server,
    view: &crate::view::View,
    table: DynTable<'_>,
    query: &mut ListQuery,
) -> Result<Plan, Problem> {
    let (schema, definition) = (view.schema(), table.schema());
    let mut mistakes = std::mem::take(&mut query.mistakes);
    let mut filters = match &query.conditions {
        Some(conditions) => Filter::of_json(schema, definition, conditions, "#/where", &mut mistakes),
        None => Vec::new(),
    };
    for (name, text) in &query.filters {
        let read = Filter::parse(schema, definition, ListQuery::NAMES, (name.as_str(), text.as_str()));
        filters.extend(mistakes.note(read));
    }
    let order = Order::parse(definition, query.order.as_deref().unwrap_or_default(), &mut mistakes);
    let select = query.select.as_deref().map(|text| select(definition, text, &mut mistakes));
    if query.cursor.is_some() && query.offset > 0 {
        let detail = "`offset` counts from the beginning: it cannot stand with `cursor`";
        mistakes.push(Problem::new(Kind::InvalidParameter, detail).member("param", "offset"));
    }
    if let Err(problem) = mistakes.check(Kind::InvalidParameter) {
        // If the schema was another when the cursor was given, names that are not there were there then.
        let is_of_names = problem.kind() == Kind::UnknownParameter
            && query.select.as_deref().is_none_or(|text| selected(text).all(|name| definition.field(name).is_some()));
        let is_outdated = |text: &str| cursor::is_outdated(server, view, text);
        let has_expired = is_of_names && query.cursor.as_deref().is_some_and(is_outdated);
        return Err(if has_expired { cursor::expired() } else { problem });
    }
    let subject = cursor::subject(server, definition, &filters, query.order.as_deref());
    let cursor = match &query.cursor {
        Some(text) => Some(cursor::open(server, view, table, &order, text, subject)?),
        None => None,
    };
    Ok(Plan { filters, order, select, cursor, subject })
}

fn select(definition: &dbgen_schema::Table, text: &str, mistakes: &mut Mistakes) -> Vec<usize> {
    selected(text).filter_map(|name| mistakes.note(field_at(definition, name, "select"))).collect()
}

/// The names of fields in `select`.
fn selected(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|name| !matches!(*name, "_id" | "_version"))
}

/// `GET /table/{table}/records`
pub(crate) async fn get(
    State(server): Shared,
    Path(table): Path<String>,
    RawQuery(raw): RawQuery,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let form = Form::of(&headers)?;
    if form != Form::Page {
        return at_leisure(&server, move |server| export::begin(server, &table, query, form)).await;
    }
    let path = format!("/table/{table}/records");
    let page = list(&server, table, query).await?;
    Ok(listed(page, Some((&path, raw.as_deref().unwrap_or_default()))))
}

/// The answer to a list, with links to its neighbours if it can be had by `GET` from a path with a query.
fn listed(page: Page, got: Option<(&str, &str)>) -> Reply {
    const QUERY_PLAN: HeaderName = HeaderName::from_static("query-plan");
    let mut reply = Reply::json(page.json).commit(page.commit).header(QUERY_PLAN, &page.plan);
    for (cursor, relation) in [(&page.next, "next"), (&page.prev, "prev")] {
        if let (Some(cursor), Some((path, raw))) = (cursor, got) {
            reply = reply.header(LINK, format!("<{path}?{}>; rel=\"{relation}\"", with_cursor(raw, cursor)));
        }
    }
    reply
}

/// The query string with another cursor. An offset counted from the beginning and has done its work.
fn with_cursor(raw: &str, cursor: &str) -> String {
    let is_kept = |pair: &&str| !matches!(pair.split('=').next(), Some("cursor" | "offset" | ""));
    let mut pairs: Vec<&str> = raw.split('&').filter(is_kept).collect();
    let cursor = format!("cursor={cursor}");
    pairs.push(&cursor);
    pairs.join("&")
}
