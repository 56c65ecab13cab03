//! What all requests share, and how they write.

use super::config::ServerConfig;
use super::once::{self, Once};
use super::openapi::Document;
use super::precondition::{Preconditions, schema_tag};
use super::problem::Problem;
use super::schema::Written;
use super::stats::Counts;
use super::timing::{self, Way};
use crate::client::Committed;
use crate::db::{Database, Writer};
use crate::edit::SchemaEdit;
use crate::editing::{Editing, Step};
use crate::error::{Error, Result};
use crate::limits::{BODIES_MAX, BULK_BODIES_MAX, REQUESTS_MAX};
use crate::txn::Transaction;
use crate::view::View;
use serde_json::Value as Json;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, oneshot};

/// What all requests share.
pub(crate) struct Server {
    pub(crate) db: Database,
    pub(crate) config: ServerConfig,
    pub(crate) address: SocketAddr,
    /// Room for requests that run at the same time.
    pub(crate) room: Semaphore,
    /// Room for bodies that are on their way in: those that are read whole, and those of bulk inserts.
    coming: [Semaphore; 2],
    /// Which run of the server counted the versions in entity tags: those of another run never match.
    pub(crate) epoch: u64,
    /// Seals cursors. Keyed by the system's randomness, made for this run alone.
    pub(crate) seal: RandomState,
    /// The schema as JSON, kept until it changes.
    pub(crate) schema: Mutex<Option<Arc<Written>>>,
    /// The OpenAPI document, kept until the schema changes.
    pub(crate) openapi: Mutex<Option<Arc<Document>>>,
    pub(crate) counts: Counts,
    /// Requests that came under a key.
    pub(crate) once: Once,
    requests: AtomicU64,
}

impl Server {
    pub(crate) fn new(db: Database, config: ServerConfig, address: SocketAddr) -> Server {
        let seal = RandomState::new();
        Server {
            db,
            config,
            address,
            room: Semaphore::new(REQUESTS_MAX),
            coming: [BODIES_MAX, BULK_BODIES_MAX].map(Semaphore::new),
            epoch: seal.hash_one("epoch") >> 32,
            seal,
            schema: Mutex::new(None),
            openapi: Mutex::new(None),
            counts: Counts::default(),
            once: Once::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// Room for bodies on their way in, of bulk inserts or of all else.
    pub(crate) fn coming(&self, is_bulk: bool) -> &Semaphore {
        &self.coming[usize::from(is_bulk)]
    }

    /// Requests that are being answered.
    pub(crate) fn in_flight(&self) -> usize {
        REQUESTS_MAX.saturating_sub(self.room.available_permits())
    }

    /// All tables at the last commit.
    pub(crate) fn view(&self) -> View {
        self.db.read()
    }

    /// Runs `body` as one transaction in the loop and waits for its end. What it did is visible to every view taken after.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Transaction) -> Result<R> + Send + 'static,
    ) -> Result<Committed<R>, Problem> {
        Ok(self.in_loop(move |writer| writer.run(|tx| tx, body).into_result()).await??)
    }

    /// Edits the schema in the loop and waits for its end. `base` points to where the body of the request stands in the
    /// whole schema. Under an `If-Match`, the schema must still be the one that it names when the edit is made.
    pub(crate) async fn edit(
        &self,
        edit: SchemaEdit,
        base: &str,
        preconditions: &Preconditions,
    ) -> Result<Committed<u64>, Problem> {
        let editing = Editing::new(&self.db.shared, vec![edit]);
        let editing = match preconditions.names_tags() {
            true => {
                let version = self.view().schema_version();
                preconditions.check_match(&schema_tag(self.epoch, version))?;
                editing.meant_for(version)
            }
            false => editing,
        };
        let edited = self.make_edits(editing).await?;
        edited.map_err(|error| Problem::of_edit(error, base))
    }

    /// Makes edits of the schema: what takes long on a thread of its own, beside the loop, and their end in the loop. The outer
    /// error is that the loop did not come to it.
    pub(crate) async fn make_edits(&self, editing: Editing) -> Result<Result<Committed<u64>>, Problem> {
        let mut editing = Box::new(editing);
        loop {
            if editing.is_beside() {
                let prepared = tokio::task::spawn_blocking(move || editing.prepare()).await;
                editing = match prepared.map_err(|error| super::problem::internal(&error))? {
                    Ok(prepared) => prepared,
                    Err(refused) => return Ok(Err(refused)),
                };
            }
            let step = match self.in_loop(move |writer| editing.finish(writer.engine())).await? {
                Ok(step) => step,
                Err(refused) => return Ok(Err(refused)),
            };
            let Committed { value, commit, durable } = step;
            match value {
                Step::Done(value) => return Ok(Ok(Committed { value, commit, durable })),
                Step::Again(again) => editing = again,
            }
        }
    }

    /// What would be wrong with an edit of the schema by itself, if anything; nothing is changed.
    pub(crate) async fn try_edit(&self, edit: SchemaEdit, base: &str) -> Result<(), Problem> {
        let tried = self.in_loop(move |writer| writer.engine().try_edits(&[edit])).await?;
        tried.map(drop).map_err(|error| Problem::of_edit(error, base))
    }

    /// Calls a procedure in the loop and waits for its end.
    pub(crate) async fn call(&self, procedure: &str, arguments: Json) -> Result<Committed<Json>, Problem> {
        let call = self.db.procedure_call(procedure, arguments)?;
        Ok(self.in_loop(call).await??)
    }

    /// Has the loop do something, and waits until what it did is visible and as durable as is asked, which the answer says.
    /// The outer error is that the loop did not come to it.
    pub(crate) async fn in_loop<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Result<Committed<R>>, Problem> {
        self.through_loop(job).await.inspect(|done| {
            if let Ok(Committed { durable, .. }) = done {
                timing::tell_durable(*durable);
            }
        })
    }

    /// The same, of what the answer does not speak of.
    pub(crate) async fn through_loop<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Result<Committed<R>>, Problem> {
        let (sender, receiver) = oneshot::channel();
        let way = Way::begin();
        let (of_job, of_answer) = (way.clone(), way.clone());
        let (attempt, clock) = (once::current(), self.db.shared.clock.clone());
        let timed = move |writer: &mut Writer<'_>| {
            of_job.begins();
            let done = match attempt {
                Some(attempt) => attempt.execute(writer, clock.wall_us(), job),
                None => job(writer),
            };
            of_job.ends();
            done
        };
        let answer = move |result| {
            of_answer.is_answered();
            // A client that has gone leaves nobody to be told.
            drop(sender.send(result));
        };
        self.db.enqueue_job(timed, answer)?;
        timing::accept();
        let at_most = self.config.write_wait_max;
        match tokio::time::timeout(at_most, receiver).await {
            Ok(Ok(result)) => {
                way.tell();
                Ok(result)
            }
            // The loop ended with the request in its queue.
            Ok(Err(_)) => Err(Error::Stopped.into()),
            Err(_) => Err(Error::TimedOut(at_most).into()),
        }
    }

    /// A name for a request: the time in milliseconds and 80 bits that no other request has, as 26 letters and digits, so
    /// that names sort by time.
    pub(crate) fn next_request_id(&self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        let millis = (self.db.shared.clock.wall_us().max(0) / 1000) as u128;
        let random = u128::from(self.seal.hash_one(count)) << 16 | u128::from(count & 0xffff);
        let number = millis << 80 | random;
        (0..26).rev().map(|at| char::from(DIGITS[(number >> (at * 5)) as usize & 31])).collect()
    }
}

/// A handle to what all requests share.
pub(crate) type Shared = axum::extract::State<Arc<Server>>;
