//! A value without its type: what a record's field holds when nobody knows the schema at build time.
//!
//! Defaults and bounds of a schema, the dynamic face of the engine and the JSON of the server all speak it. What a
//! value may be is decided by the [`Type`](crate::Type) beside it:
//!
//! | type | value |
//! |---|---|
//! | integers, `timestamp` and `duration` (microseconds) | [`Int`](Value::Int) |
//! | `f32`, `f64` | [`Float`](Value::Float) |
//! | `bool` | [`Bool`](Value::Bool) |
//! | `str<N>`, `text` | [`Text`](Value::Text) |
//! | `bytes<N>`, `bytes`, `uuid` (16 bytes) | [`Bytes`](Value::Bytes) |
//! | enums | [`Enum`](Value::Enum) |
//! | `ref<table>` | [`Ref`](Value::Ref) |
//! | `[T; N]`, `list<T>` | [`List`](Value::List) |
//! | composites | [`Struct`](Value::Struct), one value per field in the order of the composite |
//! | any nullable one | also [`Null`](Value::Null) |

/// A value without its type.
#[derive(Debug, Clone, PartialEq, PartialOrd, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer, or microseconds.
    Int(i128),
    /// A float.
    Float(f64),
    /// UTF-8.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// An enum's variant by its number, with its payload.
    Enum(u16, Option<Box<Value>>),
    /// A record id; never 0.
    Ref(u64),
    /// Values of one type.
    List(Vec<Value>),
    /// A composite's fields, in its order.
    Struct(Vec<Value>),
}

impl Value {
    /// Whether this is [`Value::Null`].
    pub const fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

macro_rules! from_int {
    ($($t:ty)*) => {$(
        impl From<$t> for Value {
            fn from(v: $t) -> Value { Value::Int(v.into()) }
        }
    )*};
}
from_int!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! from_value {
    ($($t:ty => $variant:ident),* $(,)?) => {$(
        impl From<$t> for Value {
            fn from(v: $t) -> Value { Value::$variant(v.into()) }
        }
    )*};
}
from_value!(bool => Bool, f32 => Float, f64 => Float, &str => Text, String => Text, Vec<u8> => Bytes, Vec<Value> => List);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Value {
        v.map_or(Value::Null, Into::into)
    }
}
