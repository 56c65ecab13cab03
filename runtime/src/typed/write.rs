//! Writing: each call becomes an [`Op`] for the engine.

use super::{Component, RecordRef, Table, TableRef};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::{Id, RecordId};
use crate::join::GroupMut;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::txn::Transaction;
use bytemuck::NoUninit;
use std::marker::PhantomData;

/// A table, written inside a transaction.
pub struct TableMut<'t, T> {
    pub(super) tx: &'t mut Transaction,
    table: PhantomData<fn() -> T>,
}

// A derive would demand it of the record, too.
impl<T> std::fmt::Debug for TableMut<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableMut").field("tx", &self.tx).finish()
    }
}

impl<'t, T: Table> TableMut<'t, T> {
    pub(crate) fn new(tx: &'t mut Transaction) -> Self {
        TableMut { tx, table: PhantomData }
    }

    /// The table as the transaction sees it, its own writes included.
    pub fn read(&self) -> TableRef<'_, T> {
        self.tx.table()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that the record breaks; nothing is changed then.
    pub fn insert(&mut self, record: T) -> Result<Id<T>> {
        self.insert_owned(None, &record)
    }

    /// The image of a record, to be given back to the engine.
    #[inline(always)]
    fn encoded(&mut self, record: &T) -> Box<RecordImage> {
        let mut image = self.tx.engine.take_image();
        image.begin_one(const { T::DESC.image_bytes() });
        record.encode(&mut image);
        image
    }

    fn insert_owned(&mut self, owner: Option<RecordId>, record: &T) -> Result<Id<T>> {
        let mut image = self.encoded(record);
        let engine = &mut *self.tx.engine;
        let done = engine.apply(Op::Insert { table: T::INDEX, owner, image: &mut image });
        engine.give_image(image);
        Applied::id(done).map(Id::new)
    }

    /// Reads a record, lets `change` change it, and writes what differs.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Invalid`](crate::Error::Invalid) with every rule that the changed record breaks.
    pub fn update<R>(&mut self, id: Id<T>, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let engine = &self.tx.engine;
        engine.tables[T::INDEX].foresee_record(engine.view(T::INDEX).def, id.record_id());
        let mut record = T::decode(self.read().get(id)?);
        let result = change(&mut record);
        self.replace(id, &record)?;
        Ok(result)
    }

    /// Writes the fields that the patch gives.
    ///
    /// # Errors
    /// As [`update`](TableMut::update).
    pub fn patch(&mut self, id: Id<T>, patch: T::Patch) -> Result<()> {
        self.update(id, |record| T::apply(patch, record))
    }

    /// Gives a record new content, whole.
    ///
    /// # Errors
    /// As [`update`](TableMut::update).
    pub fn replace(&mut self, id: Id<T>, record: &T) -> Result<()> {
        let mut image = self.encoded(record);
        let engine = &mut *self.tx.engine;
        let done = engine.apply(Op::Update { table: T::INDEX, id: id.record_id(), image: &mut image });
        engine.give_image(image);
        Applied::nothing(done)
    }

    /// Deletes a record, with what its relations demand of those that refer to it; says how many records went.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Restricted`](crate::Error::Restricted) if others refer to it and may not lose it.
    pub fn delete(&mut self, id: Id<T>) -> Result<usize> {
        Applied::count(self.tx.engine.apply(Op::Delete { table: T::INDEX, id: id.record_id() }))
    }

    /// A record, to be written field by field.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    #[inline]
    pub fn get_mut(&mut self, id: Id<T>) -> Result<T::Mut<'_>> {
        let (table, id) = (T::INDEX, id.record_id());
        let row = self.tx.engine.view(table).row_of(id)? as u32;
        Ok(RecordMut { tx: self.tx, table, id, row }.into())
    }

    /// Calls `change` for every record.
    ///
    /// # Errors
    /// The first error of `change`; what was written until then stays, unless the transaction rolls back.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(T::Mut<'_>) -> Result<()>) -> Result<()> {
        // A record that is borrowed for writing can be changed and nothing else: rows stay where they are.
        for row in 0..self.read().len() as u32 {
            let Some(id) = self.tx.engine.view(T::INDEX).version.id_at(row as usize) else { continue };
            change(RecordMut { tx: self.tx, table: T::INDEX, id, row }.into())?;
        }
        Ok(())
    }

    /// A column group as a slice of its rows, to be overwritten at will. Only for groups whose fields no rule, index or
    /// reference concerns: generated code says of those, and of no others, that they are [`GroupMut`].
    pub fn group_mut<G: GroupMut<Record = T>>(self) -> &'t mut [G::Row] {
        let bytes = self.tx.engine.group_mut(T::INDEX, G::GROUP);
        bytemuck::try_cast_slice_mut(bytes).unwrap_or(&mut [])
    }
}

impl<T: Table> TableMut<'_, T> {
    /// Lets `next` write a column group from what it was: it gets the rows as they are, to be read, and as they are going
    /// to be, to be written, **all** of them. Nothing is copied, since it reads the version that readers see and writes the
    /// next one.
    pub fn group_next<G: GroupMut<Record = T>, O>(self, next: impl FnOnce(&[G::Row], &mut [G::Row]) -> O) -> O {
        self.tx.engine.group_next(T::INDEX, G::GROUP, |old, new| {
            let (old, new) = (bytemuck::try_cast_slice(old), bytemuck::try_cast_slice_mut(new));
            next(old.unwrap_or(&[]), new.unwrap_or(&mut []))
        })
    }
}

impl<T: Component> TableMut<'_, T> {
    /// Adds a component to a record.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that the component breaks: its owner must exist and have
    /// none yet.
    pub fn attach(&mut self, owner: Id<T::Parent>, component: T) -> Result<()> {
        self.insert_owned(Some(owner.record_id()), &component).map(drop)
    }

    /// Takes a record's component away; says whether it had one.
    ///
    /// # Errors
    /// As [`delete`](TableMut::delete), but it is no error if there is none.
    pub fn detach(&mut self, owner: Id<T::Parent>) -> Result<bool> {
        match self.delete(Id::new(owner.record_id())) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A record's component, to be written field by field.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn of_mut(&mut self, owner: Id<T::Parent>) -> Result<T::Mut<'_>> {
        self.get_mut(Id::new(owner.record_id()))
    }
}

/// A record, written in place inside a transaction. While it is borrowed nothing else can be done in the transaction, so
/// the record is there and stays in its row.
#[derive(Debug)]
pub struct RecordMut<'t> {
    tx: &'t mut Transaction,
    table: usize,
    id: RecordId,
    row: u32,
}

impl RecordMut<'_> {
    /// Its id.
    pub fn id<T>(&self) -> Id<T> {
        Id::new(self.id)
    }

    /// The record as the transaction sees it.
    pub fn read(&self) -> RecordRef<'_> {
        RecordRef { view: self.tx.engine.view(self.table), row: self.row }
    }

    /// Writes a field that no rule, index or reference concerns. What a handler refuses ends the transaction.
    #[inline]
    pub fn write<C: NoUninit>(&mut self, field: usize, cell: &C) {
        let cell = bytemuck::bytes_of(cell);
        let written = self.tx.engine.apply(Op::Write { table: self.table, id: self.id, field, cell: Some(cell) });
        if let Err(refused) = written {
            // A handler's: a borrowed record is there, and the field is free of rules.
            self.tx.engine.refused.get_or_insert(refused);
        }
    }

    /// Writes a field; `None` is null.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Invalid`](crate::Error::Invalid) with the rules that the new value breaks.
    pub fn set<C: NoUninit>(&mut self, field: usize, cell: Option<&C>) -> Result<()> {
        let cell = cell.map(bytemuck::bytes_of);
        self.tx.engine.apply(Op::Write { table: self.table, id: self.id, field, cell }).map(drop)
    }

    /// Writes a field whose cell is made with the help of the image: texts and lists put their bytes there and note what
    /// does not fit; `None` is null.
    ///
    /// # Errors
    /// As [`set`](RecordMut::set).
    pub fn set_cell<C: NoUninit>(
        &mut self,
        field: usize,
        cell: impl FnOnce(&mut RecordImage) -> Option<C>,
    ) -> Result<()> {
        let (table, id) = (self.table, self.id);
        self.tx.with_image(|engine: &mut Engine, image| {
            let view = engine.view(table);
            view.gather(view.row_of(id)?, &mut image.fixed);
            let cell = cell(image);
            view.def.put_cell(&mut image.fixed, field, cell.as_ref().map(bytemuck::bytes_of));
            engine.apply(Op::Update { table, id, image })
        })?;
        Ok(())
    }
}
