//! How generated code builds a key: where it lies, one column after another.
//!
//! A key is never moved on its way to a lookup, and its short columns are written without a call. A copy would be read in other
//! pieces than the key was written in: then a processor waits until those have reached the cache, which they do behind all
//! that came before them, the misses of the lookup before included (125 ns a lookup instead of 46).

use super::{Key, KeyKind, TEXT_KEY_BYTES};
use crate::cell::word_of;
use crate::id::Id;
use dbgen_schema::field_type::str_length_bytes;

impl Key {
    /// A `str<N>` column.
    #[inline(always)]
    pub fn str<const N: usize>(&mut self, value: &str) -> &mut Key {
        let (text, end) = (value.as_bytes(), self.len + N);
        let fits = end <= Key::INLINE_BYTES && text.len() <= SHORT_BYTES.min(N);
        match self.inline.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<SHORT_BYTES>) {
            // What this writes beyond the column is zeros, as they are behind every key.
            Some(column) if fits => *column = short(text),
            _ => self.push_str(text, N),
        }
        // So it is in both cases; said here, the length of most keys is known to the compiler, and every loop over one.
        self.len = end;
        if const { str_length_bytes(N as u16) == 1 } {
            self.raw(&[text.len() as u8])
        } else {
            self.raw(&(text.len() as u16).to_be_bytes())
        }
        self
    }

    /// The text of a `str<N>` column, filled up with zeros.
    #[inline(never)]
    fn push_str(&mut self, text: &[u8], chars_max: usize) {
        self.impossible |= text.len() > chars_max;
        let text = &text[..text.len().min(chars_max)];
        self.raw(text);
        self.zeros(chars_max - text.len());
    }

    /// A `text` or `bytes` column.
    pub fn text(&mut self, value: impl AsRef<[u8]>) -> &mut Key {
        self.push_text(value.as_ref());
        self
    }

    /// A nullable `text` or `bytes` column.
    pub fn text_or_null(&mut self, value: Option<impl AsRef<[u8]>>) -> &mut Key {
        self.nullable(value, TEXT_KEY_BYTES, Key::text)
    }

    /// A number, `bool`, `timestamp`, `duration` or `uuid` column.
    #[inline(always)]
    pub fn scalar(&mut self, value: impl KeyScalar) -> &mut Key {
        value.push(self);
        self
    }

    /// A `ref` column.
    #[inline(always)]
    pub fn id<T>(&mut self, id: Id<T>) -> &mut Key {
        self.scalar(id.get())
    }

    /// A nullable `ref` column: `None` is id 0, since a reference has no null marker.
    #[inline(always)]
    pub fn id_or_null<T>(&mut self, id: Option<Id<T>>) -> &mut Key {
        self.scalar(id.map_or(0, Id::get))
    }

    /// A `bytes<N>` column.
    #[inline(always)]
    pub fn fixed_bytes<const N: usize>(&mut self, value: &[u8; N]) -> &mut Key {
        self.raw(value);
        self
    }

    /// The marker of a nullable column whose value comes next.
    #[inline(always)]
    pub fn some(&mut self) -> &mut Key {
        self.not_null();
        self
    }

    /// A nullable column of `key_bytes`, given how its value is appended.
    #[inline]
    pub fn nullable<V>(
        &mut self,
        value: Option<V>,
        key_bytes: usize,
        push: impl FnOnce(&mut Key, V) -> &mut Key,
    ) -> &mut Key {
        match value {
            Some(value) => {
                self.not_null();
                push(self, value)
            }
            None => {
                self.null(key_bytes);
                self
            }
        }
    }
}

/// A text that is copied without a call is no longer than this.
const SHORT_BYTES: usize = 16;

/// A short text, filled up with zeros. Most are a few words, for which a call takes longer; and as it is made in two words, it
/// can be read in two words at once.
#[inline(always)]
fn short(text: &[u8]) -> [u8; SHORT_BYTES] {
    (u128::from(word_of(text, 0)) | u128::from(word_of(text, 8)) << 64).to_le_bytes()
}

/// Values that are a key column of fixed width.
pub trait KeyScalar {
    /// Appends the value to `key`.
    fn push(self, key: &mut Key);
}

macro_rules! key_scalar {
    ($($t:ty => $kind:expr;)*) => {$(
        impl KeyScalar for $t {
            #[inline(always)]
            fn push(self, key: &mut Key) { key.column($kind, &self.to_le_bytes()) }
        }
    )*};
}
key_scalar! {
    u8 => KeyKind::Uint(1); u16 => KeyKind::Uint(2); u32 => KeyKind::Uint(4); u64 => KeyKind::Uint(8);
    i8 => KeyKind::Int(1); i16 => KeyKind::Int(2); i32 => KeyKind::Int(4); i64 => KeyKind::Int(8);
    f32 => KeyKind::Float(4); f64 => KeyKind::Float(8);
}

impl KeyScalar for bool {
    #[inline]
    fn push(self, key: &mut Key) {
        key.raw(&[self as u8]);
    }
}

impl KeyScalar for crate::Timestamp {
    #[inline]
    fn push(self, key: &mut Key) {
        self.as_micros().push(key);
    }
}

impl KeyScalar for crate::Duration {
    #[inline]
    fn push(self, key: &mut Key) {
        self.as_micros().push(key);
    }
}

impl KeyScalar for crate::Uuid {
    #[inline]
    fn push(self, key: &mut Key) {
        key.raw(self.as_bytes());
    }
}
