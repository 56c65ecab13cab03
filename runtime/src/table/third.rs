//! A third version of a table, made a piece at a time.
//!
//! Two versions circulate. A reader that holds one for a moment costs nothing: the writer turns to the other one. A
//! snapshot holds one for as long as a disk takes, and then the writer would have to copy the whole table in the middle of a
//! tick: half a second for a gigabyte. So before it takes its version, it has a third one made. [`Growing::step`] copies a
//! piece of what is published while nobody writes, and catches up with what was published since the piece before; between
//! two steps the writer does as it likes.
//!
//! ```text
//! room that has been touched before | bytes that equal the current version's ─► | not copied yet        of every buffer
//! ```
//!
//! Buffers that are written whole at every tick never come to rest. They are copied last, all in one step: a tick that
//! writes them does the same.

use super::buffer::Buffer;
use super::id_runs::IdRuns;
use super::settled::Settled;
use super::version::TableVersion;
use super::writer::TableWriter;

/// A table may grow by so much of its size before its third version needs more room.
const AHEAD: usize = 16;

/// A version in the making.
#[derive(Debug)]
pub(crate) struct Growing {
    version: TableVersion,
    /// Buffers that are written whole: they are copied in the last step.
    is_hot: Vec<bool>,
    /// Bytes of each buffer that there is touched room for.
    touched: Vec<usize>,
}

/// The measures of a version that is to be made. It holds nothing.
#[derive(Debug)]
pub(crate) struct Measures {
    seq: u64,
    /// For each buffer its bytes, and its room.
    buffers: Vec<(usize, usize)>,
}

impl Measures {
    /// Those of a version.
    pub(crate) fn of(version: &TableVersion) -> Measures {
        let buffers = version.buffers.iter().map(|buffer| (buffer.len(), buffer.capacity())).collect();
        Measures { seq: version.seq, buffers }
    }
}

impl Growing {
    /// Takes room for a version, and touches all of it: the first touch of memory costs more than the copy. Needs nobody's
    /// leave.
    pub(crate) fn new(measures: &Measures) -> Growing {
        let count = measures.buffers.len();
        let buffers = std::iter::repeat_with(Buffer::default).take(count).collect();
        let version = TableVersion { seq: measures.seq, buffers, runs: IdRuns::default(), settled: Settled::default() };
        let mut growing = Growing { version, is_hot: vec![false; count], touched: vec![0; count] };
        growing.make_room(measures);
        growing
    }

    /// Whether the table has outgrown the room that was touched: who copied on now would touch the rest while the writer
    /// waits, which takes milliseconds where pages are large.
    pub(crate) fn lacks_room(&self, measures: &Measures) -> bool {
        self.touched.iter().zip(&measures.buffers).any(|(touched, (len, _))| len > touched)
    }

    /// Touches room for what the table has become, and some more. Needs nobody's leave.
    pub(crate) fn make_room(&mut self, measures: &Measures) {
        let buffers = self.version.buffers.iter_mut().zip(&mut self.touched);
        for ((buffer, touched), (len, capacity)) in buffers.zip(&measures.buffers) {
            if len > touched {
                let wanted = (len + len / AHEAD).min(*capacity);
                buffer.touch(*touched..wanted, *len, *capacity);
                *touched = wanted;
            }
        }
    }

    /// Goes on for about so many bytes. Gives itself back if there is more to do; otherwise it circulates. Must not run
    /// inside a transaction.
    pub(crate) fn step(mut self, writer: &mut TableWriter, bytes: usize) -> Option<Growing> {
        self.catch_up(writer);
        let current = writer.current().clone();
        let mut left = bytes;
        for (at, (mine, theirs)) in self.version.buffers.iter_mut().zip(&current.buffers).enumerate() {
            if self.is_hot[at] {
                continue;
            }
            left -= mine.copy_some(theirs, left);
            if mine.len() < theirs.len() {
                return Some(self);
            }
        }
        for (at, (mine, theirs)) in self.version.buffers.iter_mut().zip(&current.buffers).enumerate() {
            if self.is_hot[at] {
                mine.clear();
                mine.copy_some(theirs, usize::MAX);
            }
        }
        writer.add_spare(self.version);
        None
    }

    /// Follows what was published since the last step, as far as it has been copied already.
    fn catch_up(&mut self, writer: &TableWriter) {
        let current = writer.current();
        if self.version.buffers.iter().all(Buffer::is_empty) {
            // There is nothing to follow with yet. Touching a gibibyte took a second, and what was published meanwhile would
            // take milliseconds to go through.
            self.version.seq = current.seq;
            return;
        }
        match writer.published_since(self.version.seq) {
            Some(missed) => {
                for entry in missed {
                    let at = entry.buffer();
                    let is_stale = entry.follow_within(&mut self.version.buffers[at], &current.buffers[at]);
                    self.is_hot[at] |= is_stale;
                }
            }
            // It has slept for too long: from the start.
            None => self.version.buffers.iter_mut().for_each(Buffer::clear),
        }
        self.version.seq = current.seq;
    }
}

#[cfg(test)]
mod tests {
    use super::{Growing, Measures};
    use crate::{Database, Value};

    const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": { "t": { "fields": [
        {"name":"n","type":"u64","indexed":true}, {"name":"text","type":"text"} ] } } }"#;

    /// A version grows while transactions go on; afterwards a held view costs no copy of the table.
    #[test]
    fn a_third_version_grows_beside_transactions_and_is_what_was_published() {
        let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
        let t = db.read().open_table("t").expect("it is there").number();
        let add =
            |n: u64| db.transact(|tx| tx.insert_values(t, &[(0, n.into()), (1, "x".repeat(n as usize % 50).into())]));
        let ids: Vec<_> = (0..2000).map(|n| add(n).expect("it fits")).collect();
        let mut growing = {
            let mut writer = db.shared.lock().expect("nobody has it");
            assert!(writer.engine().tables[0].wants_version(3, 1000), "two versions circulate");
            Some(Growing::new(&Measures::of(writer.engine().tables[0].current())))
        };
        let mut steps = 0_u64;
        while let Some(unfinished) = growing {
            for n in 0..3 {
                let id = ids[(steps * 37 + n * 11) as usize % ids.len()];
                db.transact(|tx| tx.update_values(t, id, &[(0, Value::from(steps))])).expect("it is there");
            }
            add(steps).expect("it fits");
            growing = unfinished.step(&mut db.shared.lock().expect("nobody has it").engine().tables[0], 4096);
            steps += 1;
        }
        assert!(steps > 10, "{steps}");
        // It would lag, since the writer turns to the two newest.
        for (n, id) in ids.iter().enumerate().take(20) {
            db.transact(|tx| tx.update_values(t, *id, &[(0, Value::from(n as u64))])).expect("it is there");
        }
        let mut writer = db.shared.lock().expect("nobody has it");
        assert!(writer.engine().tables[0].wants_version(3, 1000), "a third one that lags is none");
        while !writer.engine().freshen(0, 1) {}
        assert!(!writer.engine().tables[0].wants_version(3, 1000), "it has caught up");
        drop(writer);
        let copies = || db.shared.lock().expect("nobody has it").engine().tables[0].stats.whole_copies;
        let before = copies();
        let held = db.read();
        for n in 0..20 {
            let id = ids[n * 7];
            db.transact(|tx| tx.update_values(t, id, &[(0, Value::from(n as u64))])).expect("it is there");
            db.read().verify().expect("whole");
        }
        assert_eq!(copies(), before, "the table was copied whole for a view that was held");
        held.verify().expect("what is held stays what it was");
    }

    #[test]
    fn a_version_that_slept_too_long_begins_again() {
        let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
        let t = db.read().open_table("t").expect("it is there").number();
        let add = |n: u64| db.transact(|tx| tx.insert_values(t, &[(0, n.into()), (1, "x".into())])).expect("it fits");
        for n in 0..500 {
            add(n);
        }
        let measures = Measures::of(db.shared.lock().expect("nobody has it").engine().tables[0].current());
        let mut growing = Some(Growing::new(&measures));
        growing = growing.and_then(|it| it.step(&mut db.shared.lock().expect("free").engine().tables[0], 2000));
        for n in 0..crate::limits::HISTORY_COMMITS_MAX as u64 + 10 {
            add(n);
        }
        while let Some(unfinished) = growing {
            growing = unfinished.step(&mut db.shared.lock().expect("free").engine().tables[0], 2000);
        }
        let held = db.read();
        for n in 0..10 {
            add(n);
        }
        db.read().verify().expect("whole");
        held.verify().expect("whole");
    }
}
