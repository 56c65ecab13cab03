//! All records that fulfil a filter, changed or deleted in one transaction: `PATCH` and `DELETE` of `/table/{table}/records`.
//!
//! A request that forgot its filter would change everything: it must say `all=true`. `Prefer: max-affected=N` has more than
//! that refused.

use super::filter::Filter;
use super::order::Order;
use super::scan::{Wanted, scan};
use crate::client::Committed;
use crate::dynamic::TableNo;
use crate::error::Result;
use crate::id::RecordId;
use crate::server::draft::{Draft, Unknown};
use crate::server::extract::{Object, Path, Query};
use crate::server::json;
use crate::server::params::{FromParams, Params};
use crate::server::precondition::{prefer_max_affected, require_match_not};
use crate::server::problem::{Kind, Mistakes, Problem};
use crate::server::reply::Reply;
use crate::server::state::{Server, Shared};
use crate::txn::Transaction;
use axum::extract::State;
use axum::http::HeaderMap;
use dbgen_schema::json::Mode;
use serde_json::json;

/// Which records.
#[derive(Debug)]
pub(crate) struct SetOptions {
    /// All of these hold; none if every record is meant.
    filters: Vec<(String, String)>,
    /// What is wrong with the parameters so far.
    mistakes: Mistakes,
}

impl FromParams for SetOptions {
    const NAMES: &'static [&'static str] = &["all"];

    fn from_params(params: &mut Params) -> Self {
        let (all, filters) = (params.take_flag("all"), params.take_rest());
        let mut mistakes = params.take_mistakes();
        match (all, filters.is_empty()) {
            // A wrong `all` is told as such.
            (false, true) if mistakes.is_empty() => {
                let detail = "give a filter like `hp=lt.1`, or `all=true` if every record is meant";
                mistakes.push(Problem::new(Kind::FilterRequired, detail));
            }
            (true, false) => {
                let detail = "`all=true` stands with no filter";
                mistakes.push(Problem::new(Kind::InvalidParameter, detail).member("param", "all"));
            }
            _ => {}
        }
        SetOptions { filters, mistakes }
    }
}

/// `PATCH /table/{table}/records`
pub(crate) async fn patch(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<SetOptions>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Reply, Problem> {
    let draft = Draft::new(object, Mode::Patch, Unknown::Refuse).decoded(&server.view(), &table)?;
    let change = move |tx: &mut Transaction, table: TableNo, id: RecordId| {
        let values = draft.clone().into_values(tx, table, Some(id))?;
        tx.update_values(table, id, &values)
    };
    each(&server, table, options, &headers, change).await
}

/// `DELETE /table/{table}/records`
pub(crate) async fn remove(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<SetOptions>,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let change = |tx: &mut Transaction, table: TableNo, id: RecordId| match tx.read_table(table).get(id) {
        Ok(_) => tx.delete_record(table, id).map(drop),
        // It went along with one before it.
        Err(_) => Ok(()),
    };
    each(&server, table, options, &headers, change).await
}

/// Does something to every record that fulfils the filters, in one transaction.
async fn each(
    server: &Server,
    name: String,
    mut options: SetOptions,
    headers: &HeaderMap,
    mut change: impl FnMut(&mut Transaction, TableNo, RecordId) -> Result<()> + Send + 'static,
) -> Result<Reply, Problem> {
    let max_affected = prefer_max_affected(headers)?;
    // Asked here too, so that a wrong filter costs the loop nothing.
    let view = server.view();
    let definition = view.open_table(&name)?.schema();
    let mut mistakes = std::mem::take(&mut options.mistakes);
    for (field, text) in &options.filters {
        mistakes.note(Filter::parse(view.schema(), definition, field, text));
    }
    mistakes.check(Kind::InvalidParameter)?;
    let body = move |tx: &mut Transaction| {
        let table = tx.open_table(&name)?;
        require_match_not(tx, table, "change them one by one, or as a batch with `if_match`")?;
        let ids = found(tx, table, &options)?;
        if max_affected.is_some_and(|max| ids.len() > max) {
            let detail = format!("{} records would be affected", ids.len());
            return Err(Problem::new(Kind::MaxAffected, detail).member("affected", ids.len()).into());
        }
        ids.iter().try_for_each(|id| change(tx, table, *id))?;
        Ok(ids.len())
    };
    let answer = |done: Committed<usize>| {
        let answer = json!({ "affected": done.value, "version": done.commit });
        Reply::json(json::to_vec(&answer)).commit(done.commit)
    };
    server.answered(body, answer).await
}

/// The records that fulfil the filters, as the transaction sees them.
fn found(tx: &Transaction, table: TableNo, options: &SetOptions) -> Result<Vec<RecordId>> {
    let (schema, opened) = (tx.schema(), tx.read_table(table));
    let filters = options.filters.iter().map(|(field, text)| Filter::parse(schema, opened.schema(), field, text));
    let filters = filters.collect::<Result<Vec<Filter>, Problem>>()?;
    let order = Order::default();
    let wanted = Wanted { filters: &filters, order: &order, after: None, count: usize::MAX, count_all: false };
    Ok(scan(opened, &wanted)?.rows.into_iter().map(|found| found.id).collect())
}
