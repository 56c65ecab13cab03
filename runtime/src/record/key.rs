//! Index keys: bytes whose order is the order of the values.
//!
//! A key is its columns one after another, each of fixed width:
//!
//! | column | bytes |
//! |---|---|
//! | nullable | 1: 0 = null (then zeros), 1 = a value; nulls come first |
//! | unsigned, enum, `ref` | big-endian |
//! | signed, `timestamp`, `duration` | big-endian, sign bit flipped |
//! | float | big-endian bits; negative: all flipped, else sign bit set. -0 is +0, every NaN the last value |
//! | `str<N>` | N bytes zero-padded, then the length big-endian (a shorter string comes first) |
//! | `bytes<N>`, `uuid`, `bool` | as they are |
//! | `text`, `bytes` | the first 23 bytes zero-padded, the length up to 24, and of longer ones a hash of the whole |
//!
//! A text of up to 23 bytes is wholly in its key. Longer ones that begin alike share their first 24 key bytes: they lie
//! beside each other, and whoever needs their order compares them in the rows (`table/lookup/texts.rs`). The hash behind
//! tells equal from different without that, however many begin alike. A key that was made to search with keeps the
//! whole of such texts beside its bytes.

mod build;

pub use build::KeyScalar;

use super::hash::hash_of;
use super::strided::{Strided, StridedMut};
use crate::id::RecordId;
use crate::limits::KEY_BYTES_MAX;
use dbgen_schema::field_type::{ScalarKind, Type, enum_tag_bytes, str_length_bytes};
use dbgen_schema::{Scalar, Schema};

/// Bytes of a `text` or `bytes` value that its key holds.
pub const TEXT_PREFIX_BYTES: usize = 23;
/// Bytes of a `text` or `bytes` column in a key: the beginning, the length, the hash.
pub const TEXT_KEY_BYTES: usize = TEXT_PREFIX_BYTES + 1 + 8;
/// The length of a text that goes on behind the beginning.
pub const TEXT_IS_LONG: u8 = TEXT_PREFIX_BYTES as u8 + 1;

/// How a column's cell becomes key bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Little-endian unsigned of this many bytes.
    Uint(usize),
    /// Little-endian signed of this many bytes.
    Int(usize),
    /// IEEE 754 of this many bytes.
    Float(usize),
    /// Length and up to this many bytes of text.
    Str(u16),
    /// This many bytes as they are.
    Raw(usize),
    /// `text` or `bytes`, in the heap.
    Text,
}

impl KeyKind {
    /// How values of `ty` are keyed; `None` if they cannot be.
    pub fn of(schema: &Schema, ty: &Type) -> Option<KeyKind> {
        Some(match ty {
            Type::Scalar(scalar) => {
                let size = scalar.desc().size_bytes;
                match scalar.desc().kind {
                    ScalarKind::Int { min, .. } if min < 0 => KeyKind::Int(size),
                    ScalarKind::Int { .. } => KeyKind::Uint(size),
                    ScalarKind::Float { .. } => KeyKind::Float(size),
                    ScalarKind::Bool | ScalarKind::Uuid => KeyKind::Raw(size),
                    ScalarKind::Timestamp | ScalarKind::Duration => KeyKind::Int(size),
                }
            }
            Type::Str(n) => KeyKind::Str(*n),
            Type::FixedBytes(n) => KeyKind::Raw(*n as usize),
            Type::Enum(idx) => {
                let variants = &schema.enums[idx.at()].variants;
                if variants.iter().any(|variant| variant.payload.is_some()) {
                    return None;
                }
                KeyKind::Uint(enum_tag_bytes(variants.len()))
            }
            Type::Ref(_) => KeyKind::Uint(8),
            Type::Text | Type::Bytes => KeyKind::Text,
            Type::Array(..) | Type::List(_) | Type::Composite(_) => return None,
        })
    }

    /// Bytes of the column in the key, without the null marker.
    #[inline]
    pub const fn key_bytes(self) -> usize {
        match self {
            KeyKind::Uint(n) | KeyKind::Int(n) | KeyKind::Float(n) | KeyKind::Raw(n) => n,
            KeyKind::Str(n) => n as usize + str_length_bytes(n),
            KeyKind::Text => TEXT_KEY_BYTES,
        }
    }
}

impl KeyKind {
    /// Writes a column of this kind, which is not a text, from the bytes of its cell: what [`Key::column`] appends.
    #[inline]
    pub fn write(self, cell: &[u8], part: &mut [u8]) {
        match self {
            KeyKind::Raw(_) => part.copy_from_slice(cell),
            KeyKind::Uint(_) => reverse(cell, part),
            KeyKind::Int(_) => {
                reverse(cell, part);
                part[0] ^= 0x80;
            }
            KeyKind::Str(n) => {
                let head = str_length_bytes(n);
                part[..n as usize].copy_from_slice(&cell[head..]);
                reverse(&cell[..head], &mut part[n as usize..]);
            }
            KeyKind::Float(_) | KeyKind::Text => {
                let mut key = Key::new();
                key.column(self, cell);
                part.copy_from_slice(key.bytes());
            }
        }
    }
}

impl KeyKind {
    /// Writes columns of this kind, which is not a text, of many records: what [`KeyKind::write`] does to one.
    #[inline]
    pub fn write_all(self, cells: Strided<'_>, parts: StridedMut<'_>) {
        match self {
            KeyKind::Uint(1) => parts.copy(cells, 1),
            KeyKind::Uint(2) => parts.turn::<2>(cells, reversed),
            KeyKind::Uint(4) => parts.turn::<4>(cells, reversed),
            KeyKind::Uint(8) => parts.turn::<8>(cells, reversed),
            KeyKind::Int(1) => parts.turn::<1>(cells, reversed_signed),
            KeyKind::Int(2) => parts.turn::<2>(cells, reversed_signed),
            KeyKind::Int(4) => parts.turn::<4>(cells, reversed_signed),
            KeyKind::Int(8) => parts.turn::<8>(cells, reversed_signed),
            KeyKind::Raw(n) => parts.copy(cells, n),
            KeyKind::Str(n) if str_length_bytes(n) == 1 => {
                let StridedMut { bytes, stride, at } = parts;
                let text = StridedMut { bytes: &mut *bytes, stride, at };
                text.copy(Strided { at: cells.at + 1, ..cells }, usize::from(n));
                StridedMut { bytes, stride, at: at + usize::from(n) }.copy(cells, 1);
            }
            kind => kind.write_each(cells, parts),
        }
    }

    /// The same, one by one.
    fn write_each(self, cells: Strided<'_>, parts: StridedMut<'_>) {
        let (len, records) = (self.key_bytes(), cells.bytes.chunks_exact(cells.stride));
        for (item, record) in parts.bytes.chunks_exact_mut(parts.stride).zip(records) {
            // A cell has as many bytes as its column.
            self.write(&record[cells.at..cells.at + len], &mut item[parts.at..parts.at + len]);
        }
    }
}

/// A number in the other order of bytes.
#[inline]
fn reversed<const N: usize>(mut number: [u8; N]) -> [u8; N] {
    number.reverse();
    number
}

/// The same for one with a sign, which is turned.
#[inline]
fn reversed_signed<const N: usize>(number: [u8; N]) -> [u8; N] {
    let mut number = reversed(number);
    if let Some(first) = number.first_mut() {
        *first ^= 0x80;
    }
    number
}

/// Writes little-endian bytes as big-endian ones.
#[inline]
fn reverse(little: &[u8], big: &mut [u8]) {
    match (little, big) {
        ([a], [to]) => *to = *a,
        ([a, b], [to, more]) => (*to, *more) = (*b, *a),
        ([a, b, c, d], [e, f, g, h]) => (*e, *f, *g, *h) = (*d, *c, *b, *a),
        (little, big) => big.iter_mut().zip(little.iter().rev()).for_each(|(to, byte)| *to = *byte),
    }
}

/// A key being built, or its first columns.
#[derive(Debug, Clone)]
pub struct Key {
    len: usize,
    /// Zeros behind the first `len`.
    inline: [u8; Key::INLINE_BYTES],
    /// What few keys have.
    more: Option<Box<More>>,
    /// A value was given that no record can have, such as a too long string: the key matches nothing.
    impossible: bool,
}

#[derive(Debug, Clone, Default)]
struct More {
    /// Holds all bytes once the inline ones do not suffice.
    spilled: Vec<u8>,
    /// Where in the key a text lies that is longer than its column, and the whole of it.
    long_texts: Vec<(usize, Vec<u8>)>,
}

impl Default for Key {
    fn default() -> Self {
        Key::new()
    }
}

impl Key {
    const INLINE_BYTES: usize = 40;

    /// An empty key.
    #[inline(always)]
    pub const fn new() -> Key {
        Key { len: 0, inline: [0; Key::INLINE_BYTES], more: None, impossible: false }
    }

    /// The key of what refers to a record.
    pub fn of_id(id: RecordId) -> Key {
        let mut key = Key::new();
        key.scalar(id.get());
        key
    }

    /// Its bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.more {
            Some(more) if self.len > Key::INLINE_BYTES => &more.spilled,
            _ => &self.inline[..self.len.min(Key::INLINE_BYTES)],
        }
    }

    /// Whether no record can have this key.
    #[inline]
    pub fn is_impossible(&self) -> bool {
        self.impossible
    }

    /// Whether some of its texts are longer than their columns.
    pub fn has_long_texts(&self) -> bool {
        self.more.as_ref().is_some_and(|more| !more.long_texts.is_empty())
    }

    /// The whole of the text whose column begins at byte `at`, if it is longer than the column.
    pub fn long_text(&self, at: usize) -> Option<&[u8]> {
        let texts = &self.more.as_ref()?.long_texts;
        texts.iter().find(|(begin, _)| *begin == at).map(|(_, text)| text.as_slice())
    }

    /// The position of the first text from byte `from` on that is longer than its column.
    pub fn long_text_from(&self, from: usize) -> Option<usize> {
        self.more.as_ref()?.long_texts.iter().map(|(at, _)| *at).find(|at| *at >= from)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.len = 0;
        self.inline = [0; Key::INLINE_BYTES];
        self.more = None;
        self.impossible = false;
    }

    /// Appends raw key bytes.
    #[inline(always)]
    pub fn raw(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if end <= Key::INLINE_BYTES {
            self.inline[self.len..end].copy_from_slice(bytes);
        } else {
            self.spill(bytes);
        }
        self.len = end;
        debug_assert!(self.len <= KEY_BYTES_MAX + 8);
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        let more = self.more.get_or_insert_default();
        if more.spilled.is_empty() {
            more.spilled.extend_from_slice(&self.inline[..self.len]);
        }
        more.spilled.extend_from_slice(bytes);
    }

    /// Appends `count` zeros.
    #[inline]
    fn zeros(&mut self, count: usize) {
        let end = self.len + count;
        if end <= Key::INLINE_BYTES {
            self.len = end;
        } else {
            const ZEROS: &[u8] = &[0; 64];
            let whole = (0..count / ZEROS.len()).map(|_| ZEROS);
            whole.chain([&ZEROS[..count % ZEROS.len()]]).for_each(|zeros| self.raw(zeros));
        }
    }

    /// Appends a column from the bytes behind its heap cell.
    pub fn push_text(&mut self, text: &[u8]) {
        let at = self.len;
        let mut column = [0; TEXT_KEY_BYTES];
        let begin = &text[..text.len().min(TEXT_PREFIX_BYTES)];
        column[..begin.len()].copy_from_slice(begin);
        column[TEXT_PREFIX_BYTES] = text.len().min(usize::from(TEXT_IS_LONG)) as u8;
        if text.len() > TEXT_PREFIX_BYTES {
            column[TEXT_PREFIX_BYTES + 1..].copy_from_slice(&hash_of(text).to_be_bytes());
            self.more.get_or_insert_default().long_texts.push((at, text.to_vec()));
        }
        self.raw(&column);
    }

    /// Appends a column from the bytes of its cell.
    #[inline]
    pub fn column(&mut self, kind: KeyKind, cell: &[u8]) {
        match kind {
            KeyKind::Raw(_) => self.raw(cell),
            KeyKind::Uint(n) => self.big_endian(&cell[..n], |first| first),
            KeyKind::Int(n) => self.big_endian(&cell[..n], |first| first ^ 0x80),
            KeyKind::Float(4) => self.float(f64::from(f32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]])), 4),
            KeyKind::Float(_) => {
                let mut bits = [0; 8];
                bits.copy_from_slice(&cell[..8]);
                self.float(f64::from_le_bytes(bits), 8);
            }
            KeyKind::Str(n) => {
                let head = str_length_bytes(n);
                self.raw(&cell[head..head + n as usize]);
                self.big_endian(&cell[..head], |first| first);
            }
            KeyKind::Text => unreachable!("the column of a text is made of what its cell names"),
        }
    }

    #[inline]
    fn big_endian(&mut self, little: &[u8], first: impl Fn(u8) -> u8) {
        let mut bytes = [0; 8];
        let n = little.len().min(8);
        for at in 0..n {
            bytes[at] = little[n - 1 - at];
        }
        bytes[0] = first(bytes[0]);
        self.raw(&bytes[..n]);
    }

    fn float(&mut self, value: f64, size: usize) {
        // -0 and +0 are one key, and so are all NaN.
        let value = if value == 0.0 { 0.0 } else { value };
        if size == 4 {
            let bits = if value.is_nan() { f32::NAN.to_bits() } else { (value as f32).to_bits() };
            let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
            self.raw(&ordered.to_be_bytes());
        } else {
            let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            self.raw(&ordered.to_be_bytes());
        }
    }

    /// Appends a nullable column that is null: the marker and `key_bytes` zeros.
    pub fn null(&mut self, key_bytes: usize) {
        self.zeros(1 + key_bytes);
    }

    /// Appends the marker in front of the value of a nullable column.
    pub fn not_null(&mut self) {
        self.raw(&[1]);
    }
}

/// Bytes of a scalar's key column.
pub const fn scalar_key_bytes(scalar: Scalar) -> usize {
    scalar.desc().size_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<V: KeyScalar>(value: V) -> Vec<u8> {
        Key::new().scalar(value).bytes().to_vec()
    }

    #[test]
    fn order_of_keys_is_order_of_values() {
        assert!(key(-5_i32) < key(-4_i32) && key(-1_i32) < key(0_i32) && key(255_u32) < key(256_u32));
        let floats = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 3.0, f64::INFINITY, f64::NAN];
        assert!(floats.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_eq!(key(-0.0_f32), key(0.0_f32));
    }

    #[test]
    fn a_string_is_in_its_key_whatever_its_length() {
        for len in 0..=40 {
            let text: String = ('a'..='z').cycle().take(len).collect();
            let mut key = Key::new();
            key.scalar(7_u16).str::<40>(&text);
            let expected = [&[0, 7], text.as_bytes(), &[0; 40][len..], &[len as u8]].concat();
            assert_eq!(key.bytes(), expected, "{len} bytes");
        }
    }

    #[test]
    fn a_shorter_string_comes_first_and_nul_is_a_character() {
        let key = |s: &str| Key::new().str::<4>(s).bytes().to_vec();
        assert!(key("") < key("a") && key("a") < key("a\0") && key("a\0") < key("aa") && key("ab") < key("b"));
        assert!(Key::new().str::<4>("abcde").is_impossible());
    }

    #[test]
    fn short_texts_are_wholly_in_their_keys_and_long_ones_keep_the_rest_beside() {
        let key = |text: &str| Key::new().scalar(7_u8).text(text).clone();
        let texts = ["", "a", "a\0", "aa", "b", "the first twenty-three b", "the first twenty-three bytes", "u"];
        assert!(texts.windows(2).all(|pair| key(pair[0]).bytes()[..25] <= key(pair[1]).bytes()[..25]));
        let (short, long) = (key("the first twenty-three "), key("the first twenty-three bytes"));
        assert!(!short.has_long_texts() && short.bytes()[..25] < long.bytes()[..25]);
        assert_eq!(long.long_text(1), Some("the first twenty-three bytes".as_bytes()));
        assert_eq!(long.long_text_from(2), None);
    }

    #[test]
    fn a_written_column_is_the_one_that_is_appended() {
        let text = [&[3][..], b"abc", &[0; 5]].concat();
        let long_text = [&[3, 0][..], b"abc", &[0; 297]].concat();
        let cells: [(KeyKind, &[u8]); 14] = [
            (KeyKind::Uint(1), &[7]),
            (KeyKind::Uint(2), &[1, 2]),
            (KeyKind::Uint(4), &[1, 2, 3, 4]),
            (KeyKind::Uint(8), &[1, 2, 3, 4, 5, 6, 7, 8]),
            (KeyKind::Int(1), &[7]),
            (KeyKind::Int(2), &[1, 0xFF]),
            (KeyKind::Raw(16), b"raw and sixteen!"),
            (KeyKind::Str(300), &long_text),
            (KeyKind::Int(4), &[1, 2, 3, 0xFF]),
            (KeyKind::Int(8), &[1, 2, 3, 4, 5, 6, 7, 8]),
            (KeyKind::Float(4), &(-1.5_f32).to_le_bytes()),
            (KeyKind::Float(8), &2.5_f64.to_le_bytes()),
            (KeyKind::Raw(3), b"raw"),
            (KeyKind::Str(8), &text),
        ];
        for (kind, cell) in cells {
            let (mut key, mut part) = (Key::new(), vec![0; kind.key_bytes()]);
            key.column(kind, cell);
            kind.write(cell, &mut part);
            assert_eq!(part, key.bytes(), "{kind:?}");
            let (cells, mut parts) = ([&[9], cell].concat().repeat(3), vec![0; 3 * (part.len() + 2)]);
            let (from, to) = (cell.len() + 1, part.len() + 2);
            kind.write_all(
                Strided { bytes: &cells, stride: from, at: 1 },
                StridedMut { bytes: &mut parts, stride: to, at: 2 },
            );
            assert_eq!(parts, [&[0, 0][..], key.bytes()].concat().repeat(3), "{kind:?}, of three records");
        }
    }

    #[test]
    fn a_long_key_spills_and_keeps_its_bytes() {
        let mut long = Key::new();
        long.scalar(1_u64).str::<64>("x").scalar(2_u64);
        assert_eq!(long.bytes().len(), 8 + 65 + 8);
        assert_eq!(&long.bytes()[..9], &[0, 0, 0, 0, 0, 0, 0, 1, b'x']);
        assert_eq!(&long.bytes()[73..], &[0, 0, 0, 0, 0, 0, 0, 2]);
    }
}
