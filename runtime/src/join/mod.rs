//! Joins over component tables: all entities that have these components, with the components side by side.
//!
//! ```text
//! for (id, position, velocity) in view.join::<(Id<Entity>, Position, &Velocity)>() { … }
//! tx.join_mut::<(&mut Velocity, Without<Frozen>)>().for_each(|(velocity, _)| …);
//! ```
//!
//! What may stand in a join (`member`):
//!
//! | member | gives |
//! |---|---|
//! | `Position` | the component as a record view, `PositionRef` |
//! | `&Position`, `&position::Motion` | its row in the first column group, or in the one named: cells, nothing in between |
//! | `&mut Velocity`, `&mut velocity::Motion` | the same, to be written: in [`JoinMut`] only, and only where any bytes may stand |
//! | `Option<M>` | what `M` gives, of entities that have it |
//! | `With<T>`, `Without<T>` | nothing: entities with, or without, the component |
//! | `Id<Entity>` | the entity's id |
//! | `Owner<Entity>` | the entity's own record |
//!
//! **How it is done** (`walk`). The rows of the smallest member that must be there are walked in their order, 64 at a
//! time. Where the other members' rows have the same ids in the same order, as they do when entities were made one after
//! another, the 64 are given side by side without another look; elsewhere the masks of the 64 are asked first, and then the
//! slots of each member, one member after another. The order is the same either way: that of the rows of the member that is walked.
//!
//! Walking shares nothing but what is read, so pieces of 64 rows can be walked on several threads; the pieces are given
//! in order.

mod entities;
mod member;
mod read;
mod tuple;
mod walk;
mod write;

pub use entities::Entities;
pub use member::{
    Group, GroupMut, Member, MemberMut, NeedOf, Owner, RawId, Tables, Taken, With, Without, record_in, table_view,
};
pub use read::Join;
pub use tuple::{Members, MembersMut};
pub(crate) use walk::{Need, Part, Parts, Source};
pub use write::JoinMut;

/// How many members a join has at most.
pub const MEMBERS_MAX: usize = 8;
