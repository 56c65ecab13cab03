//! What publication is made of: the counted pointer that versions live behind, and the cell that names the current one.
//!
//! Locks, atomics and the counted pointer are the standard library's, or loom's, which tries every interleaving of a few
//! threads (`cfg(loom)`, see `tests/loom`): what loom runs is this cell, and the engine over it.
//!
//! ```text
//! turn:    7                                           counts values; the one that is current lies in place 7 % 8
//! places:  | - | - | - | - | - | - | - | value |       the others are empty
//! ```
//!
//! **Interleavings.** The one writer puts the next value into the place of the next turn, then says the turn, then empties the
//! place before. A reader looks up the turn, locks its place beside other readers for as long as counting takes, and looks
//! up the turn again: if it is the same, what lies there is its value, since a place is filled for one turn only, and no
//! other turn fills it while this one lasts. If it is not, the place may be empty, or hold a value that is not current any
//! more, or not yet; the reader begins anew. It does so only if the writer has published meanwhile.
//!
//! Nobody waits. A reader that finds a place locked has met the writer there, so the turn has passed. The writer, meeting a
//! reader, takes the place of the turn after, and lets what lies in the place before it be: it is emptied when a
//! transaction looks for versions ([`Cell::tidy`]), or at the next swap. Only if seven threads were stopped in the midst of
//! counting, each in another place, would the writer go round until one of them goes on.

#[cfg(not(loom))]
use std::{
    hint::spin_loop,
    sync::{RwLock, TryLockError},
    thread::yield_now,
};
#[cfg(not(loom))]
pub use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU64},
};

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(loom)]
use loom::{hint::spin_loop, sync::RwLock, thread::yield_now};
#[cfg(loom)]
pub use of_loom::Arc;
#[cfg(loom)]
use std::sync::TryLockError;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

/// Values that readers may be looking at in the same moment: more threads than that are hardly ever stopped while they count.
const PLACES: usize = 8;

/// Where a value lies, on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Place<T>(RwLock<Option<Arc<T>>>);

impl<T> Place<T> {
    /// To be read, unless the writer is there.
    #[inline]
    fn look(&self) -> Option<impl Deref<Target = Option<Arc<T>>>> {
        match self.0.try_read() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// To be written, unless a reader is there.
    #[inline]
    fn open(&self) -> Option<impl DerefMut<Target = Option<Arc<T>>>> {
        match self.0.try_write() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[derive(Debug)]
struct Places<T> {
    turn: AtomicU64,
    places: [Place<T>; PLACES],
    /// Places that could not be emptied in time, a bit each. Only the writer asks.
    left: AtomicU64,
}

impl<T> Places<T> {
    #[inline]
    fn of(&self, turn: u64) -> &Place<T> {
        &self.places[turn as usize % PLACES]
    }

    /// The current value, counted, and its turn.
    #[inline]
    fn load(&self) -> (Arc<T>, u64) {
        loop {
            let turn = self.turn.load(Ordering::Acquire);
            if let Some(place) = self.of(turn).look()
                && self.turn.load(Ordering::Acquire) == turn
                && let Some(value) = &*place
            {
                return (value.clone(), turn);
            }
            spin_loop();
        }
    }
}

/// Names the current value. One writer replaces it, any number of readers load it.
#[derive(Debug)]
pub struct Cell<T>(std::sync::Arc<Places<T>>);

impl<T> Cell<T> {
    /// Names the first value.
    pub fn new(value: Arc<T>) -> Cell<T> {
        let mut first = Some(value);
        let places = std::array::from_fn(|_| Place(RwLock::new(first.take())));
        Cell(std::sync::Arc::new(Places { turn: AtomicU64::new(0), places, left: AtomicU64::new(0) }))
    }

    /// The current value, counted.
    #[inline]
    pub fn load(&self) -> Arc<T> {
        self.0.load().0
    }

    /// Names another value; gives the one before. Only one thread may be doing this.
    #[inline]
    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        self.tidy();
        let Places { turn, left, .. } = &*self.0;
        let before = turn.load(Ordering::Relaxed);
        let mut next = before + 1;
        loop {
            let is_other = !(next - before).is_multiple_of(PLACES as u64);
            if let Some(mut place) = self.0.of(next).open().filter(|_| is_other) {
                *place = Some(value);
                break;
            }
            next += 1;
            if !is_other {
                // A reader was stopped in each of the other places.
                yield_now();
            }
        }
        turn.store(next, Ordering::Release);
        let place = self.0.of(before);
        let old = place.open().and_then(|mut place| place.take());
        old.unwrap_or_else(|| {
            left.fetch_or(1 << (before % PLACES as u64), Ordering::Relaxed);
            loop {
                if let Some(old) = place.look().and_then(|place| place.clone()) {
                    return old;
                }
                spin_loop();
            }
        })
    }

    /// Empties the places that could not be emptied before.
    #[inline]
    pub fn tidy(&self) {
        if self.0.left.load(Ordering::Relaxed) != 0 {
            self.empty_left();
        }
    }

    #[cold]
    fn empty_left(&self) {
        let current = self.0.turn.load(Ordering::Relaxed) % PLACES as u64;
        let mut left = self.0.left.load(Ordering::Relaxed) & !(1 << current);
        for (at, place) in self.0.places.iter().enumerate() {
            if left >> at & 1 == 1
                && let Some(mut place) = place.open()
            {
                *place = None;
                left &= !(1 << at);
            }
        }
        self.0.left.store(left, Ordering::Relaxed);
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

// It stands in for what is documented above, in tests alone.
#[cfg(loom)]
#[allow(missing_docs)]
mod of_loom {
    use std::ops::Deref;

    /// Loom's counted pointer, with what else the standard library's does.
    #[derive(Debug)]
    pub struct Arc<T>(loom::sync::Arc<T>);

    impl<T> Arc<T> {
        pub fn new(value: T) -> Arc<T> {
            Arc(loom::sync::Arc::new(value))
        }

        pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {
            loom::sync::Arc::get_mut(&mut this.0)
        }

        pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
            loom::sync::Arc::ptr_eq(&this.0, &other.0)
        }
    }

    impl<T: Clone> Arc<T> {
        pub fn make_mut(this: &mut Arc<T>) -> &mut T {
            if loom::sync::Arc::get_mut(&mut this.0).is_none() {
                *this = Arc::new(T::clone(this));
            }
            match loom::sync::Arc::get_mut(&mut this.0) {
                Some(value) => value,
                None => unreachable!("it was just made"),
            }
        }
    }

    impl<T> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> AsRef<T> for Arc<T> {
        fn as_ref(&self) -> &T {
            self
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            Arc(self.0.clone())
        }
    }

    impl<T: Default> Default for Arc<T> {
        fn default() -> Self {
            Arc::new(T::default())
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Arc, Cell, PLACES};
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn what_was_replaced_comes_back_to_one_owner() {
        let cell = Cell::new(Arc::new(0));
        for n in 1..3 * PLACES {
            let mut old = cell.swap(Arc::new(n));
            assert_eq!(Arc::get_mut(&mut old), Some(&mut (n - 1)));
            assert_eq!(*cell.load(), n);
        }
    }

    #[test]
    fn a_value_that_is_just_being_counted_is_let_go_later() {
        let cell = Cell::new(Arc::new(0));
        let mut old = {
            let counting = cell.0.of(0).look().expect("no writer is there");
            let old = cell.swap(Arc::new(1));
            assert_eq!((counting.as_deref(), *cell.load()), (Some(&0), 1));
            old
        };
        assert_eq!(Arc::get_mut(&mut old), None, "it is still in its place");
        cell.tidy();
        assert_eq!(Arc::get_mut(&mut old), Some(&mut 0));
        for n in 2..3 * PLACES {
            let counting = cell.0.of(3).look().expect("no writer is there");
            cell.swap(Arc::new(n));
            assert_eq!(*cell.load(), n, "a place where a reader is stopped is passed over");
            drop(counting);
        }
    }

    #[test]
    fn readers_never_go_back_and_a_cached_cell_is_never_behind() {
        let (cell, is_over) = (Cell::new(Arc::new(0_u64)), AtomicBool::new(false));
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
                cell.swap(Arc::new(n));
                assert_eq!(**cached.load(), n);
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
