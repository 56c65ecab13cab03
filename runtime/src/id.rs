//! Record ids.
//!
//! ```text
//! bit 63       53 52          32 31            0
//!    |  zero     | generation    | slot         |
//! ```
//!
//! 53 bits, so that an id survives JSON and JavaScript unharmed. The generation counts the records that a slot has held,
//! from 1; a stale id therefore never names somebody else's record, and the id 0 names nothing. That holds as long as what
//! the table remembers: one with `durability: none` or `snapshot` forgets in a crash which ids it gave since, and gives them
//! again.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// Bits of the generation.
pub const GENERATION_BITS: u32 = 21;
/// The last generation of a slot; after it the slot retires.
pub const GENERATION_MAX: u32 = (1 << GENERATION_BITS) - 1;

/// The id of a record in some table. Never 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(u64);

impl RecordId {
    /// The id of the record that `slot` holds in its `generation`.
    #[inline]
    pub(crate) const fn new(slot: u32, generation: u32) -> RecordId {
        RecordId((generation as u64) << 32 | slot as u64)
    }

    /// The id with this number, if a record could have it.
    #[inline]
    pub const fn from_u64(number: u64) -> Option<RecordId> {
        if number >> 32 == 0 || number >> 32 > GENERATION_MAX as u64 { None } else { Some(RecordId(number)) }
    }

    /// The number: what JSON shows and a `ref` field stores.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Index into the table's slots.
    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        self.0 as u32
    }

    /// Which record of the slot.
    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.slot(), self.generation())
    }
}

/// The id of a record of the table `T`.
pub struct Id<T> {
    id: RecordId,
    table: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Claims that `id` is one of `T`'s. If it is not, lookups say that the record does not exist.
    #[inline]
    pub const fn new(id: RecordId) -> Id<T> {
        Id { id, table: PhantomData }
    }

    /// The id with this number, if a record could have it.
    #[inline]
    pub const fn from_u64(number: u64) -> Option<Id<T>> {
        match RecordId::from_u64(number) {
            Some(id) => Some(Id::new(id)),
            None => None,
        }
    }

    /// The number: what JSON shows and a `ref` field stores.
    #[inline]
    pub const fn get(self) -> u64 {
        self.id.get()
    }

    /// Without its table.
    #[inline]
    pub const fn record_id(self) -> RecordId {
        self.id
    }
}

impl<T> From<Id<T>> for RecordId {
    fn from(id: Id<T>) -> RecordId {
        id.id
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(&other.id)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.id, f)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.id, f)
    }
}

/// An id is a JSON number.
impl<T> serde::Serialize for Id<T> {
    fn serialize<Z: serde::Serializer>(&self, to: Z) -> Result<Z::Ok, Z::Error> {
        to.serialize_u64(self.get())
    }
}

impl<'de, T> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        Id::from_u64(number).ok_or_else(|| serde::de::Error::custom(format_args!("{number} is not the id of a record")))
    }
}

impl<T> schemars::JsonSchema for Id<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1_u64 << 32, "maximum": (1_u64 << 53) - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_53_bits_and_zero_is_none() {
        let last = RecordId::new(u32::MAX, GENERATION_MAX);
        assert!(last.get() < 1 << 53);
        assert_eq!(RecordId::from_u64(last.get()), Some(last));
        assert_eq!(RecordId::from_u64(0), None);
        assert_eq!(RecordId::from_u64(7), None, "generation 0 names nothing");
        assert_eq!(RecordId::from_u64(1 << 53), None);
    }
}
