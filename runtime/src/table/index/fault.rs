//! What a check of an index can find.

use thiserror::Error;

/// Where an index is damaged, and how. Indexes hold nothing that the rows do not: the remedy is to build it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("index page {page}: {wrong}")]
pub struct Fault {
    /// Number of the page; 0 is the header.
    pub page: u32,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// The ways in which an index page can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Wrong {
    /// The buffer is not a whole number of pages, or shorter than the header says.
    #[error("the buffer's length does not fit its pages")]
    Length,
    /// The header is of another kind of index or another width of items.
    #[error("not the header of this index")]
    Format,
    /// A link leads to a page that does not exist.
    #[error("a link leads to it, but there is no such page")]
    Link,
    /// Two links lead to this page, or a link leads back to where it came from.
    #[error("reached twice")]
    ReachedTwice,
    /// The page is not of the kind or on the level that its place asks for.
    #[error("not the kind of page that belongs here")]
    Kind,
    /// It holds no entries, or more than fit.
    #[error("an impossible number of entries")]
    Count,
    /// What it says of its entries to find them faster does not fit them.
    #[error("entries and what is said of them differ")]
    Summary,
    /// Its entries are not in order, or do not belong between its neighbours.
    #[error("entries out of order")]
    Order,
    /// The links between neighbouring leaves disagree with the tree.
    #[error("wrongly linked to its neighbours")]
    Neighbours,
    /// The number of items is not what was counted.
    #[error("the number of items is wrong")]
    ItemCount,
    /// The length of the free list is not what was counted.
    #[error("the number of free pages is wrong")]
    FreeCount,
    /// Some page is neither in use nor free.
    #[error("a page is neither in use nor free")]
    Leak,
}
