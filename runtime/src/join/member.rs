//! What may stand in a join.

use super::walk::{NONE, id_in};
use super::{Need, Source};
use crate::engine::Version;
use crate::id::Id;
use crate::table::version::{IDS, SLOTS, TableView};
use crate::txn::Transaction;
use crate::typed::{Component, RecordRef, Table};
use bytemuck::{AnyBitPattern, NoUninit};
use std::marker::PhantomData;

/// What generated code says of a column group. The implementing type is the struct of its rows, or a table's record, which
/// stands for the first group that takes up room.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column group of a table",
    note = "a group is named by the struct of its rows (`position::Motion`), the first one also by the record (`Position`)"
)]
pub trait Group: 'static {
    /// The table.
    type Record: Table;
    /// The struct of its rows.
    type Row: AnyBitPattern + NoUninit + Send + Sync;
    /// Its position in the table.
    const GROUP: usize;
}

/// A column group that may be overwritten at will: no rule, index or reference concerns its fields.
#[diagnostic::on_unimplemented(
    message = "the rows of `{Self}` cannot be written in place",
    note = "a rule, an index or a reference concerns one of its fields, or one of them is nullable: \
            write those through the table's handle, or move the others to a `group` of their own"
)]
pub trait GroupMut: Group {}

/// Only the entities that have the component `T`.
#[derive(Debug, Clone, Copy)]
pub struct With<T>(PhantomData<fn() -> T>);

/// Only the entities that do not have the component `T`.
#[derive(Debug, Clone, Copy)]
pub struct Without<T>(PhantomData<fn() -> T>);

/// The entity's own record.
#[derive(Debug, Clone, Copy)]
pub struct Owner<P>(PhantomData<fn() -> P>);

/// The tables that a join reads.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'v>(pub(crate) Reads<'v>);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Reads<'v> {
    Published(&'v Version),
    Running(&'v Transaction),
}

impl<'v> Tables<'v> {
    /// Where the ids and slots of a table are, and what is known of them.
    pub(super) fn source(self, table: usize) -> Source<'v> {
        let view = self.view(table);
        view.source().with_runs(match self.0 {
            Reads::Published(_) => view.version.id_runs(),
            Reads::Running(tx) => tx.engine.tables[table].id_runs(),
        })
    }

    pub(crate) fn view(self, table: usize) -> TableView<'v> {
        match self.0 {
            Reads::Published(version) => version.table(table),
            Reads::Running(tx) => tx.engine.view(table),
        }
    }
}

impl<'v> TableView<'v> {
    pub(crate) fn source(self) -> Source<'v> {
        let buffers = &self.version.buffers;
        Source::new(buffers[IDS].bytes(), buffers[SLOTS].bytes(), self.version.len())
    }
}

/// Something that a join gives of each entity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a join",
    note = "members are components (`Position`, `&Position`, `Option<&Position>`), `With<T>`, `Without<T>`, \
            `Id<Entity>` and `Owner<Entity>`; `&mut Position` only in `join_mut`"
)]
pub trait Member {
    /// The table of the entities.
    type Owner: Table;
    /// What it gives.
    type Item<'v>;
    /// Where it takes that from.
    #[doc(hidden)]
    type Data<'v>: Copy + Send + Sync;
    #[doc(hidden)]
    const NEED: NeedOf;
    #[doc(hidden)]
    fn data(tables: Tables<'_>) -> Self::Data<'_>;
    #[doc(hidden)]
    fn item<'v>(data: Self::Data<'v>, id: RawId<'_>, row: u64) -> Self::Item<'v>;
    /// Where it takes what it gives of `len` entities whose rows follow `base`, and the row of the first one in there: a
    /// slice that is exactly as long as the loop over it is read without asking for its length each time.
    #[doc(hidden)]
    #[inline]
    fn block<'v>(data: Self::Data<'v>, base: u64, len: usize) -> (Self::Data<'v>, u64) {
        let _ = len;
        (data, base)
    }
}

/// The id of an entity, which few members ask for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct RawId<'v>(pub(crate) &'v [u8; 8]);

impl RawId<'_> {
    #[inline]
    fn get<T>(self) -> Id<T> {
        match id_in(self.0) {
            Some(id) => Id::new(id),
            None => unreachable!("every row has an id"),
        }
    }
}

/// A table, and what is asked of it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct NeedOf {
    pub(crate) table: usize,
    pub(crate) need: Need,
}

impl NeedOf {
    /// The component must be there.
    pub const fn required<T: Table>() -> NeedOf {
        NeedOf { table: T::INDEX, need: Need::Required }
    }

    const fn of<T: Table>(need: Need) -> NeedOf {
        NeedOf { table: T::INDEX, need }
    }
}

impl<G: Group> Member for &G
where
    G::Record: Component,
{
    type Owner = <G::Record as Component>::Parent;
    type Item<'v> = &'v G::Row;
    type Data<'v> = &'v [G::Row];
    const NEED: NeedOf = NeedOf::required::<G::Record>();

    fn data(tables: Tables<'_>) -> &[G::Row] {
        rows(tables.view(G::Record::INDEX), G::GROUP)
    }

    #[inline]
    fn item<'v>(rows: Self::Data<'v>, _: RawId<'_>, row: u64) -> Self::Item<'v> {
        &rows[row as usize]
    }

    #[inline]
    fn block<'v>(rows: Self::Data<'v>, base: u64, len: usize) -> (Self::Data<'v>, u64) {
        (&rows[base as usize..][..len], 0)
    }
}

fn rows<R: AnyBitPattern + NoUninit>(view: TableView<'_>, group: usize) -> &[R] {
    bytemuck::try_cast_slice(view.group_bytes(group)).unwrap_or(&[])
}

impl<M: Member> Member for Option<M> {
    type Owner = M::Owner;
    type Item<'v> = Option<M::Item<'v>>;
    type Data<'v> = M::Data<'v>;
    const NEED: NeedOf = NeedOf { table: M::NEED.table, need: Need::Optional };

    fn data(tables: Tables<'_>) -> M::Data<'_> {
        M::data(tables)
    }

    #[inline]
    fn item<'v>(data: Self::Data<'v>, id: RawId<'_>, row: u64) -> Self::Item<'v> {
        (row < NONE).then(|| M::item(data, id, row))
    }

    #[inline]
    fn block<'v>(data: Self::Data<'v>, base: u64, len: usize) -> (Self::Data<'v>, u64) {
        if base < NONE { M::block(data, base, len) } else { (data, NONE) }
    }
}

impl<T: Table> Member for Id<T> {
    type Owner = T;
    type Item<'v> = Id<T>;
    type Data<'v> = ();
    const NEED: NeedOf = NeedOf::of::<T>(Need::Nothing);

    fn data(_: Tables<'_>) {}

    #[inline]
    fn item<'v>((): Self::Data<'v>, id: RawId<'_>, _: u64) -> Self::Item<'v> {
        id.get()
    }
}

impl<P: Table> Member for Owner<P> {
    type Owner = P;
    type Item<'v> = P::Ref<'v>;
    type Data<'v> = TableView<'v>;
    const NEED: NeedOf = NeedOf::of::<P>(Need::Required);

    fn data(tables: Tables<'_>) -> TableView<'_> {
        tables.view(P::INDEX)
    }

    #[inline]
    fn item<'v>(view: Self::Data<'v>, _: RawId<'_>, row: u64) -> Self::Item<'v> {
        RecordRef { view, row: row as u32 }.into()
    }
}

macro_rules! filters {
    ($($filter:ident)*) => {$(
        impl<T: Component> Member for $filter<T> {
            type Owner = T::Parent;
            type Item<'v> = ();
            type Data<'v> = ();
            const NEED: NeedOf = NeedOf::of::<T>(Need::$filter);

            fn data(_: Tables<'_>) {}

            #[inline]
            fn item<'v>((): Self::Data<'v>, _: RawId<'_>, _: u64) -> Self::Item<'v> {}
        }
    )*};
}
filters!(With Without);

/// Lets a component stand in a join as its record view. There is no impl for all components, since `&T` is another member.
#[doc(hidden)]
#[macro_export]
macro_rules! __component {
    ($record:ident of $parent:ident, $record_ref:ident) => {
        impl $crate::__private::Component for $record {
            type Parent = $parent;
        }

        impl $crate::__private::Member for $record {
            type Owner = $parent;
            type Item<'v> = $record_ref<'v>;
            type Data<'v> = $crate::__private::TableView<'v>;
            const NEED: $crate::__private::NeedOf = $crate::__private::NeedOf::required::<$record>();

            fn data(tables: $crate::__private::Tables<'_>) -> $crate::__private::TableView<'_> {
                $crate::__private::table_view::<$record>(tables)
            }

            #[inline]
            fn item<'v>(view: Self::Data<'v>, _: $crate::__private::RawId<'_>, row: u64) -> Self::Item<'v> {
                $crate::__private::record_in(view, row)
            }
        }
    };
}

/// A table, to be read by a join.
#[doc(hidden)]
pub fn table_view<T: Table>(tables: Tables<'_>) -> TableView<'_> {
    tables.view(T::INDEX)
}

/// The record in a row.
#[doc(hidden)]
#[inline]
pub fn record_in<'v, R: From<RecordRef<'v>>>(view: TableView<'v>, row: u64) -> R {
    RecordRef { view, row: row as u32 }.into()
}

/// Something that a join gives of each entity, perhaps to be written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a join that writes",
    note = "members are `&mut Position`, `&Position`, `Option` of either, `With<T>`, `Without<T>` and `Id<Entity>`"
)]
pub trait MemberMut {
    /// The table of the entities.
    type Owner: Table;
    /// What it gives.
    type Item<'x>;
    /// Where it takes that from.
    #[doc(hidden)]
    type Data<'t>: Send;
    #[doc(hidden)]
    const NEED: NeedOf;
    /// The group that it writes.
    #[doc(hidden)]
    const WRITES: Option<usize>;
    #[doc(hidden)]
    fn data<'t>(taken: Taken<'t>) -> Self::Data<'t>;
    #[doc(hidden)]
    fn item<'x>(data: &'x mut Self::Data<'_>, id: RawId<'_>, row: u64) -> Self::Item<'x>;
    /// The part of its data that holds the rows of `len` entities, the first of which is `base`.
    #[doc(hidden)]
    fn block<'x>(data: &'x mut Self::Data<'_>, base: usize, len: usize) -> Self::Data<'x>;
    /// Cuts off what lies before `row`, for members that write.
    #[doc(hidden)]
    fn split<'t>(data: Self::Data<'t>, row: usize) -> (Self::Data<'t>, Self::Data<'t>);
}

/// What a member of a writing join gets of its table.
#[doc(hidden)]
pub enum Taken<'t> {
    /// The table, read.
    Read(TableView<'t>),
    /// The bytes of a group, to be written.
    Group(&'t mut [u8]),
    /// Nothing.
    Nothing,
}

impl<G: Group> MemberMut for &G
where
    G::Record: Component,
{
    type Owner = <G::Record as Component>::Parent;
    type Item<'x> = &'x G::Row;
    type Data<'t> = &'t [G::Row];
    const NEED: NeedOf = NeedOf::required::<G::Record>();
    const WRITES: Option<usize> = None;

    fn data<'t>(taken: Taken<'t>) -> &'t [G::Row] {
        match taken {
            Taken::Read(view) => rows(view, G::GROUP),
            _ => &[],
        }
    }

    #[inline]
    fn item<'x>(data: &'x mut &[G::Row], _: RawId<'_>, row: u64) -> &'x G::Row {
        &data[row as usize]
    }

    #[inline]
    fn block<'x>(data: &'x mut &[G::Row], base: usize, len: usize) -> &'x [G::Row] {
        &data[base..][..len]
    }

    fn split<'t>(data: Self::Data<'t>, row: usize) -> (Self::Data<'t>, Self::Data<'t>) {
        data.split_at(row.min(data.len()))
    }
}

impl<G: GroupMut> MemberMut for &mut G
where
    G::Record: Component,
{
    type Owner = <G::Record as Component>::Parent;
    type Item<'x> = &'x mut G::Row;
    type Data<'t> = &'t mut [G::Row];
    const NEED: NeedOf = NeedOf::required::<G::Record>();
    const WRITES: Option<usize> = Some(G::GROUP);

    fn data<'t>(taken: Taken<'t>) -> &'t mut [G::Row] {
        match taken {
            Taken::Group(bytes) => bytemuck::try_cast_slice_mut(bytes).unwrap_or(&mut []),
            _ => &mut [],
        }
    }

    #[inline]
    fn item<'x>(data: &'x mut &mut [G::Row], _: RawId<'_>, row: u64) -> &'x mut G::Row {
        &mut data[row as usize]
    }

    #[inline]
    fn block<'x>(data: &'x mut &mut [G::Row], base: usize, len: usize) -> &'x mut [G::Row] {
        &mut data[base..][..len]
    }

    fn split<'t>(data: Self::Data<'t>, row: usize) -> (Self::Data<'t>, Self::Data<'t>) {
        let row = row.min(data.len());
        data.split_at_mut(row)
    }
}

impl<M: MemberMut> MemberMut for Option<M> {
    type Owner = M::Owner;
    type Item<'x> = Option<M::Item<'x>>;
    type Data<'t> = M::Data<'t>;
    const NEED: NeedOf = NeedOf { table: M::NEED.table, need: Need::Optional };
    const WRITES: Option<usize> = M::WRITES;

    fn data<'t>(taken: Taken<'t>) -> M::Data<'t> {
        M::data(taken)
    }

    #[inline]
    fn item<'x>(data: &'x mut M::Data<'_>, id: RawId<'_>, row: u64) -> Option<M::Item<'x>> {
        (row < NONE).then(|| M::item(data, id, row))
    }

    #[inline]
    fn block<'x>(data: &'x mut M::Data<'_>, base: usize, len: usize) -> M::Data<'x> {
        M::block(data, base, len)
    }

    fn split<'t>(data: M::Data<'t>, row: usize) -> (M::Data<'t>, M::Data<'t>) {
        M::split(data, row)
    }
}

macro_rules! without_data {
    ($([$($generics:tt)*] $member:ty: $bound:path, $owner:ty => $item:ty, $give:expr;)*) => {$(
        impl<$($generics)*: $bound> MemberMut for $member {
            type Owner = $owner;
            type Item<'x> = $item;
            type Data<'t> = ();
            const NEED: NeedOf = <$member as Member>::NEED;
            const WRITES: Option<usize> = None;

            fn data<'t>(_: Taken<'t>) {}

            #[inline]
            fn item<'x>(_: &'x mut Self::Data<'_>, id: RawId<'_>, _: u64) -> Self::Item<'x> {
                let give: fn(RawId<'_>) -> $item = $give;
                give(id)
            }

            #[inline]
            fn block<'x>(_: &'x mut Self::Data<'_>, _: usize, _: usize) -> Self::Data<'x> {}

            fn split<'t>((): Self::Data<'t>, _: usize) -> (Self::Data<'t>, Self::Data<'t>) {
                ((), ())
            }
        }
    )*};
}

without_data! {
    [T] Id<T>: Table, T => Id<T>, |id| id.get();
    [T] With<T>: Component, T::Parent => (), |_| ();
    [T] Without<T>: Component, T::Parent => (), |_| ();
}
