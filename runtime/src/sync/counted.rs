//! The unsafe of counting who holds a value.
//!
//! ```text
//! | holders | value |      a holder is one pointer; the last one frees both
//! ```
//!
//! The standard library's pointer also counts weak ones, and to prove that it is alone ([`Arc::get_mut`]) it must lock that
//! second count: an instruction that waits until all that was written before has reached the cache. A writer asks for that
//! proof several times in each small transaction. There are no weak ones here, so a look at the count is enough.
//!
//! **Interleavings.** The count grows only by who has a pointer already. So whoever finds it to be one, and has the one
//! pointer borrowed for itself alone, knows that nobody else can come to hold the value: there is nobody to get it from. The
//! same holds for two, where both pointers are borrowed alone ([`Arc::get_mut_of_both`]). Whoever lets go says so with
//! `Release` behind its last look at the value, and who looks at the count does it with `Acquire`: all that others did with
//! the value has happened before. Loom tries the orders, with a witness beside each value that tells it of every access.

#![allow(unsafe_code)]

#[cfg(loom)]
use loom::{cell::UnsafeCell, sync::atomic::AtomicUsize};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
#[cfg(not(loom))]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// So many holders, and more, are a mistake: the count is about to run over.
const HOLDERS_MAX: usize = isize::MAX as usize;

#[derive(Debug)]
#[repr(C)]
struct Counted<T> {
    holders: AtomicUsize,
    /// Stands for the value where loom asks who may look at it.
    #[cfg(loom)]
    witness: UnsafeCell<()>,
    value: T,
}

/// A pointer to a value that all who hold it share, and that goes with the last of them.
pub struct Arc<T> {
    /// It is there as long as this is: this is one of its holders.
    counted: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

// SAFETY: a pointer gives `&T` to whoever has it, so it may go where `&T` may (`T: Sync`); the last one drops the value
// wherever it is, and who is alone gets `&mut T`, so the value may have to go there too (`T: Send`). The count is atomic.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above: `&Arc<T>` can be cloned, so sharing it is as much as sending it.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// A value with one holder.
    pub fn new(value: T) -> Arc<T> {
        let counted = Box::new(Counted {
            holders: AtomicUsize::new(1),
            #[cfg(loom)]
            witness: UnsafeCell::new(()),
            value,
        });
        Arc { counted: NonNull::from(Box::leak(counted)), owns: PhantomData }
    }

    #[inline]
    fn counted(&self) -> &Counted<T> {
        // SAFETY: `counted` came from a box and is freed by its last holder. This is one, and lives as long as the borrow. A
        // `&mut` to it exists only where all its holders are borrowed alone, this one too.
        unsafe { self.counted.as_ref() }
    }

    /// The value, if this is its one holder.
    #[inline]
    pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {
        if this.counted().holders.load(Ordering::Acquire) != 1 {
            return None;
        }
        #[cfg(loom)]
        this.counted().witness.with_mut(|_| ());
        // SAFETY: the one holder is borrowed alone, for as long as the value is: nobody else can look at the value or come to
        // hold it, and what others did with it happened before their `Release`, which the load above has seen.
        Some(unsafe { &mut (*this.counted.as_ptr()).value })
    }

    /// The value, if these two are all its holders.
    #[inline]
    pub fn get_mut_of_both<'b>(one: &'b mut Arc<T>, other: &'b mut Arc<T>) -> Option<&'b mut T> {
        if !Arc::ptr_eq(one, other) || one.counted().holders.load(Ordering::Acquire) != 2 {
            return None;
        }
        #[cfg(loom)]
        one.counted().witness.with_mut(|_| ());
        // SAFETY: as in `get_mut`: these are two holders of the same value, since each of two pointers that exist beside each
        // other is counted, and both are borrowed alone for as long as the value is.
        Some(unsafe { &mut (*one.counted.as_ptr()).value })
    }

    /// Whether two pointers are to the same value.
    #[inline]
    pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
        this.counted == other.counted
    }
}

impl<T> Clone for Arc<T> {
    #[inline]
    fn clone(&self) -> Self {
        // Who has a pointer keeps the value there; nothing need be seen for one more.
        let before = self.counted().holders.fetch_add(1, Ordering::Relaxed);
        if before > HOLDERS_MAX {
            // Only by forgetting pointers without end. The count must not run over.
            std::process::abort();
        }
        Arc { counted: self.counted, owns: PhantomData }
    }
}

impl<T> Drop for Arc<T> {
    #[inline]
    fn drop(&mut self) {
        if self.counted().holders.fetch_sub(1, Ordering::Release) == 1 {
            free(self.counted);
        }
    }
}

/// Frees a value that nobody holds any more.
#[inline(never)]
fn free<T>(counted: NonNull<Counted<T>>) {
    // SAFETY: the last holder is about to go, and nobody else has freed it: the count is zero once.
    let holders = unsafe { &counted.as_ref().holders };
    // What the others did with the value happened before this.
    holders.load(Ordering::Acquire);
    #[cfg(loom)]
    // SAFETY: as above.
    unsafe { counted.as_ref() }.witness.with_mut(|_| ());
    // SAFETY: as above; it came from a box.
    drop(unsafe { Box::from_raw(counted.as_ptr()) });
}

impl<T> Deref for Arc<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        #[cfg(loom)]
        self.counted().witness.with(|_| ());
        &self.counted().value
    }
}

impl<T> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how often it was dropped.
    struct Dropped<'a>(&'a AtomicUsize);

    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_holder_frees_the_value_once() {
        let drops = AtomicUsize::new(0);
        let one = Arc::new(Dropped(&drops));
        let other = one.clone();
        drop(one);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        drop(other);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn who_is_alone_may_change_the_value_and_so_may_who_has_all_of_its_holders() {
        let (mut one, mut stranger) = (Arc::new(1), Arc::new(1));
        assert_eq!(Arc::get_mut(&mut one), Some(&mut 1));
        assert_eq!(Arc::get_mut_of_both(&mut one, &mut stranger), None);
        let mut other = one.clone();
        assert_eq!((Arc::get_mut(&mut one), Arc::get_mut(&mut other)), (None, None));
        if let Some(both) = Arc::get_mut_of_both(&mut one, &mut other) {
            *both = 2;
        }
        assert_eq!((*one, *other), (2, 2));
        let third = one.clone();
        assert_eq!(Arc::get_mut_of_both(&mut one, &mut other), None);
        assert!(Arc::ptr_eq(&third, &one) && !Arc::ptr_eq(&stranger, &one));
        drop((one, other));
        let mut third = third;
        assert_eq!(Arc::get_mut(&mut third), Some(&mut 2));
    }

    #[test]
    fn holders_on_other_threads_are_seen_to_go() {
        let mut value = Arc::new(vec![0_u64; 64]);
        for n in 1..=500 {
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    let held = value.clone();
                    scope.spawn(move || assert!(held.iter().all(|word| *word == n - 1)));
                }
                loop {
                    if let Some(words) = Arc::get_mut(&mut value) {
                        return words.fill(n);
                    }
                    std::thread::yield_now();
                }
            });
        }
    }
}
