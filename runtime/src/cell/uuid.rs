//! UUIDs: 16 bytes, in the order of RFC 9562.

use super::ValueCell;
use bytemuck::{Pod, Zeroable};
use std::fmt;

/// The value.
pub(super) mod value {
    use std::fmt;
    use std::str::FromStr;

    /// A universally unique identifier. Where it comes from is the game's business; here it is 16 bytes.
    #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Uuid([u8; 16]);

    impl Uuid {
        /// All zeros.
        pub const NIL: Uuid = Uuid([0; 16]);

        /// From its bytes, the first one first in the text.
        #[inline]
        pub const fn from_bytes(bytes: [u8; 16]) -> Uuid {
            Uuid(bytes)
        }

        /// Its bytes.
        #[inline]
        pub const fn as_bytes(&self) -> &[u8; 16] {
            &self.0
        }
    }

    /// `67e55044-10b1-426f-9247-bb680e5fe0c8`
    impl fmt::Display for Uuid {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for (at, byte) in self.0.iter().enumerate() {
                let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
                write!(f, "{hyphen}{byte:02x}")?;
            }
            Ok(())
        }
    }

    impl fmt::Debug for Uuid {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(self, f)
        }
    }

    /// A text that is not a UUID: 32 hexadecimal digits, hyphens behind the 8th, 12th, 16th and 20th.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ParseUuidError;

    impl fmt::Display for ParseUuidError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("not a UUID, such as 67e55044-10b1-426f-9247-bb680e5fe0c8")
        }
    }

    impl std::error::Error for ParseUuidError {}

    impl FromStr for Uuid {
        type Err = ParseUuidError;

        fn from_str(text: &str) -> Result<Uuid, ParseUuidError> {
            let bytes: [u8; 36] = text.as_bytes().try_into().map_err(|_| ParseUuidError)?;
            let mut digits = [0; 32];
            let mut filled = 0;
            for (at, byte) in bytes.into_iter().enumerate() {
                match (matches!(at, 8 | 13 | 18 | 23), byte) {
                    (true, b'-') => {}
                    (false, _) => {
                        digits[filled] = char::from(byte).to_digit(16).ok_or(ParseUuidError)? as u8;
                        filled += 1;
                    }
                    (true, _) => return Err(ParseUuidError),
                }
            }
            Ok(Uuid(std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1])))
        }
    }
}

/// A [`Uuid`](value::Uuid), as a cell.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// A cell that holds `value`.
    #[inline]
    pub const fn new(value: value::Uuid) -> Uuid {
        Uuid(*value.as_bytes())
    }

    /// The value it holds.
    #[inline]
    pub const fn get(self) -> value::Uuid {
        value::Uuid::from_bytes(self.0)
    }

    /// Replaces the value.
    #[inline]
    pub const fn set(&mut self, value: value::Uuid) {
        self.0 = *value.as_bytes();
    }
}

impl ValueCell for Uuid {
    type Value = value::Uuid;

    #[inline]
    fn pack(value: value::Uuid) -> Uuid {
        Uuid::new(value)
    }

    #[inline]
    fn unpack(self) -> value::Uuid {
        self.get()
    }
}

impl From<value::Uuid> for Uuid {
    fn from(value: value::Uuid) -> Uuid {
        Uuid::new(value)
    }
}

impl From<Uuid> for value::Uuid {
    fn from(cell: Uuid) -> value::Uuid {
        cell.get()
    }
}

impl PartialEq<value::Uuid> for Uuid {
    fn eq(&self, other: &value::Uuid) -> bool {
        self.get() == *other
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.get(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::value::Uuid;

    #[test]
    fn text_and_bytes_are_in_the_same_order() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let id: Uuid = text.parse().unwrap();
        assert_eq!(id.as_bytes()[..3], [0x67, 0xe5, 0x50]);
        assert_eq!(id.to_string(), text);
        for wrong in ["", "67e55044", "67e5504410b1426f9247bb680e5fe0c8", "67e55044-10b1-426f-9247-bb680e5fe0cg"] {
            assert!(wrong.parse::<Uuid>().is_err(), "{wrong}");
        }
    }
}
