//! Column groups of one table, taken out of it side by side, to be read or overwritten.

use super::buffer::Buffer;
use super::def::TableDef;
use super::journal::Journal;
use super::meta;
use super::rows::Rows;
use super::version::{GROUPS, IDS, META, SLOTS};
use std::iter::Enumerate;
use std::slice::IterMut;

/// What is still read of a table while its groups are written.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The ids of its rows, and perhaps more.
    pub ids: &'a [u8],
    /// Its slots.
    pub slots: &'a [u8],
    /// Its rows.
    pub len: usize,
}

/// The groups of a table, to be taken in their order.
#[derive(Debug)]
pub struct Groups<'a> {
    /// The rest of the table.
    pub beside: Beside<'a>,
    def: &'a TableDef,
    buffers: Enumerate<IterMut<'a, Buffer>>,
    journal: &'a mut Journal,
}

impl<'a> Rows<'a> {
    /// The column groups, some of which commit `version` overwrites.
    pub fn take_groups(mut self, version: u64) -> Groups<'a> {
        self.meta().set(meta::WATERMARK, version);
        let Rows { def, buffers, journal, .. } = self;
        let (head, groups) = buffers.split_at_mut(GROUPS);
        let len = meta::get(&head[META], meta::ROWS) as usize;
        let beside = Beside { ids: head[IDS].bytes(), slots: head[SLOTS].bytes(), len };
        let groups = groups.iter_mut().enumerate();
        Groups { beside, def, buffers: groups, journal }
    }
}

impl<'a> Groups<'a> {
    /// A group behind those that were taken, to be read.
    pub fn read(&mut self, group: usize) -> &'a [u8] {
        let found = self.buffers.find(|(at, _)| *at == group);
        found.map_or(&[], |(_, buffer)| &buffer.bytes()[..self.bytes(group)])
    }

    /// A group behind those that were taken, to be overwritten at will. One whose fields are not free has nothing that may
    /// be: it is empty.
    pub fn write(&mut self, group: usize) -> &'a mut [u8] {
        let is_free = self.def.group_is_free(group);
        let found = self.buffers.find(|(at, _)| *at == group);
        let Some((_, buffer)) = found.filter(|_| is_free) else { return &mut [] };
        let bytes = self.bytes(group);
        &mut buffer.edit_whole(self.journal, (GROUPS + group) as u32)[..bytes]
    }

    fn bytes(&self, group: usize) -> usize {
        self.beside.len * self.def.layout.groups[group].stride
    }
}
