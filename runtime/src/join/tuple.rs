//! Tuples of members: what a join is asked for.

use super::member::{NeedOf, RawId, Taken};
use super::walk::{NONE, Rows};
use super::{MEMBERS_MAX, Member, MemberMut, Need};
use crate::join::member::Tables;
use crate::typed::Table;

/// The members of a join: a tuple of one to eight.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no members of a join",
    note = "a join takes a tuple of members of the same entities: `(Position, &Velocity, Option<&Frozen>)`"
)]
pub trait Members {
    /// The table of the entities.
    type Owner: Table;
    /// What the join gives of each entity.
    type Item<'v>;
    #[doc(hidden)]
    type Data<'v>: Copy + Send + Sync;
    #[doc(hidden)]
    const NEEDS: &'static [NeedOf];
    #[doc(hidden)]
    fn data(tables: Tables<'_>) -> Self::Data<'_>;
    #[doc(hidden)]
    fn item<'v>(data: Self::Data<'v>, id: RawId<'_>, rows: &Rows) -> Self::Item<'v>;
    /// Narrows the data to `len` entities that lie side by side from these rows on, and says where they are in there.
    #[doc(hidden)]
    fn block<'v>(data: Self::Data<'v>, rows: &Rows, len: usize) -> (Self::Data<'v>, Rows);
}

/// The members of a join that writes: a tuple of one to eight, each table of which is either written once or read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no members of a join that writes",
    note = "a join takes a tuple of members of the same entities: `(&mut Position, &Velocity, Without<Frozen>)`"
)]
pub trait MembersMut {
    /// The table of the entities.
    type Owner: Table;
    /// What the join gives of each entity.
    type Item<'x>;
    #[doc(hidden)]
    type Data<'t>: Send;
    #[doc(hidden)]
    const NEEDS: &'static [NeedOf];
    #[doc(hidden)]
    const WRITES: &'static [Option<usize>];
    #[doc(hidden)]
    fn data<'t>(taken: impl FnMut() -> Taken<'t>) -> Self::Data<'t>;
    #[doc(hidden)]
    fn item<'x>(data: &'x mut Self::Data<'_>, id: RawId<'_>, rows: &Rows) -> Self::Item<'x>;
    /// Narrows the data, member by member, to so many rows from these on.
    #[doc(hidden)]
    fn block<'x>(data: &'x mut Self::Data<'_>, rows: &Rows, lens: &Rows) -> Self::Data<'x>;
    #[doc(hidden)]
    fn split<'t>(data: Self::Data<'t>, rows: &Rows) -> (Self::Data<'t>, Self::Data<'t>);
}

/// Whether no table that is written stands there a second time.
pub(super) const fn writes_once(needs: &[NeedOf], writes: &[Option<usize>]) -> bool {
    let mut a = 0;
    while a < needs.len() {
        let mut b = 0;
        while b < needs.len() {
            let has_rows = matches!(needs[b].need, Need::Required | Need::Optional);
            if a != b && writes[a].is_some() && has_rows && needs[a].table == needs[b].table {
                return false;
            }
            b += 1;
        }
        a += 1;
    }
    true
}

macro_rules! tuples {
    ($(($first:ident $first_at:tt $(, $member:ident $at:tt)*))*) => {$(
        impl<$first: Member $(, $member: Member<Owner = $first::Owner>)*> Members for ($first, $($member,)*) {
            type Owner = $first::Owner;
            type Item<'v> = ($first::Item<'v>, $($member::Item<'v>,)*);
            type Data<'v> = ($first::Data<'v>, $($member::Data<'v>,)*);
            const NEEDS: &'static [NeedOf] = &[$first::NEED, $($member::NEED,)*];

            fn data(tables: Tables<'_>) -> Self::Data<'_> {
                ($first::data(tables), $($member::data(tables),)*)
            }

            #[inline]
            fn item<'v>(data: Self::Data<'v>, id: RawId<'_>, rows: &Rows) -> Self::Item<'v> {
                ($first::item(data.$first_at, id, rows[$first_at]), $($member::item(data.$at, id, rows[$at]),)*)
            }

            #[inline]
            fn block<'v>(data: Self::Data<'v>, rows: &Rows, len: usize) -> (Self::Data<'v>, Rows) {
                let $first = $first::block(data.$first_at, rows[$first_at], len);
                $(let $member = $member::block(data.$at, rows[$at], len);)*
                let mut rows = [NONE; MEMBERS_MAX];
                rows[$first_at] = $first.1;
                $(rows[$at] = $member.1;)*
                (($first.0, $($member.0,)*), rows)
            }
        }

        impl<$first: MemberMut $(, $member: MemberMut<Owner = $first::Owner>)*> MembersMut for ($first, $($member,)*) {
            type Owner = $first::Owner;
            type Item<'x> = ($first::Item<'x>, $($member::Item<'x>,)*);
            type Data<'t> = ($first::Data<'t>, $($member::Data<'t>,)*);
            const NEEDS: &'static [NeedOf] = &[$first::NEED, $($member::NEED,)*];
            const WRITES: &'static [Option<usize>] = &[$first::WRITES, $($member::WRITES,)*];

            fn data<'t>(mut taken: impl FnMut() -> Taken<'t>) -> Self::Data<'t> {
                ($first::data(taken()), $($member::data(taken()),)*)
            }

            #[inline]
            fn item<'x>(data: &'x mut Self::Data<'_>, id: RawId<'_>, rows: &Rows) -> Self::Item<'x> {
                (
                    $first::item(&mut data.$first_at, id, rows[$first_at]),
                    $($member::item(&mut data.$at, id, rows[$at]),)*
                )
            }

            #[inline]
            fn block<'x>(data: &'x mut Self::Data<'_>, rows: &Rows, lens: &Rows) -> Self::Data<'x> {
                (
                    $first::block(&mut data.$first_at, rows[$first_at] as usize, lens[$first_at] as usize),
                    $($member::block(&mut data.$at, rows[$at] as usize, lens[$at] as usize),)*
                )
            }

            fn split<'t>(data: Self::Data<'t>, rows: &Rows) -> (Self::Data<'t>, Self::Data<'t>) {
                let $first = $first::split(data.$first_at, rows[$first_at] as usize);
                $(let $member = $member::split(data.$at, rows[$at] as usize);)*
                (($first.0, $($member.0,)*), ($first.1, $($member.1,)*))
            }
        }
    )*};
}

#[allow(non_snake_case, reason = "a member's type and its value go by one name")]
mod impls {
    use super::*;

    tuples! {
        (A 0)
        (A 0, B 1)
        (A 0, B 1, C 2)
        (A 0, B 1, C 2, D 3)
        (A 0, B 1, C 2, D 3, E 4)
        (A 0, B 1, C 2, D 3, E 4, F 5)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    }
}
