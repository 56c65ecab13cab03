//! Column groups of several tables side by side, as plain slices.
//!
//! `tx.player_mut().motion_mut()` borrows the whole transaction, as any handle does. A system that works on several groups
//! at once takes the transaction apart instead: [`Slices`](Transaction::slices) has every table once, each gives its groups
//! once, and all that is given lives side by side. Nothing of a table is touched before a group of it is asked for to be
//! written.

use super::{Table, TableRef};
use crate::join::{Group, GroupMut};
use crate::table::def::TableDef;
use crate::table::slices::Groups;
use crate::table::version::TableView;
use crate::table::writer::TableWriter;
use crate::txn::Transaction;
use std::iter::Zip;
use std::marker::PhantomData;
use std::slice::{Iter, IterMut};

/// All tables of a transaction, to be taken in the order of the schema.
#[derive(Debug)]
pub struct AllSlices<'t> {
    tables: Zip<Iter<'t, TableDef>, IterMut<'t, TableWriter>>,
    version: u64,
}

/// A table beside others, to be read, or to be taken apart into its column groups.
pub struct TableSlices<'t, T> {
    def: &'t TableDef,
    table: &'t mut TableWriter,
    version: u64,
    record: PhantomData<fn() -> T>,
}

// A derive would demand it of the record, too.
impl<T> std::fmt::Debug for TableSlices<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableSlices")
            .field("table", &self.table)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The column groups of a table, to be taken in their order.
pub struct GroupSlices<'t, T>(Groups<'t>, PhantomData<fn() -> T>);

// A derive would demand it of the record, too.
impl<T> std::fmt::Debug for GroupSlices<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GroupSlices").field(&self.0).finish()
    }
}

impl Transaction {
    /// All tables side by side.
    pub fn slices(&mut self) -> AllSlices<'_> {
        let (catalog, tables, version) = self.engine.side_by_side();
        AllSlices { tables: catalog.tables().iter().zip(tables), version }
    }
}

impl<'t> AllSlices<'t> {
    /// The table `T`, which stands behind those that were taken.
    pub fn table<T: Table>(&mut self) -> TableSlices<'t, T> {
        match self.tables.find(|(def, _)| def.at == T::INDEX) {
            Some((def, table)) => TableSlices { def, table, version: self.version, record: PhantomData },
            None => unreachable!("tables are taken once each, in the order of the schema"),
        }
    }
}

impl<'t, T: Table> TableSlices<'t, T> {
    /// The table, read: the transaction's own writes are seen.
    pub fn read(self) -> TableRef<'t, T> {
        TableRef::new(self.table.view(self.def))
    }

    /// A column group, read.
    pub fn group<G: Group<Record = T>>(self) -> &'t [G::Row] {
        let view: TableView<'t> = self.table.view(self.def);
        bytemuck::try_cast_slice(view.group_bytes(G::GROUP)).unwrap_or(&[])
    }

    /// A column group, to be overwritten at will: no rule, index or reference concerns its fields.
    pub fn group_mut<G: GroupMut<Record = T>>(self) -> &'t mut [G::Row] {
        self.groups().write::<G>()
    }

    /// All column groups, some of them to be overwritten.
    pub fn groups(self) -> GroupSlices<'t, T> {
        self.table.touch();
        GroupSlices(self.table.rows(self.def).take_groups(self.version), PhantomData)
    }
}

impl<'t, T: Table> GroupSlices<'t, T> {
    /// A group behind those that were taken, read.
    pub fn read<G: Group<Record = T>>(&mut self) -> &'t [G::Row] {
        bytemuck::try_cast_slice(self.0.read(G::GROUP)).unwrap_or(&[])
    }

    /// A group behind those that were taken, to be overwritten at will.
    pub fn write<G: GroupMut<Record = T>>(&mut self) -> &'t mut [G::Row] {
        bytemuck::try_cast_slice_mut(self.0.write(G::GROUP)).unwrap_or(&mut [])
    }
}

/// Says what column groups a table has: what joins and slices know of it. The first one is also known by the record.
///
/// A group is `method: rows = position`, and one that may be overwritten `mut member method: rows = position`.
#[doc(hidden)]
#[macro_export]
macro_rules! __groups {
    ($record:ident, $reader:ident, $slices:ident $groups:tt $($all:ident)?) => {
        /// A table beside others: to be read, or one of its column groups as a slice.
        #[derive(Debug)]
        pub struct $slices<'t>($crate::__private::TableSlices<'t, $record>);

        impl<'t> $slices<'t> {
            /// The table, read: the transaction's own writes are seen.
            pub fn read(self) -> $reader<'t> {
                $reader(self.0.read())
            }
        }

        $crate::__groups!(@record $record $groups);
        $crate::__groups!(@each $record, $slices $groups);
        $($crate::__groups!(@all $slices, $all {} [] $groups);)?
    };

    (@record $record:ident {}) => {};
    (@record $record:ident { mut $name:ident $method:ident: $row:path = $at:literal $($more:tt)* }) => {
        $crate::__groups!(@record $record { $method: $row = $at });
        impl $crate::__private::GroupMut for $record {}
    };
    (@record $record:ident { $method:ident: $row:path = $at:literal $($more:tt)* }) => {
        impl $crate::__private::Group for $record {
            type Record = $record;
            type Row = $row;
            const GROUP: usize = $at;
        }
    };

    (@each $record:ident, $slices:ident {}) => {};
    (@each $record:ident, $slices:ident { mut $name:ident $method:ident: $row:path = $at:literal, $($more:tt)* }) => {
        $crate::__groups!(@group $record, $row, $at);
        impl $crate::__private::GroupMut for $row {}
        impl<'t> $slices<'t> {
            /// The column group of all records, to be changed at will.
            pub fn $method(self) -> &'t mut [$row] {
                self.0.group_mut::<$row>()
            }
        }
        $crate::__groups!(@each $record, $slices { $($more)* });
    };
    (@each $record:ident, $slices:ident { $method:ident: $row:path = $at:literal, $($more:tt)* }) => {
        $crate::__groups!(@group $record, $row, $at);
        impl<'t> $slices<'t> {
            /// The column group of all records.
            pub fn $method(self) -> &'t [$row] {
                self.0.group::<$row>()
            }
        }
        $crate::__groups!(@each $record, $slices { $($more)* });
    };
    (@group $record:ident, $row:path, $at:literal) => {
        impl $crate::__private::Group for $row {
            type Record = $record;
            type Row = $row;
            const GROUP: usize = $at;
        }
    };

    (@all $slices:ident, $all:ident { $($members:tt)* } [ $($takes:tt)* ] { mut $name:ident $method:ident: $row:path = $at:literal, $($more:tt)* }) => {
        $crate::__groups!(@all $slices, $all {
            $($members)*
            /// A column group, to be changed at will.
            pub $name: &'t mut [$row],
        } [ $($takes)* $name write $row, ] { $($more)* });
    };
    (@all $slices:ident, $all:ident { $($members:tt)* } [ $($takes:tt)* ] { $method:ident: $row:path = $at:literal, $($more:tt)* }) => {
        $crate::__groups!(@all $slices, $all {
            $($members)*
            /// A column group.
            pub $method: &'t [$row],
        } [ $($takes)* $method read $row, ] { $($more)* });
    };
    (@all $slices:ident, $all:ident { $($members:tt)* } [ $($name:ident $take:ident $row:path,)* ] {}) => {
        /// The column groups of all records side by side.
        #[derive(Debug)]
        pub struct $all<'t> { $($members)* }

        impl<'t> $slices<'t> {
            /// All column groups side by side; those that can be written count as written.
            pub fn groups(self) -> $all<'t> {
                let mut groups = self.0.groups();
                $(let $name = groups.$take::<$row>();)*
                $all { $($name),* }
            }
        }
    };
}
