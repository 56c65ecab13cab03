//! Tables, fields and components by their names, for those who write a few of them by hand. Who writes many looks the
//! numbers up once ([`DynTable::number`], [`DynTable::field`]) and goes by those.

use super::{DynRecord, DynTable, TableNo};
use crate::error::{Error, Result, nearest};
use crate::id::RecordId;
use crate::join::{Entities, Need};
use crate::table::def::TableDef;
use crate::txn::Transaction;
use crate::view::View;
use dbgen_schema::Value;

impl TableDef {
    /// The number of the field of this name; an error that names the nearest one if there is none.
    fn field_named(&self, name: &str) -> Result<usize> {
        self.field(name).ok_or_else(|| Error::UnknownField {
            table: self.name.clone(),
            name: name.to_owned(),
            suggestion: nearest(name, self.fields.iter().map(|field| field.name.as_str())),
        })
    }
}

impl<'v> DynTable<'v> {
    /// The number of the field of this name.
    ///
    /// # Errors
    /// [`Error::UnknownField`], with the nearest name.
    pub fn field(self, name: &str) -> Result<usize> {
        self.view.def.field_named(name)
    }
}

impl<'v> DynRecord<'v> {
    /// The value of the field of this name.
    ///
    /// # Errors
    /// [`Error::UnknownField`], with the nearest name.
    pub fn get(self, field: &str) -> Result<Value> {
        Ok(self.value(self.view.def.field_named(field)?))
    }

    /// All fields with their names, in the schema's order.
    pub fn named_values(self) -> impl ExactSizeIterator<Item = (&'v str, Value)> {
        let fields = self.view.def.fields.iter().enumerate();
        fields.map(move |(at, field)| (field.name.as_str(), self.value(at)))
    }
}

impl View {
    /// The records of the table `owner` that have all the components `with` and none of `without`, in the order in which
    /// the smallest of those tables lies. Their components are found by the same id.
    ///
    /// # Errors
    /// [`Error::UnknownTable`]; [`Error::UnknownComponent`] for a table that is none of the owner's component tables.
    pub fn entities(&self, owner: &str, with: &[&str], without: &[&str]) -> Result<Entities<'_>> {
        let owner = self.version.catalog.table(owner)?;
        let component = |name: &&str, need: Need| {
            let table = self.version.catalog.table(name)?;
            if table.owner != Some(owner.at) {
                return Err(Error::UnknownComponent { owner: owner.name.clone(), table: table.name.clone() });
            }
            Ok((self.version.table(table.at), need))
        };
        let with = with.iter().map(|name| component(name, Need::With));
        let asked = with.chain(without.iter().map(|name| component(name, Need::Without)));
        Ok(Entities::new(self.version.table(owner.at), &asked.collect::<Result<Vec<_>>>()?))
    }
}

impl Transaction {
    /// Adds a record to the table of this name. Fields that are not given take their default.
    ///
    /// # Errors
    /// [`Error::UnknownTable`] and [`Error::UnknownField`], with the nearest name; [`Error::Invalid`] with every rule that
    /// the record breaks.
    pub fn insert_named<N: AsRef<str>>(&mut self, table: &str, values: &[(N, Value)]) -> Result<RecordId> {
        let (table, values) = self.numbered(table, values)?;
        self.insert_values(table, &values)
    }

    /// Adds a component to the record `owner`.
    ///
    /// # Errors
    /// As [`insert_named`](Transaction::insert_named).
    pub fn attach_named<N: AsRef<str>>(&mut self, table: &str, owner: RecordId, values: &[(N, Value)]) -> Result<()> {
        let (table, values) = self.numbered(table, values)?;
        self.attach_values(table, owner, &values)
    }

    /// Writes some fields of a record.
    ///
    /// # Errors
    /// As [`insert_named`](Transaction::insert_named); [`Error::NotFound`].
    pub fn update_named<N: AsRef<str>>(&mut self, table: &str, id: RecordId, values: &[(N, Value)]) -> Result<()> {
        let (table, values) = self.numbered(table, values)?;
        self.update_values(table, id, &values)
    }

    /// Deletes a record of the table of this name; says how many records went.
    ///
    /// # Errors
    /// [`Error::UnknownTable`]; [`Error::NotFound`]; [`Error::Restricted`].
    pub fn delete_named(&mut self, table: &str, id: RecordId) -> Result<usize> {
        self.delete_record(self.open_table(table)?, id)
    }

    /// Names as numbers.
    fn numbered<N: AsRef<str>>(&self, table: &str, values: &[(N, Value)]) -> Result<(TableNo, Vec<(usize, Value)>)> {
        let def = self.catalog().table(table)?;
        let numbered = values.iter().map(|(name, value)| Ok((def.field_named(name.as_ref())?, value.clone())));
        Ok((TableNo::of(def), numbered.collect::<Result<_>>()?))
    }
}
