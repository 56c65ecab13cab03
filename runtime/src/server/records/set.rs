//! All records that fulfil a filter, changed or deleted in one transaction: `PATCH` and `DELETE` of `/table/{table}/records`.
//!
//! A request that forgot its filter would change everything: it must say `all=true`. `Prefer: max-affected=N` has more than
//! that refused.
//!
//! **Which records.** Those that fulfil the filters when the transaction runs. But a filter without an index looks at every
//! record, and while the loop does that it does nothing else. So they are found beside the loop, in a view, and the
//! transaction asks the filters again of few:
//!
//! ```text
//! view at commit C ──► found: what fulfils the filters there         beside the loop, as long as a list may take
//! view at commit D ──► of found, and of what was written after C     the same once or twice more, each time for less
//! transaction      ──► of found, and of what was written after D     in the loop, which has a second for it
//! ```
//!
//! That leaves nothing out: a record that fulfils the filters now was in the view as it is now, and so was found, or was
//! written since, and so has a later version. Versions are a number a record, which is read a thousand times faster than a
//! filter is asked. After an edit of the schema versions say nothing of what a filter sees: the transaction looks at all then,
//! as it does where an index leaves so few that finding them takes no time.

use super::deadline::Deadline;
use super::filter::Filter;
use super::order::{Order, compare_ids};
use super::scan::{Scanned, Wanted, scan};
use crate::client::Committed;
use crate::dynamic::{DynRecord, DynTable, TableNo};
use crate::error::Result;
use crate::id::RecordId;
use crate::limits::{LOOP_SCAN_RECORDS_MAX, LOOP_SCAN_TIME_MAX, SCAN_TIME_MAX};
use crate::server::draft::{Draft, Unknown};
use crate::server::extract::{Object, Path, Query};
use crate::server::json;
use crate::server::params::{FromParams, Params};
use crate::server::precondition::{prefer_max_affected, require_match_not};
use crate::server::problem::{Kind, Mistakes, Problem};
use crate::server::reply::Reply;
use crate::server::state::{Server, Shared};
use crate::txn::Transaction;
use crate::view::View;
use axum::extract::State;
use axum::http::HeaderMap;
use dbgen_schema::json::Mode;
use dbgen_schema::{Schema, Table};
use serde_json::json;
use std::sync::Arc;

/// States of the table after the first in which the records are looked for beside the loop: each is as old as the search in
/// the one before took, which is less each time.
const LATER_VIEWS: usize = 2;

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
    let change = |tx: &mut Transaction, table: TableNo, id: RecordId| match tx.read_table(table)?.get(id) {
        Ok(_) => tx.delete_record(table, id).map(drop),
        // It went along with one before it.
        Err(_) => Ok(()),
    };
    each(&server, table, options, &headers, change).await
}

/// Does something to every record that fulfils the filters, in one transaction.
async fn each(
    server: &Arc<Server>,
    table: String,
    options: SetOptions,
    headers: &HeaderMap,
    mut change: impl FnMut(&mut Transaction, TableNo, RecordId) -> Result<()> + Send + 'static,
) -> Result<Reply, Problem> {
    let max_affected = prefer_max_affected(headers)?;
    let SetOptions { filters, mistakes } = options;
    let set = Arc::new(Set { table, filters });
    set.check(&server.view(), mistakes)?;
    let beside = set.clone();
    let known = super::at_leisure(server, move |server| beside.find(server)).await?;
    let clock = server.db.shared.clock.clone();
    let body = move |tx: &mut Transaction| {
        let table = tx.open_table(&set.table)?;
        require_match_not(tx, table, "change them one by one, or as a batch with `if_match`")?;
        let mut deadline = Deadline::after(clock, LOOP_SCAN_TIME_MAX);
        let ids = set.current(tx, table, known.as_ref(), &mut deadline)?;
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

/// Records of a table, as the client asked for them.
#[derive(Debug)]
struct Set {
    table: String,
    /// All of these hold; none if every record is meant.
    filters: Vec<(String, String)>,
}

/// What fulfilled the filters in a view.
#[derive(Debug)]
struct Known {
    ids: Vec<RecordId>,
    commit: u64,
    schema_version: u64,
}

impl Set {
    /// Reads the filters; all that is wrong with them is told at once, beside what was wrong before.
    fn read(&self, schema: &Schema, table: &Table, mut mistakes: Mistakes) -> Result<Vec<Filter>, Problem> {
        let mut filters = Vec::with_capacity(self.filters.len());
        for (name, text) in &self.filters {
            let read = Filter::parse(schema, table, SetOptions::NAMES, (name.as_str(), text.as_str()));
            filters.extend(mistakes.note(read));
        }
        mistakes.check(Kind::InvalidParameter)?;
        Ok(filters)
    }

    /// That the filters are right, before anything is looked for.
    fn check(&self, view: &View, mistakes: Mistakes) -> Result<(), Problem> {
        self.read(view.schema(), view.open_table(&self.table)?.schema(), mistakes).map(drop)
    }

    /// Finds the records beside the loop; `None` if that would take the loop no time.
    fn find(&self, server: &Server) -> Result<Option<Known>, Problem> {
        if self.filters.is_empty() {
            return Ok(None);
        }
        let mut deadline = Deadline::after(server.db.shared.clock.clone(), SCAN_TIME_MAX);
        let (filters, mut known) = {
            let view = server.view();
            let table = view.open_table(&self.table)?;
            let filters = self.read(view.schema(), table.schema(), Mistakes::of_url())?;
            let found = scan_all(table, &filters, &mut deadline)?;
            if found.examined <= LOOP_SCAN_RECORDS_MAX {
                return Ok(None);
            }
            let (commit, schema_version) = (view.commit(), view.schema_version());
            (filters, Known { ids: ids_of(found), commit, schema_version })
        };
        for _ in 0..LATER_VIEWS {
            let view = server.view();
            if view.commit() == known.commit || view.schema_version() != known.schema_version {
                break;
            }
            known.ids = known.brought_up_to(view.open_table(&self.table)?, &filters, &mut deadline)?;
            known.commit = view.commit();
        }
        Ok(Some(known))
    }

    /// The records as the transaction sees them.
    fn current(
        &self,
        tx: &Transaction,
        table: TableNo,
        known: Option<&Known>,
        deadline: &mut Deadline,
    ) -> Result<Vec<RecordId>, Problem> {
        let table = tx.read_table(table)?;
        if self.filters.is_empty() {
            return Ok(table.in_slots(None).map(DynRecord::id).collect());
        }
        let filters = self.read(tx.schema(), table.schema(), Mistakes::of_url())?;
        match known.filter(|known| known.schema_version == tx.catalog().version()) {
            Some(known) => known.brought_up_to(table, &filters, deadline),
            None => scan_all(table, &filters, deadline).map(ids_of),
        }
    }
}

impl Known {
    /// What fulfils the filters in a later state of the table.
    fn brought_up_to(
        &self,
        table: DynTable<'_>,
        filters: &[Filter],
        deadline: &mut Deadline,
    ) -> Result<Vec<RecordId>, Problem> {
        let is_later = |record: &DynRecord<'_>| record.version() > self.commit;
        let written = table.iter().filter(is_later).map(DynRecord::id);
        let mut ids: Vec<RecordId> = self.ids.iter().copied().chain(written).collect();
        ids.sort_unstable_by(|a, b| compare_ids(*a, *b));
        ids.dedup();
        let mut columns = Vec::new();
        filters.iter().for_each(|filter| filter.columns(&mut columns));
        deadline.watch(table.schema(), columns);
        let mut fulfilling = Vec::new();
        for id in ids {
            deadline.check()?;
            // One that has gone fulfils nothing.
            if let Ok(record) = table.get(id)
                && filters.iter().all(|filter| filter.holds(record))
            {
                fulfilling.push(id);
            }
        }
        Ok(fulfilling)
    }
}

/// All records that fulfil the filters, by id.
fn scan_all(table: DynTable<'_>, filters: &[Filter], deadline: &mut Deadline) -> Result<Scanned, Problem> {
    let order = Order::default();
    let wanted = Wanted { filters, order: &order, after: None, count: usize::MAX, count_all: false };
    scan(table, &wanted, deadline)
}

fn ids_of(found: Scanned) -> Vec<RecordId> {
    found.rows.into_iter().map(|found| found.id).collect()
}
