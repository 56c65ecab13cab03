//! What is left of what was not durable when power failed.

use super::Dice;
use super::node::{self, FileNode, Folder, Naming, Node, Pending};
use std::sync::Arc;

/// Bytes that a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// How a disk treats what was not durable when power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The first so many operations, all files together.
    Prefix,
    /// Any of them, in any order.
    Subset,
    /// Any sectors of any writes.
    TornSector,
    /// The first so many, the last of them cut at a byte.
    TornByte,
    /// Any sectors of any writes; garbage in others that were to be written.
    Garbage,
    /// Files have their new length, and zeros where data was on its way.
    SizeWithoutData,
    /// All data is there, no name that was not durable.
    NamesLost,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 7] = [
        Profile::Prefix,
        Profile::Subset,
        Profile::TornSector,
        Profile::TornByte,
        Profile::Garbage,
        Profile::SizeWithoutData,
        Profile::NamesLost,
    ];
}

/// The disk after power failed.
pub(super) fn after(nodes: &[Arc<Node>], profile: Profile, dice: &mut Dice) -> Vec<Arc<Node>> {
    // Up to which operation a prefix reaches.
    let mut numbers: Vec<u64> = nodes
        .iter()
        .flat_map(|node| if let Node::File(file) = &**node { file.pending.as_slice() } else { &[] })
        .map(|(number, _)| *number)
        .collect();
    numbers.sort_unstable();
    let cut = dice.below(numbers.len() + 1);
    let end = numbers.get(cut).copied().unwrap_or(u64::MAX);
    let one = |node: &Arc<Node>| match &**node {
        // Nothing is pending, nothing was lost: it is what it was.
        Node::File(file) if file.pending.is_empty() && !file.is_ahead() => node.clone(),
        Node::File(file) => Arc::new(Node::File(file_after(file, profile, end, dice))),
        Node::Folder(folder) if folder.pending.is_empty() => node.clone(),
        Node::Folder(folder) => Arc::new(Node::Folder(folder_after(folder, profile, dice))),
    };
    nodes.iter().map(one).collect()
}

fn folder_after(folder: &Folder, profile: Profile, dice: &mut Dice) -> Folder {
    let mut durable = folder.durable.clone();
    let kept: Vec<&Naming> = match profile {
        Profile::NamesLost => Vec::new(),
        Profile::Prefix | Profile::TornByte => {
            folder.pending.iter().take(dice.below(folder.pending.len() + 1)).collect()
        }
        _ => folder.pending.iter().filter(|_| dice.coin()).collect(),
    };
    for naming in kept {
        node::name(&mut durable, naming);
    }
    Folder { entries: durable.clone(), durable, pending: Vec::new() }
}

fn file_after(file: &FileNode, profile: Profile, end: u64, dice: &mut Dice) -> FileNode {
    let mut bytes = file.durable.clone();
    let before = |number: u64| number < end;
    match profile {
        Profile::NamesLost => file.pending.iter().for_each(|(_, pending)| node::apply(&mut bytes, pending)),
        Profile::Prefix => {
            file.pending.iter().filter(|(n, _)| before(*n)).for_each(|(_, pending)| node::apply(&mut bytes, pending));
        }
        Profile::TornByte => {
            for (number, pending) in &file.pending {
                if before(*number) {
                    node::apply(&mut bytes, pending);
                } else {
                    if let (true, Pending::Write { offset, bytes: written }) = (*number == end, pending) {
                        let head = written[..dice.below(written.len() + 1)].to_vec();
                        node::apply(&mut bytes, &Pending::Write { offset: *offset, bytes: head });
                    }
                    break;
                }
            }
        }
        Profile::Subset => {
            let mut kept: Vec<&Pending> = file.pending.iter().map(|(_, pending)| pending).collect();
            kept.retain(|_| dice.coin());
            for at in (1..kept.len()).rev() {
                kept.swap(at, dice.below(at + 1));
            }
            kept.into_iter().for_each(|pending| node::apply(&mut bytes, pending));
        }
        Profile::TornSector | Profile::Garbage => {
            for (_, pending) in &file.pending {
                torn(&mut bytes, pending, profile == Profile::Garbage, dice);
            }
        }
        Profile::SizeWithoutData => {
            if file.bytes.len() > bytes.len() {
                bytes.resize(file.bytes.len(), 0);
            }
        }
    }
    FileNode::durable(bytes)
}

/// Each sector of a write by itself: written, not written, or, if `garbage`, overwritten by something else.
fn torn(bytes: &mut Vec<u8>, pending: &Pending, garbage: bool, dice: &mut Dice) {
    let Pending::Write { offset, bytes: written } = pending else {
        if dice.coin() {
            node::apply(bytes, pending);
        }
        return;
    };
    let mut done = 0;
    while done < written.len() {
        let at = *offset as usize + done;
        let n = (SECTOR_BYTES - at % SECTOR_BYTES).min(written.len() - done);
        let mut piece = written[done..done + n].to_vec();
        let is_written = dice.coin();
        let is_garbage = garbage && !is_written && dice.coin();
        if is_garbage {
            piece.iter_mut().for_each(|byte| *byte = dice.next() as u8);
        }
        if is_written || is_garbage {
            node::apply(bytes, &Pending::Write { offset: at as u64, bytes: piece });
        }
        done += n;
    }
}
