//! Records of generated code to plain values and back.

use dbgen_runtime::{Duration, Id, Table, Timestamp, Uuid};
use dbgen_schema::Value;

dbgen_runtime::include_schema!("menagerie");

pub use menagerie::{
    Act, Alarm, Animal, AnimalPatch, Buff, Cage, Chain, Drift, Entity, Health, HealthRef, Keeper, KeeperPatch, Kind,
    Link, Menagerie, Note, Place, PlaceRef, Tile, Tracker, Vec2, View, Visit, animal,
};

/// A record that is known by its values.
pub trait Record: Table + Clone + std::fmt::Debug {
    /// From its values, in the schema's order.
    fn from_values(values: &[Value]) -> Self;
    /// Its values, in the schema's order.
    fn to_values(&self) -> Vec<Value>;
}

/// A field's type that is known by its value.
pub trait Convert: Sized {
    /// From its value.
    fn from_value(value: &Value) -> Self;
    /// Its value.
    fn to_value(&self) -> Value;
}

macro_rules! convert {
    ($($ty:ty: $pattern:pat => $from:expr, |$this:ident| $to:expr;)*) => {$(
        impl Convert for $ty {
            fn from_value(value: &Value) -> Self {
                match value {
                    $pattern => $from,
                    other => panic!("{other:?} is no {}", stringify!($ty)),
                }
            }
            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }
    )*};
}

macro_rules! integers {
    ($($ty:ty)*) => {
        convert! { $($ty: Value::Int(v) => <$ty>::try_from(*v).expect("it is in range"), |this| Value::from(*this);)* }
    };
}
integers! { i8 i16 i32 i64 u8 u16 u32 u64 }

convert! {
    bool: Value::Bool(v) => *v, |this| Value::Bool(*this);
    f32: Value::Float(v) => *v as f32, |this| Value::from(*this);
    f64: Value::Float(v) => *v, |this| Value::from(*this);
    String: Value::Text(v) => v.clone(), |this| Value::Text(this.clone());
    Timestamp: Value::Int(v) => Timestamp::from_micros(*v as i64), |this| Value::from(this.as_micros());
    Duration: Value::Int(v) => Duration::from_micros(*v as i64), |this| Value::from(this.as_micros());
    Uuid: Value::Bytes(v) => Uuid::from_bytes(sixteen(v)), |this| Value::Bytes(this.as_bytes().to_vec());
    [u8; 4]: Value::Bytes(v) => [v[0], v[1], v[2], v[3]], |this| Value::Bytes(this.to_vec());
    Vec<u8>: Value::Bytes(v) => v.clone(), |this| Value::Bytes(this.clone());
    Kind: Value::Enum(v, None) => {
        *Kind::ALL.iter().find(|kind| **kind as u16 == *v).expect("it is a variant")
    }, |this| Value::Enum(*this as u16, None);
    Tile: Value::Struct(v) => Tile::new(u16::from_value(&v[0]), u16::from_value(&v[1])),
        |this| Value::Struct(vec![this.x.get().to_value(), this.y.get().to_value()]);
    Vec2: Value::Struct(v) => Vec2::new(f32::from_value(&v[0]), f32::from_value(&v[1])),
        |this| Value::Struct(vec![this.x.get().to_value(), this.y.get().to_value()]);
}

impl Convert for Act {
    fn from_value(value: &Value) -> Self {
        let Value::Enum(number, payload) = value else { panic!("{value:?} is no act") };
        match (number, payload.as_deref()) {
            (0, None) => Act::Wait,
            (1, Some(to)) => Act::Go(Tile::from_value(to)),
            (2, Some(what)) => Act::Say(String::from_value(what)),
            (3, Some(note)) => Act::Noted(Note::from_value(note)),
            (4, Some(notes)) => Act::Many(Vec::from_value(notes)),
            (5, Some(bits)) => Act::Bits(<[u16; 4]>::from_value(bits)),
            other => panic!("{other:?} is no act"),
        }
    }

    fn to_value(&self) -> Value {
        let (number, payload) = match self {
            Act::Wait => (0, None),
            Act::Go(to) => (1, Some(to.to_value())),
            Act::Say(what) => (2, Some(what.to_value())),
            Act::Noted(note) => (3, Some(note.to_value())),
            Act::Many(notes) => (4, Some(notes.to_value())),
            Act::Bits(bits) => (5, Some(bits.to_value())),
        };
        Value::Enum(number, payload.map(Box::new))
    }
}

impl<T> Convert for Id<T> {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Ref(id) => Id::from_u64(*id).expect("a record could have it"),
            other => panic!("{other:?} is no reference"),
        }
    }
    fn to_value(&self) -> Value {
        Value::Ref(self.get())
    }
}

impl<T: Convert> Convert for Option<T> {
    fn from_value(value: &Value) -> Self {
        (!value.is_null()).then(|| T::from_value(value))
    }
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List(values) => values,
        other => panic!("{other:?} is no list"),
    }
}

fn sixteen(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().expect("it has 16 bytes")
}

macro_rules! lists {
    ($($element:ty)*) => {$(
        impl Convert for Vec<$element> {
            fn from_value(value: &Value) -> Self {
                elements(value).iter().map(Convert::from_value).collect()
            }
            fn to_value(&self) -> Value {
                Value::List(self.iter().map(Convert::to_value).collect())
            }
        }
    )*};
}
lists! { u16 i16 i32 Vec<i32> String Note Act }

macro_rules! arrays {
    ($($element:ty; $n:literal)*) => {$(
        impl Convert for [$element; $n] {
            fn from_value(value: &Value) -> Self {
                let values = elements(value);
                std::array::from_fn(|at| Convert::from_value(&values[at]))
            }
            fn to_value(&self) -> Value {
                Value::List(self.iter().map(Convert::to_value).collect())
            }
        }
    )*};
}
arrays! { u16; 4 Tile; 2 String; 2 }

macro_rules! records {
    ($($ty:ident { $($field:ident)* })*) => {$(
        impl Record for $ty {
            fn from_values(values: &[Value]) -> Self {
                let mut values = values.iter();
                let mut next = || values.next().expect("a value for every field");
                $ty { $($field: Convert::from_value(next())),* }
            }
            fn to_values(&self) -> Vec<Value> {
                vec![$(self.$field.to_value()),*]
            }
        }
    )*};
}
records! {
    Keeper { name badge mood boss motto }
    Cage { code keeper size label }
    Animal {
        id kind name a b c d e f g h i tame born nap chip hash bio blob scores grid words note maybe act acts path names
        cage mother mate pos vel steps goal
    }
    Visit { host code badge on }
    Chain { next word }
    Link { chain owner other }
    Entity { label }
    Health { hp log }
    Place { at note }
    Drift { by left }
    Buff { power }
    Tracker { of }
    Alarm { label at every }
}

impl Convert for Note {
    fn from_value(value: &Value) -> Self {
        let Value::Struct(values) = value else { panic!("{value:?} is no note") };
        Note {
            title: Convert::from_value(&values[0]),
            tags: Convert::from_value(&values[1]),
            rank: Convert::from_value(&values[2]),
            at: Convert::from_value(&values[3]),
            aside: Convert::from_value(&values[4]),
        }
    }
    fn to_value(&self) -> Value {
        let Note { title, tags, rank, at, aside } = self;
        Value::Struct(vec![title.to_value(), tags.to_value(), rank.to_value(), at.to_value(), aside.to_value()])
    }
}
