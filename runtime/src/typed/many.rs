//! Writing many records in one call, all of them or none.

use super::{Component, Table, TableMut};
use crate::error::Result;
use crate::id::{Id, RecordId};
use crate::op::{Images, Op};
use crate::record::image::RecordImage;

/// Records that are encoded as the engine asks for them.
struct Encoded<I>(I);

impl<T: Table, I: Iterator<Item = T>> Images for Encoded<I> {
    fn fill(&mut self, image: &mut RecordImage, records_max: usize) -> usize {
        image.begin_chunk(records_max, const { T::DESC.image_bytes() });
        // By value, and shown to nobody before, so that where it stands can be kept in registers.
        let mut chunk = std::mem::take(image);
        while chunk.records() < records_max && chunk.takes_another() {
            let Some(record) = self.0.next() else { break };
            chunk.begin_record();
            record.encode(&mut chunk);
        }
        *image = chunk;
        image.records()
    }

    fn expected(&self) -> usize {
        self.0.size_hint().0
    }
}

impl<T: Table> TableMut<'_, T> {
    /// Adds records, all or none; gives their ids in their order. Much faster than one by one where there are indexes.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that any of the records breaks, each with the record's place in `records`.
    pub fn insert_many(&mut self, records: impl IntoIterator<Item = T>) -> Result<Vec<Id<T>>> {
        let mut ids = Vec::new();
        let mut records = Encoded(records.into_iter());
        self.tx.engine.apply(Op::InsertMany { table: T::INDEX, records: &mut records, ids: &mut ids })?;
        Ok(ids.into_iter().map(Id::new).collect())
    }

    /// Makes room for so many records more, so that adding them moves nothing. What they put into the heap and the indexes
    /// is not counted.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full) if no table can have so many; [`Error::Io`](crate::Error::Io) if the system has not
    /// so much memory.
    pub fn reserve(&mut self, records: usize) -> Result<()> {
        self.tx.engine.reserve(T::INDEX, records)
    }

    /// Lets `change` change every record that `wanted` picks, and writes what differs: all of them or none. Says how many
    /// were picked. Records are picked before any is changed.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that any of the changed records breaks, each with the record's id.
    pub fn update_where(
        &mut self,
        wanted: impl FnMut(&T::Ref<'_>) -> bool,
        mut change: impl FnMut(&mut T),
    ) -> Result<usize> {
        let picked = self.picked(wanted);
        self.tx.write_all(picked, |tx, id| tx.table_mut::<T>().update(Id::new(id), &mut change).map(|()| 1))
    }

    /// Deletes every record that `wanted` picks, with what their relations demand: all of them or none. Says how many
    /// records went, those of cascades included.
    ///
    /// # Errors
    /// [`Error::Restricted`](crate::Error::Restricted) if others refer to one of them and may not lose it.
    pub fn delete_where(&mut self, wanted: impl FnMut(&T::Ref<'_>) -> bool) -> Result<usize> {
        let picked = self.picked(wanted);
        self.tx.delete_all(T::INDEX, picked)
    }

    fn picked(&self, mut wanted: impl FnMut(&T::Ref<'_>) -> bool) -> Vec<RecordId> {
        let table = self.read();
        table.iter().zip(table.ids()).filter(|(record, _)| wanted(record)).map(|(_, id)| id.record_id()).collect()
    }
}

impl<T: Component> TableMut<'_, T> {
    /// Adds components to records, all or none.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that any of the components breaks, each with the component's place in `components`.
    pub fn attach_many(&mut self, components: impl IntoIterator<Item = (Id<T::Parent>, T)>) -> Result<()> {
        let mut components = components.into_iter();
        self.tx.engine.attach_many(T::INDEX, |image| {
            let (owner, component) = components.next()?;
            image.begin_one(const { T::DESC.image_bytes() });
            component.encode(image);
            Some(owner.record_id())
        })
    }

    /// Takes the components of these records away, all or none; says how many had one.
    ///
    /// # Errors
    /// As [`delete`](TableMut::delete), but it is no error if there is none.
    pub fn detach_many(&mut self, owners: impl IntoIterator<Item = Id<T::Parent>>) -> Result<usize> {
        self.tx.engine.detach_many(T::INDEX, owners.into_iter().map(|owner| owner.record_id()))
    }
}
