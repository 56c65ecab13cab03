//! What publication is made of: the counted pointer that versions live behind, and the cell that names the current one.
//!
//! One seam, so that the engine itself can be run under loom, which tries every interleaving of a few threads (`cfg(loom)`,
//! see `tests/loom`). Loom's pointer stands in for the standard library's, and a cell behind a lock for `arc-swap`, which
//! has proofs of its own: for a reader, a load gives a counted reference to what was stored last, and nothing more is
//! assumed of it.

#[cfg(not(loom))]
pub use of_the_system::{CachedCell, Cell};
#[cfg(not(loom))]
pub use std::sync::Arc;
#[cfg(not(loom))]
pub use std::sync::atomic::AtomicBool;

#[cfg(loom)]
pub use loom::sync::atomic::AtomicBool;
#[cfg(loom)]
pub use of_loom::{Arc, CachedCell, Cell};

#[cfg(not(loom))]
mod of_the_system {
    use arc_swap::ArcSwap;
    use arc_swap::cache::Cache;
    use std::sync::Arc;

    /// Names the current value.
    #[derive(Debug)]
    pub struct Cell<T>(Arc<ArcSwap<T>>);

    impl<T> Cell<T> {
        /// Names the first value.
        pub fn new(value: Arc<T>) -> Cell<T> {
            Cell(Arc::new(ArcSwap::new(value)))
        }

        /// The current value, counted.
        #[inline]
        pub fn load(&self) -> Arc<T> {
            self.0.load_full()
        }

        /// Names another value; gives the one before.
        #[inline]
        pub fn swap(&self, value: Arc<T>) -> Arc<T> {
            self.0.swap(value)
        }

        /// A cell that keeps what it loaded last.
        pub fn cached(&self) -> CachedCell<T> {
            CachedCell(Cache::new(self.0.clone()))
        }
    }

    impl<T> Clone for Cell<T> {
        fn clone(&self) -> Self {
            Cell(self.0.clone())
        }
    }

    /// Keeps what it loaded last, and looks only whether that is current.
    pub struct CachedCell<T>(Cache<Arc<ArcSwap<T>>, Arc<T>>);

    impl<T> CachedCell<T> {
        /// The current value.
        #[inline]
        pub fn load(&mut self) -> &Arc<T> {
            self.0.load()
        }
    }

    impl<T> Clone for CachedCell<T> {
        fn clone(&self) -> Self {
            CachedCell(self.0.clone())
        }
    }
}

// It stands in for what is documented above, in tests alone.
#[cfg(loom)]
#[allow(missing_docs)]
mod of_loom {
    use loom::sync::Mutex;
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

    /// Names the current value.
    #[derive(Debug)]
    pub struct Cell<T>(std::sync::Arc<Mutex<Arc<T>>>);

    impl<T> Cell<T> {
        pub fn new(value: Arc<T>) -> Cell<T> {
            Cell(std::sync::Arc::new(Mutex::new(value)))
        }

        pub fn load(&self) -> Arc<T> {
            self.0.lock().expect("nobody panics with it").clone()
        }

        pub fn swap(&self, value: Arc<T>) -> Arc<T> {
            std::mem::replace(&mut *self.0.lock().expect("nobody panics with it"), value)
        }

        pub fn cached(&self) -> CachedCell<T> {
            CachedCell { value: self.load(), cell: self.clone() }
        }
    }

    impl<T> Clone for Cell<T> {
        fn clone(&self) -> Self {
            Cell(self.0.clone())
        }
    }

    /// Keeps what it loaded last.
    pub struct CachedCell<T> {
        value: Arc<T>,
        cell: Cell<T>,
    }

    impl<T> Clone for CachedCell<T> {
        fn clone(&self) -> Self {
            CachedCell { value: self.value.clone(), cell: self.cell.clone() }
        }
    }

    impl<T> CachedCell<T> {
        pub fn load(&mut self) -> &Arc<T> {
            self.value = self.cell.load();
            &self.value
        }
    }
}
