//! `ref<table>`: the id of a record, packed.

use super::ValueCell;
use crate::id::{GENERATION_MAX, Id, RecordId};
use std::fmt;
use std::marker::PhantomData;

/// The id of a record of `T`, or none.
#[repr(C)]
pub struct Ref<T> {
    number: [u8; 8],
    table: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    /// A cell that refers to the record `id`, or to none.
    #[inline]
    pub fn new(id: impl Into<Option<Id<T>>>) -> Ref<T> {
        Ref { number: id.into().map_or(0, Id::get).to_le_bytes(), table: PhantomData }
    }

    /// The id it holds. A number that no record can have, which no write leaves behind, reads as none.
    #[inline]
    pub const fn get(self) -> Option<Id<T>> {
        Id::from_u64(u64::from_le_bytes(self.number))
    }

    /// The id of a reference that is never null: if it is, which no write leaves behind, an id that no record has.
    #[inline]
    pub fn id(self) -> Id<T> {
        self.get().unwrap_or(Id::new(RecordId::new(u32::MAX, GENERATION_MAX)))
    }

    /// Replaces the id.
    #[inline]
    pub fn set(&mut self, id: impl Into<Option<Id<T>>>) {
        *self = Ref::new(id);
    }
}

impl<T: 'static> ValueCell for Ref<T> {
    type Value = Option<Id<T>>;

    #[inline]
    fn pack(value: Option<Id<T>>) -> Ref<T> {
        Ref::new(value)
    }

    #[inline]
    fn unpack(self) -> Option<Id<T>> {
        self.get()
    }
}

impl<T> Clone for Ref<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T> Default for Ref<T> {
    fn default() -> Self {
        Ref { number: [0; 8], table: PhantomData }
    }
}

impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Ref<T> {}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}
