//! THE mutation: what every write is made of, whoever asks for it. Typed handles, dynamic values, REST, RPC and, later, the
//! log speak it, and [`apply`](crate::apply) is the only one that executes it.

use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::record::image::RecordImage;

/// A mutation of one record.
#[derive(Debug)]
pub enum Op<'a> {
    /// A new record. Zero in an auto-increment field takes the next number.
    Insert {
        /// Position of the table.
        table: usize,
        /// The record that it belongs to, for a component table: it gets the same id.
        owner: Option<RecordId>,
        /// The record. Its pending heap values are moved into the table's heap.
        image: &'a mut RecordImage,
    },
    /// New records, all of them or none. The first that breaks a rule does not hide what is wrong with the others.
    InsertMany {
        /// Position of the table.
        table: usize,
        /// The records.
        records: &'a mut dyn Images,
        /// Where their ids go, in their order.
        ids: &'a mut Vec<RecordId>,
    },
    /// A record's new content, whole. What equals the old is not written.
    Update {
        /// Position of the table.
        table: usize,
        /// The record.
        id: RecordId,
        /// Its content. Heap cells that are not pending mean "as it is".
        image: &'a mut RecordImage,
    },
    /// One field's new content.
    Write {
        /// Position of the table.
        table: usize,
        /// The record.
        id: RecordId,
        /// The field.
        field: usize,
        /// Its cell, a valid one of its type with nothing in the heap; `None` = null.
        cell: Option<&'a [u8]>,
    },
    /// A record's end, with what its relations demand of others.
    Delete {
        /// Position of the table.
        table: usize,
        /// The record.
        id: RecordId,
    },
}

/// Records on their way in, one after another.
pub trait Images {
    /// Writes the next records into an image in place of what is there: at least one and at most `records_max` of them, which
    /// are one or as many as go into a chunk, and none behind one that does not fit. Says how many; 0 = there is none.
    fn fill(&mut self, image: &mut RecordImage, records_max: usize) -> usize;

    /// How many records there are at least, before the first is asked for.
    fn expected(&self) -> usize;
}

impl std::fmt::Debug for dyn Images + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("records")
    }
}

/// What a mutation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The record is there, under this id.
    Inserted(RecordId),
    /// So many records are there.
    InsertedMany(usize),
    /// The record has changed.
    Updated,
    /// The record was like that already.
    Unchanged,
    /// So many records are gone, cascades included.
    Deleted(usize),
}

impl Applied {
    /// What an insert came to: the record's id.
    #[inline(always)]
    pub(crate) fn id(done: Result<Applied>) -> Result<RecordId> {
        // Looked at where it lies: to move it, a processor would read in one piece what was just written in two, and wait until
        // both have reached the cache.
        match &done {
            Ok(Applied::Inserted(id)) => Ok(*id),
            _ => Err(failed(done)),
        }
    }

    /// What a deletion came to: how many records are gone.
    #[inline(always)]
    pub(crate) fn count(done: Result<Applied>) -> Result<usize> {
        match &done {
            Ok(Applied::Deleted(count)) => Ok(*count),
            _ => Err(failed(done)),
        }
    }

    /// What anything else came to.
    #[inline(always)]
    pub(crate) fn nothing(done: Result<Applied>) -> Result<()> {
        match &done {
            Ok(_) => Ok(()),
            Err(_) => Err(failed(done)),
        }
    }
}

/// Why an operation was not done. One that was does what it is called.
#[cold]
#[inline(never)]
fn failed(done: Result<Applied>) -> Error {
    match done {
        Err(error) => error,
        Ok(other) => unreachable!("an insert inserts and a deletion deletes, which is not {other:?}"),
    }
}
