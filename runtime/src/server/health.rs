//! Is it alive, is it ready, what is it.

use super::extract::Query;
use super::json;
use super::problem::Problem;
use super::reply::Reply;
use super::state::Shared;
use crate::error::Error;
use axum::extract::State;
use serde_json::json;
use std::time::Duration;
use tokio::sync::oneshot;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive(Query(()): Query<()>) -> Reply {
    Reply::json(r#"{"status":"ok"}"#)
}

/// `GET /readyz`: the loop takes and answers requests, and what they write can be logged: 507 once it cannot.
pub(crate) async fn ready(State(server): Shared, Query(()): Query<()>) -> Result<Reply, Problem> {
    const WAIT_MAX: Duration = Duration::from_secs(1);
    let (sender, receiver) = oneshot::channel();
    // A request that takes no transaction, so that a probe leaves no trace in the figures.
    server.db.shared.queue.push(Box::new(move |_| {
        Box::new(move |_| {
            // Who asked may have gone.
            sender.send(()).ok();
        })
    }))?;
    let answered = tokio::time::timeout(WAIT_MAX, receiver).await;
    // A write would be answered with the same problem. Who sends no more requests because of it loses the reads as well:
    // that is for him to decide.
    if let Some(why) = server.db.durability().and_then(|status| status.read_only) {
        return Err(Error::ReadOnly { why }.into());
    }
    match answered {
        Ok(Ok(())) => Ok(Reply::json(r#"{"status":"ready"}"#)),
        Ok(Err(_)) => Err(Error::Stopped.into()),
        Err(_) => Err(Error::TimedOut(WAIT_MAX).into()),
    }
}

/// `GET /version`
pub(crate) async fn version(State(server): Shared, Query(()): Query<()>) -> Reply {
    let view = server.view();
    let version = json!({
        "dbgen": env!("CARGO_PKG_VERSION"),
        "database": { "name": view.schema().name, "version": view.schema().version },
        "schema_version": view.schema_version(),
        "db_version": view.commit(),
        "epoch": server.epoch,
    });
    Reply::json(json::to_vec(&version)).commit(view.commit())
}
