//! The order of a list: `order=level.desc.nullslast,name`. `_id` is always its end, so it is total.

use super::column::{Column, compare};
use crate::dynamic::DynRecord;
use crate::id::RecordId;
use crate::limits::ORDER_KEYS_MAX;
use crate::server::params::invalid_parameter;
use crate::server::problem::{Kind, Mistakes, Problem};
use dbgen_schema::{Table, Value};
use std::cmp::Ordering;

/// An order of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Order {
    keys: Vec<Key>,
    /// Whether the ids that decide between equal records go down.
    id_descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    column: Column,
    descending: bool,
    nulls_first: bool,
}

/// Where a record stands in an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// One value per key of the order.
    pub(super) values: Vec<Value>,
    pub(super) id: RecordId,
}

impl Order {
    /// Reads the parameter; an empty one is `_id`. What is wrong is noted, and left out.
    pub(super) fn parse(table: &Table, text: &str, mistakes: &mut Mistakes) -> Order {
        let mut order = Order::default();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let Some(key) = mistakes.note(Key::parse(table, part.trim())) else { continue };
            if key.column == Column::Id {
                // Ids differ: what stands behind them decides nothing.
                order.id_descending = key.descending;
                break;
            }
            order.keys.push(key);
        }
        if order.keys.len() > ORDER_KEYS_MAX {
            let detail = format!("a list is ordered by at most {ORDER_KEYS_MAX} fields");
            mistakes
                .push(Problem::new(Kind::LimitTooLarge, detail).member("param", "order").member("max", ORDER_KEYS_MAX));
        }
        order
    }

    /// Where a record stands.
    pub(super) fn place(&self, record: DynRecord<'_>) -> Place {
        Place { values: self.keys.iter().map(|key| key.column.value(record)).collect(), id: record.id() }
    }

    /// The columns of its keys.
    pub(super) fn columns(&self) -> impl ExactSizeIterator<Item = Column> + '_ {
        self.keys.iter().map(|key| key.column)
    }

    /// Whether the ids that decide between equal records go down.
    pub(super) fn id_descending(&self) -> bool {
        self.id_descending
    }

    /// The column that decides first, and whether its values go down; `None` = the id decides alone.
    pub(super) fn first(&self) -> Option<(Column, bool)> {
        self.keys.first().map(|key| (key.column, key.descending))
    }

    /// The order by the first column alone.
    pub(super) fn compare_first(&self, a: &Place, b: &Place) -> Ordering {
        match (self.keys.first(), a.values.first(), b.values.first()) {
            (Some(key), Some(a), Some(b)) => key.compare(a, b),
            _ => Ordering::Equal,
        }
    }

    /// Whether a record certainly stands behind one with this id: decided without its values, where the id decides alone.
    pub(super) fn is_behind(&self, id: RecordId, last: RecordId) -> bool {
        self.keys.is_empty() && directed(compare_ids(id, last), self.id_descending).is_ge()
    }

    pub(super) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let keys = self.keys.iter().zip(a.values.iter().zip(&b.values));
        let by_keys = keys.map(|(key, (a, b))| key.compare(a, b)).find(|ordering| ordering.is_ne());
        by_keys.unwrap_or_else(|| directed(compare_ids(a.id, b.id), self.id_descending))
    }
}

impl Key {
    fn parse(table: &Table, text: &str) -> Result<Key, Problem> {
        let mut words = text.split('.');
        let column = Column::parse(table, words.next().unwrap_or_default(), "order")?;
        let (mut descending, mut nulls_first) = (None, None);
        for word in words {
            let slot = match word {
                "asc" | "desc" => &mut descending,
                "nullsfirst" | "nullslast" => &mut nulls_first,
                _ => {
                    return Err(invalid_parameter(
                        "order",
                        text,
                        "like `level`, `level.desc` or `level.desc.nullslast`",
                    ));
                }
            };
            if slot.replace(matches!(word, "desc" | "nullsfirst")).is_some() {
                return Err(invalid_parameter("order", text, "in one direction"));
            }
        }
        let descending = descending.unwrap_or(false);
        Ok(Key { column, descending, nulls_first: nulls_first.unwrap_or(descending) })
    }

    fn compare(self, a: &Value, b: &Value) -> Ordering {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => directed(Ordering::Greater, self.nulls_first),
            (false, true) => directed(Ordering::Less, self.nulls_first),
            (false, false) => directed(compare(a, b), self.descending),
        }
    }
}

/// The order of ids is that of their slots, in which a table finds them: so a page costs its length.
pub(super) fn compare_ids(a: RecordId, b: RecordId) -> Ordering {
    a.get().rotate_left(32).cmp(&b.get().rotate_left(32))
}

fn directed(ordering: Ordering, reversed: bool) -> Ordering {
    if reversed { ordering.reverse() } else { ordering }
}
