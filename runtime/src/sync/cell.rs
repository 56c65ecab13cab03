//! The unsafe of naming the current value: a cell that one writer fills and any number of readers load from.
//!
//! ```text
//! turn:    7                                                       counts values; the current one lies in place 7 % 8
//! places:  | readers, - | readers, - | ... | readers, value |      the others are empty, but for those a reader was met in
//! ```
//!
//! The one writer puts the next value into the place of the next turn, then says the turn, then *closes* the place before: it
//! takes the value out if nobody is in there. A reader looks up the turn, counts itself into that place, and looks up the
//! turn again: if it is the same, it takes a count on the value and leaves. If it is not, it leaves at once and begins anew.
//!
//! **Interleavings.** A value is touched by readers between their second look at the turn, which found the turn of its place,
//! and their leaving; and by the writer when it closes the place, and when it fills it again. Closing is a compare-exchange of
//! the place's count of readers, from 0 to 0, behind the store of the next turn. All that is done to that count is done by
//! read-modify-writes, so each reader's entry comes before it or after it:
//!
//! - *before*, and the reader has not left: the count is not 0, and the place stays as it is;
//! - *before*, and the reader has left with `Release`: the writer's `Acquire` has seen all that it did;
//! - *after*: the reader's `Acquire` has seen the writer's `Release`, and with it the next turn. Its second look finds that, or
//!   one still later, which is not what its first look found: a turn never comes back. It does not touch the value.
//!
//! So once a place is closed nobody touches it until its turn is said anew, with `Release` behind the filling, which a reader
//! that finds it sees.
//!
//! Nobody waits. The writer, meeting a reader in the place before, lets what lies there be and tries to close it when a
//! transaction looks for versions ([`CellWriter::tidy`]), or at the next swap. A reader begins anew only if the writer has
//! published meanwhile. Only if seven threads were stopped in the midst of counting, each in another place, would the writer go
//! round until one of them goes on.
//!
//! A swap has one instruction that locks a line, the closing. There is one [`CellWriter`] of a cell, and it swaps by `&mut`:
//! that there is one writer at a time need not be asked.

#![allow(unsafe_code)]

use super::{Arc, AtomicU64, spin_loop, yield_now};
#[cfg(loom)]
use loom::cell::UnsafeCell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering;

/// Values that readers may be looking at in the same moment: more threads than that are hardly ever stopped while they count.
const PLACES: u64 = 8;

/// The standard library's, as loom has it.
#[cfg(not(loom))]
#[derive(Debug)]
struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    fn new(value: T) -> Self {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    fn with<R>(&self, look: impl FnOnce(*const T) -> R) -> R {
        look(self.0.get())
    }

    #[inline(always)]
    fn with_mut<R>(&self, change: impl FnOnce(*mut T) -> R) -> R {
        change(self.0.get())
    }
}

/// Where a value lies, on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Place<T> {
    /// Threads that are counting what lies here, or are about to find out that they came too late.
    readers: AtomicU64,
    value: UnsafeCell<Option<Arc<T>>>,
}

#[derive(Debug)]
struct Places<T> {
    turn: AtomicU64,
    places: [Place<T>; PLACES as usize],
}

// SAFETY: values are cloned out of it and dropped in it on any thread, as by `&Arc<T>` and `Arc<T>`, which may go where they
// like if `T` may. Who touches a place when is what the module says.
unsafe impl<T: Send + Sync> Send for Places<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Places<T> {}
// Nothing here panics half way: a place is filled, or emptied, by one assignment.
impl<T> UnwindSafe for Places<T> {}
impl<T> RefUnwindSafe for Places<T> {}

impl<T> Places<T> {
    #[inline]
    fn of(&self, turn: u64) -> &Place<T> {
        &self.places[(turn % PLACES) as usize]
    }

    /// The current value, counted, and its turn.
    #[inline]
    fn load(&self) -> (Arc<T>, u64) {
        loop {
            let turn = self.turn.load(Ordering::Acquire);
            let place = self.of(turn);
            place.readers.fetch_add(1, Ordering::Acquire);
            let is_current = self.turn.load(Ordering::Acquire) == turn;
            // SAFETY: it was this place's turn after this thread was counted in, so the writer neither closes nor fills it until
            // this thread leaves; and the value was there before the turn was said.
            let value = if is_current { place.value.with(|value| unsafe { (*value).clone() }) } else { None };
            place.readers.fetch_sub(1, Ordering::Release);
            if let Some(value) = value {
                return (value, turn);
            }
            spin_loop();
        }
    }
}

/// Where readers find the current value.
#[derive(Debug)]
pub struct Cell<T>(std::sync::Arc<Places<T>>);

/// Names the current value: the only one that does.
#[derive(Debug)]
pub struct CellWriter<T> {
    places: std::sync::Arc<Places<T>>,
    /// The turn that was said last.
    turn: u64,
    /// Places that could not be closed when their turn had passed, a bit each.
    left: u64,
}

impl<T> Cell<T> {
    /// Names the first value; gives where readers find it, and who names the next.
    pub fn new(value: Arc<T>) -> (Cell<T>, CellWriter<T>) {
        let mut first = Some(value);
        let place = |_| Place { readers: AtomicU64::new(0), value: UnsafeCell::new(first.take()) };
        let places = Places { turn: AtomicU64::new(0), places: std::array::from_fn(place) };
        let places = std::sync::Arc::new(places);
        (Cell(places.clone()), CellWriter { places, turn: 0, left: 0 })
    }

    /// The current value, counted.
    #[inline]
    pub fn load(&self) -> Arc<T> {
        self.0.load().0
    }

    /// A cell that keeps what it loaded last.
    pub fn cached(&self) -> CachedCell<T> {
        let (value, turn) = self.0.load();
        CachedCell { cell: self.clone(), value, turn }
    }
}

impl<T> Clone for Cell<T> {
    fn clone(&self) -> Self {
        Cell(self.0.clone())
    }
}

impl<T> CellWriter<T> {
    /// Names another value; gives the one before.
    #[inline]
    pub fn swap(&mut self, value: Arc<T>) -> Arc<T> {
        self.tidy();
        let next = self.next_turn();
        // SAFETY: the place is closed, and its turn is not said yet: nobody else touches it.
        self.places.of(next).value.with_mut(|place| unsafe { *place = Some(value) });
        let before = std::mem::replace(&mut self.turn, next);
        self.places.turn.store(next, Ordering::Release);
        match self.close(before) {
            Some(old) => old,
            None => self.leave(before),
        }
    }

    /// Takes the value out of the place of a turn that has passed, if nobody is in there.
    #[inline]
    fn close(&self, turn: u64) -> Option<Arc<T>> {
        let place = self.places.of(turn);
        place.readers.compare_exchange(0, 0, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        // SAFETY: another turn has been said, and no reader is in this place that found the one before; none will touch it.
        place.value.with_mut(|value| unsafe { (*value).take() })
    }

    /// The value of a place that could not be closed, which stays there too.
    #[cold]
    fn leave(&mut self, turn: u64) -> Arc<T> {
        self.left |= 1 << (turn % PLACES);
        // SAFETY: only the writer changes what lies there, which this is. Readers look at it and do no more.
        let value = self.places.of(turn).value.with(|value| unsafe { (*value).clone() });
        let Some(value) = value else { unreachable!("a place is emptied when it is closed, and not before") };
        value
    }

    /// The next turn whose place is closed.
    #[inline]
    fn next_turn(&mut self) -> u64 {
        let next = self.turn + 1;
        if self.left == 0 { next } else { self.next_turn_from(next) }
    }

    #[cold]
    fn next_turn_from(&mut self, mut next: u64) -> u64 {
        loop {
            let is_other = !(next - self.turn).is_multiple_of(PLACES);
            if is_other && self.close_left(next) {
                return next;
            }
            next += 1;
            if !is_other {
                // A reader was stopped in each of the other places.
                yield_now();
            }
        }
    }

    /// Whether the place of a turn is closed, which is tried if it was left.
    fn close_left(&mut self, turn: u64) -> bool {
        let bit = 1 << (turn % PLACES);
        if self.left & bit != 0 && self.close(turn).is_some() {
            self.left &= !bit;
        }
        self.left & bit == 0
    }

    /// Empties the places that could not be closed before.
    #[inline]
    pub fn tidy(&mut self) {
        if self.left != 0 {
            self.close_all_left();
        }
    }

    #[cold]
    fn close_all_left(&mut self) {
        // The places of all turns but this one's.
        for turn in self.turn + 1..self.turn + PLACES {
            self.close_left(turn);
        }
    }
}

/// Keeps what it loaded last, and looks only whether that is current.
pub struct CachedCell<T> {
    cell: Cell<T>,
    value: Arc<T>,
    turn: u64,
}

impl<T> CachedCell<T> {
    /// The current value.
    #[inline]
    pub fn load(&mut self) -> &Arc<T> {
        if self.cell.0.turn.load(Ordering::Acquire) != self.turn {
            (self.value, self.turn) = self.cell.0.load();
        }
        &self.value
    }
}

impl<T> Clone for CachedCell<T> {
    fn clone(&self) -> Self {
        CachedCell { cell: self.cell.clone(), value: self.value.clone(), turn: self.turn }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Arc, Cell, PLACES};
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn what_was_replaced_comes_back_to_one_owner() {
        let (cell, mut writer) = Cell::new(Arc::new(0));
        for n in 1..3 * PLACES {
            let mut old = writer.swap(Arc::new(n));
            assert_eq!(Arc::get_mut(&mut old), Some(&mut (n - 1)));
            assert_eq!(*cell.load(), n);
        }
    }

    #[test]
    fn a_value_that_is_just_being_counted_is_let_go_later() {
        let (cell, mut writer) = Cell::new(Arc::new(0));
        let readers = |place: u64| &cell.0.of(place).readers;
        readers(0).fetch_add(1, Ordering::Acquire);
        let mut old = writer.swap(Arc::new(1));
        assert_eq!((*old, *cell.load()), (0, 1));
        writer.tidy();
        assert_eq!(Arc::get_mut(&mut old), None, "it is still in its place");
        readers(0).fetch_sub(1, Ordering::Release);
        writer.tidy();
        assert_eq!(Arc::get_mut(&mut old), Some(&mut 0));
        for n in 2..3 * PLACES {
            readers(3).fetch_add(1, Ordering::Acquire);
            writer.swap(Arc::new(n));
            assert_eq!(*cell.load(), n, "a place where a reader is stopped is passed over");
            readers(3).fetch_sub(1, Ordering::Release);
        }
    }

    #[test]
    fn a_cell_that_readers_are_stopped_in_goes_round_the_places_that_are_left() {
        let (cell, mut writer) = Cell::new(Arc::new(0));
        // Readers that found an early turn and were stopped before they counted themselves in.
        let stopped = || (0..PLACES - 2).map(|place| &cell.0.of(place).readers);
        stopped().for_each(|readers| assert_eq!(readers.fetch_add(1, Ordering::Acquire), 0));
        let mut held = Vec::new();
        for n in 1..5 * PLACES {
            held.push(writer.swap(Arc::new(n)));
            assert_eq!((**held.last().expect("swapped"), *cell.load()), (n - 1, n));
        }
        stopped().for_each(|readers| assert_eq!(readers.fetch_sub(1, Ordering::Release), 1));
        writer.tidy();
        assert!(held.iter_mut().all(|old| Arc::get_mut(old).is_some()), "nothing is left in a place");
    }

    #[test]
    fn readers_never_go_back_and_a_cached_cell_is_never_behind() {
        let ((cell, mut writer), is_over) = (Cell::new(Arc::new(0_u64)), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for n in 0..3 {
                let (cell, is_over) = (&cell, &is_over);
                scope.spawn(move || {
                    let (mut cached, mut last) = (cell.cached(), 0);
                    while !is_over.load(Ordering::Relaxed) {
                        let seen = if n == 0 { **cached.load() } else { *cell.load() };
                        assert!(seen >= last, "{seen} after {last}");
                        last = seen;
                    }
                });
            }
            let mut cached = cell.cached();
            for n in 1..=20_000 {
                writer.swap(Arc::new(n));
                assert_eq!(**cached.load(), n);
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
