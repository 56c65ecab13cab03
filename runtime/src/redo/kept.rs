//! Requests that came under a key, kept with their answers: who repeats one is answered, and nothing is done twice.
//!
//! What a request did and that it was done are one record of the log, so that one does not survive a crash without the
//! other. A snapshot carries those along whose records it makes superfluous, for as long as they are kept at all.
//!
//! ```text
//! kept: key 16 | request 16 | time 8 | commit 8 | length 4 | answer           time: microseconds since 1970
//!                                                 2^32 - 1: there is none     numbers are little-endian
//! ```
//!
//! The key and the request are hashes that whoever keeps them makes; the answer is theirs too. One without an answer was
//! executed, in part at least, and what it was answered is not known, since the process ended before it was.

#![cfg_attr(not(feature = "server"), allow(dead_code, reason = "only the server is asked the same twice"))]

use crate::limits::{IDEMPOTENCY_BYTES_MAX, IDEMPOTENCY_KEPT, IDEMPOTENCY_KEYS_MAX};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The hash of a key, or of a request.
pub(crate) type Hash = [u8; 16];

/// That there is no answer.
const NO_ANSWER: u32 = u32::MAX;

/// A request that came under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its key.
    pub(crate) key: Hash,
    /// What it asks for, and who asks.
    pub(crate) request: Hash,
    /// When it was executed: microseconds since 1970.
    pub(crate) at_us: i64,
    /// The commit that it was, the first of them if it was several.
    pub(crate) commit: u64,
    /// What it was answered.
    pub(crate) answer: Option<Arc<[u8]>>,
    /// Which attempt it was: counted by who asks, and worth nothing after a restart.
    pub(crate) attempt: u64,
    /// The commit of its answer, if the log has it; 0 = it is in memory alone.
    pub(crate) logged: u64,
}

impl Kept {
    /// Appends it to `bytes`. With an answer later than `up_to`, it has none.
    pub(super) fn encode(&self, up_to: u64, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&self.request);
        bytes.extend_from_slice(&self.at_us.to_le_bytes());
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        let answer = self.answer.as_ref().filter(|_| self.logged <= up_to);
        // An answer is shorter: it is in memory together with all others.
        let length = answer.map_or(NO_ANSWER, |answer| answer.len() as u32);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(answer.map_or(&[], |answer| answer));
    }

    /// The first of those that `bytes` hold, which are then the rest; `None` if they do not begin with one.
    fn decode(bytes: &mut &[u8], logged: u64) -> Option<Kept> {
        let mut take = |len: usize| {
            let (taken, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            Some(taken)
        };
        let (key, request) = (take(16)?.try_into().ok()?, take(16)?.try_into().ok()?);
        let at_us = i64::from_le_bytes(take(8)?.try_into().ok()?);
        let commit = u64::from_le_bytes(take(8)?.try_into().ok()?);
        let answer = match u32::from_le_bytes(take(4)?.try_into().ok()?) {
            NO_ANSWER => None,
            length => Some(take(length as usize)?.into()),
        };
        Some(Kept { key, request, at_us, commit, answer, attempt: 0, logged })
    }
}

/// The requests that are kept. Clones are handles to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeptRequests(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<Hash, Kept>,
    /// Their keys, the oldest first.
    order: VecDeque<Hash>,
    /// Bytes of the answers.
    bytes: usize,
}

impl KeptRequests {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request that came under a key and is still kept.
    pub(crate) fn get(&self, key: &Hash, now_us: i64) -> Option<Kept> {
        let mut known = self.known();
        known.forget(now_us);
        known.by_key.get(key).cloned()
    }

    /// Keeps a request, or what is new of it. An answer stays if none comes.
    pub(crate) fn keep(&self, kept: Kept, now_us: i64) {
        let mut known = self.known();
        known.put(kept);
        known.forget(now_us);
    }

    /// All that the log or a snapshot has of commits up to `commit`, in bytes.
    pub(crate) fn encode(&self, commit: u64) -> Vec<u8> {
        let (known, mut bytes) = (self.known(), Vec::new());
        let kept = known.order.iter().filter_map(|key| known.by_key.get(key));
        kept.filter(|kept| kept.logged > 0 && kept.commit <= commit).for_each(|kept| kept.encode(commit, &mut bytes));
        bytes
    }

    /// Keeps what bytes hold that the log has as `commit`, or a snapshot of it.
    pub(crate) fn restore(&self, mut bytes: &[u8], commit: u64) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            let kept = Kept::decode(&mut bytes, commit.max(1)).ok_or("requests with keys that cannot be read")?;
            self.known().put(kept);
        }
        Ok(())
    }
}

impl Known {
    fn put(&mut self, kept: Kept) {
        let len = |kept: &Kept| kept.answer.as_ref().map_or(0, |answer| answer.len());
        let Some(known) = self.by_key.get_mut(&kept.key) else {
            self.bytes += len(&kept);
            self.order.push_back(kept.key);
            self.by_key.insert(kept.key, kept);
            return;
        };
        let before = len(known);
        let (commit, first_us) = (known.commit, known.at_us);
        let answer = kept.answer.clone().or_else(|| known.answer.take());
        let logged = if kept.answer.is_some() { kept.logged } else { known.logged.max(kept.logged) };
        *known = Kept { answer, logged, commit: commit.min(kept.commit), at_us: first_us, ..kept };
        self.bytes = self.bytes + len(known) - before;
    }

    /// Forgets what is too old, and the oldest of what is too much.
    fn forget(&mut self, now_us: i64) {
        while let Some(oldest) = self.order.front().and_then(|key| self.by_key.get(key)) {
            let is_too_much = self.order.len() > IDEMPOTENCY_KEYS_MAX || self.bytes > IDEMPOTENCY_BYTES_MAX;
            let is_old = now_us.saturating_sub(oldest.at_us) >= IDEMPOTENCY_KEPT.as_micros() as i64;
            if !is_too_much && !is_old {
                return;
            }
            self.bytes -= oldest.answer.as_ref().map_or(0, |answer| answer.len());
            if let Some(key) = self.order.pop_front() {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn kept(key: u8, at_us: i64, answer: Option<usize>) -> Kept {
        let answer = answer.map(|bytes| vec![key; bytes].into());
        Kept { key: [key; 16], request: [1; 16], at_us, commit: key.into(), answer, attempt: 0, logged: key.into() }
    }

    #[test]
    fn answers_are_kept_for_a_day_and_up_to_a_size() {
        let all = KeptRequests::default();
        for (key, bytes) in [(1, 10), (2, IDEMPOTENCY_BYTES_MAX - 20), (3, 10)] {
            all.keep(kept(key, i64::from(key) * HOUR_US, Some(bytes)), 0);
        }
        assert!(all.get(&[1; 16], 24 * HOUR_US).is_some());
        assert!(all.get(&[1; 16], 25 * HOUR_US).is_none(), "it is a day old");
        all.keep(kept(4, 4 * HOUR_US, Some(100)), 25 * HOUR_US);
        assert!(all.get(&[2; 16], 25 * HOUR_US).is_none(), "the oldest makes room");
        assert!(all.get(&[3; 16], 25 * HOUR_US).is_some());
        assert_eq!(all.known().bytes, 110);
    }

    #[test]
    fn the_bytes_are_as_drawn() {
        let mut bytes = Vec::new();
        Kept { request: [2; 16], commit: 0x0403, ..kept(1, 0x0605, Some(2)) }.encode(1, &mut bytes);
        let expected =
            [&[1; 16][..], &[2; 16], &[5, 6, 0, 0, 0, 0, 0, 0], &[3, 4, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0], &[1, 1]];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn an_answer_comes_later_than_its_request_and_stays() {
        let all = KeptRequests::default();
        all.keep(kept(1, 5, None), 5);
        all.keep(Kept { commit: 3, logged: 3, ..kept(1, 6, Some(7)) }, 6);
        all.keep(kept(1, 7, None), 7);
        let found = all.get(&[1; 16], 7).expect("it is kept");
        assert_eq!((found.at_us, found.commit, found.answer.map(|answer| answer.len())), (5, 1, Some(7)));
        assert_eq!(all.known().bytes, 7);
    }

    #[test]
    fn what_is_written_is_read_and_anything_else_refused() {
        let all = KeptRequests::default();
        all.keep(kept(1, 5, Some(3)), 5);
        all.keep(kept(2, 6, None), 6);
        all.keep(Kept { logged: 0, ..kept(3, 6, Some(4)) }, 6);
        all.keep(Kept { logged: 9, ..kept(4, 6, Some(4)) }, 6);
        all.keep(kept(9, 6, Some(1)), 6);
        let bytes = all.encode(4);
        let read = KeptRequests::default();
        read.restore(&bytes, 4).expect("it is whole");
        let answer = |key: u8| read.get(&[key; 16], 6).map(|kept| kept.answer.map(|answer| answer.len()));
        assert_eq!((answer(1), answer(2)), (Some(Some(3)), Some(None)));
        assert_eq!(answer(3), None, "it was in memory alone");
        assert_eq!(answer(4), Some(None), "its answer came later");
        assert_eq!(answer(9), None, "all of it came later");
        for len in 1..bytes.len() {
            // Cut between two, it is shorter and whole.
            let cut = KeptRequests::default().restore(&bytes[..len], 4);
            assert_eq!(cut.is_ok(), matches!(len, 55 | 107), "{len}");
        }
    }
}
