//! Values of values.

use super::{Form, Read, Written};
use crate::cell::{Array, List, TailedList};
use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserializer, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Elements that a list of another machine is believed to have, before they have come.
const CAPACITY_MAX: usize = 1024;

/// A cell whose value may be missing.
pub struct Nullable<C>(PhantomData<fn() -> C>);

impl<C: Form<V>, V> Form<Option<V>> for Nullable<C> {
    fn write<S: Serializer>(value: &Option<V>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_some(&Written::<C, V>::new(value)),
            None => to.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<V>, D::Error> {
        from.deserialize_option(Maybe::<C, V>(PhantomData))
    }
}

struct Maybe<C, V>(PhantomData<fn() -> (C, V)>);

impl<'de, C: Form<V>, V> Visitor<'de> for Maybe<C, V> {
    type Value = Option<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Option<V>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<V>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<V>, D::Error> {
        C::read(from).map(Some)
    }
}

impl<C: Form<V>, V, const N: usize> Form<[V; N]> for Array<C, N> {
    fn write<S: Serializer>(value: &[V; N], to: S) -> Result<S::Ok, S::Error> {
        write_tuple::<C, V, S>(value, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<[V; N], D::Error> {
        let values = from.deserialize_tuple(N, Elements::<C, V> { exactly: Some(N), form: PhantomData })?;
        let wrong = |values: Vec<V>| D::Error::invalid_length(values.len(), &format!("a list of {N}").as_str());
        values.try_into().map_err(wrong)
    }
}

impl<C: Form<C>, const N: usize> Form<Array<C, N>> for Array<C, N> {
    fn write<S: Serializer>(value: &Array<C, N>, to: S) -> Result<S::Ok, S::Error> {
        write_tuple::<C, C, S>(value.as_array(), to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Array<C, N>, D::Error> {
        <Array<C, N> as Form<[C; N]>>::read(from).map(Array::of)
    }
}

/// However many there are: serde's own arrays end at 32.
fn write_tuple<C: Form<V>, V, S: Serializer>(values: &[V], to: S) -> Result<S::Ok, S::Error> {
    let mut to = to.serialize_tuple(values.len())?;
    for value in values {
        to.serialize_element(&Written::<C, V>::new(value))?;
    }
    to.end()
}

macro_rules! lists {
    ($($cell:ident),*) => {$(
        impl<C: Form<V>, V> Form<Vec<V>> for $cell<C> {
            fn write<S: Serializer>(value: &Vec<V>, to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq(value.iter().map(Written::<C, V>::new))
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<V>, D::Error> {
                from.deserialize_seq(Elements::<C, V> { exactly: None, form: PhantomData })
            }
        }
    )*};
}
lists!(List, TailedList);

/// Takes elements, as many as there must be.
struct Elements<C, V> {
    exactly: Option<usize>,
    form: PhantomData<fn() -> (C, V)>,
}

impl<'de, C: Form<V>, V> Visitor<'de> for Elements<C, V> {
    type Value = Vec<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exactly {
            Some(n) => write!(f, "a list of {n}"),
            None => f.write_str("a list"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<V>, A::Error> {
        let likely = self.exactly.or(from.size_hint()).unwrap_or(0);
        let mut values = Vec::with_capacity(likely.min(CAPACITY_MAX));
        while let Some(value) = from.next_element_seed(Read::<C, V>::new())? {
            values.push(value);
        }
        Ok(values)
    }
}
