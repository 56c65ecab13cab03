//! A field's rules, prepared: comparisons of raw bytes that prove most values right at once.
//!
//! A guard that holds proves that its field obeys the rules it stands for. One that does not hold proves nothing: then
//! [`rules`](super::rules) decides and says what is wrong. So guards need to know neither names nor errors, and may be
//! stricter than the rules, as they are with nulls: the zeros under a null are looked at like a value.

use super::chunk::Chunk;
use super::codec::{le_u64, null_bit};
use super::plan::CellPlan;
use super::strided::Strided;
use dbgen_schema::Value;
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::layout::FieldLayout;

/// A comparison of raw bytes of a record image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// So many f32 from byte `at` on are finite.
    Finite32 {
        /// The first of them.
        at: usize,
        /// How many follow each other.
        count: usize,
    },
    /// The f64 at `at` is finite.
    Finite64 {
        /// Where it is.
        at: usize,
    },
    /// The integer at `at` is `min` or up to `span` more.
    Int {
        /// Where it is.
        at: usize,
        /// 1, 2, 4 or 8 bytes.
        size: usize,
        /// Whether its top bit is a sign.
        signed: bool,
        /// The smallest value, as 64 bits.
        min: u64,
        /// The largest value, less the smallest.
        span: u64,
    },
    /// The bit that says null is not set.
    NotNull {
        /// Where the bitmap is.
        at: usize,
        /// The bit.
        bit: u32,
    },
    /// The record id at `at` is none of zeros.
    Given {
        /// Where it is.
        at: usize,
    },
}

impl Guard {
    /// Whether a record image is proved right, as far as this guard goes.
    #[inline]
    pub fn holds(&self, image: &[u8]) -> bool {
        match *self {
            Guard::Finite32 { at, count } => are_finite(&image[at..at + 4 * count]),
            Guard::Finite64 { at } => f64::from_bits(le_u64(&image[at..])).is_finite(),
            Guard::Int { at, size, signed, min, span } => int(&image[at..at + size], signed).wrapping_sub(min) <= span,
            Guard::NotNull { at, bit } => !null_bit(&image[at..], bit),
            Guard::Given { at } => le_u64(&image[at..]) != 0,
        }
    }
}

impl Guard {
    /// Whether all of several records are proved right, as far as this guard goes.
    pub fn holds_for_all(&self, records: Chunk<'_>) -> bool {
        let cells = records.cells(self.at());
        let Strided { bytes: rows, stride, at } = cells;
        // What is compared is put together and not asked one by one: then several are compared at once.
        match *self {
            // Rows of nothing else.
            Guard::Finite32 { count, .. } if 4 * count == stride => are_finite(rows),
            // Most that lie together are a vector or two of three.
            Guard::Finite32 { count: 3, .. } => cells.cells::<12>().fold(true, |all, it| all & are_finite(it)),
            Guard::Finite32 { count: 6, .. } => cells.cells::<24>().fold(true, |all, it| all & are_finite(it)),
            Guard::Int { size: 4, signed, min, span, .. } => {
                cells.cells::<4>().fold(true, |all, cell| all & (int(cell, signed).wrapping_sub(min) <= span))
            }
            _ => {
                let guard = self.moved_to(at);
                rows.chunks_exact(stride).all(|row| guard.holds(row))
            }
        }
    }

    /// Where what it looks at begins.
    fn at(&self) -> usize {
        match *self {
            Guard::Finite32 { at, .. }
            | Guard::Finite64 { at }
            | Guard::Int { at, .. }
            | Guard::NotNull { at, .. }
            | Guard::Given { at } => at,
        }
    }

    /// The same of what begins there.
    fn moved_to(self, to: usize) -> Guard {
        let mut moved = self;
        match &mut moved {
            Guard::Finite32 { at, .. }
            | Guard::Finite64 { at }
            | Guard::Int { at, .. }
            | Guard::NotNull { at, .. }
            | Guard::Given { at } => *at = to,
        }
        moved
    }
}

/// Whether f32 that follow each other are finite, two at a time: with 1 added to its exponent, one that is not overflows
/// into its sign.
#[inline]
fn are_finite(numbers: &[u8]) -> bool {
    const EXPONENTS: u64 = 0x7F80_0000_7F80_0000;
    const ONES: u64 = 0x0080_0000_0080_0000;
    const SIGNS: u64 = 0x8000_0000_8000_0000;
    let (pairs, last) = numbers.as_chunks::<8>();
    let sums = pairs.iter().fold(0, |sums, pair| sums | ((u64::from_le_bytes(*pair) & EXPONENTS) + ONES));
    let last = last.first_chunk().map_or(0, |last| u64::from(u32::from_le_bytes(*last)));
    (sums | ((last & EXPONENTS) + ONES)) & SIGNS == 0
}

/// An integer of 1 to 8 bytes as 64 bits.
#[inline]
fn int(cell: &[u8], signed: bool) -> u64 {
    let wide = match *cell {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => le_u64(cell),
    };
    if !signed {
        return wide;
    }
    let unused = 64 - 8 * cell.len().min(8) as u32;
    ((wide << unused) as i64 >> unused) as u64
}

/// What a field's rules are, as far as guards stand for them.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// NaN and infinities may be stored.
    pub allow_nan: bool,
    /// Smallest value allowed.
    pub min: &'a Option<Value>,
    /// Largest value allowed.
    pub max: &'a Option<Value>,
}

/// Appends the guards that together stand for all rules of a field; `false` if there are none that do.
pub fn field_guards(
    plan: &CellPlan,
    at: FieldLayout,
    group_offset: usize,
    nullable: bool,
    rules: Rules<'_>,
    guards: &mut Vec<Guard>,
) -> bool {
    if !nullable {
        match (at.null_bit, plan) {
            (Some(bit), _) => guards.push(Guard::NotNull { at: group_offset, bit }),
            (None, CellPlan::Ref) => guards.push(Guard::Given { at: at.image_offset }),
            (None, _) => {}
        }
    }
    if at.offset > 0 {
        return plan.guards(at.image_offset, rules, guards);
    }
    // No guard reaches from one column group into the next: of many records they do not lie beside each other.
    let mut first_of_group = Vec::new();
    let is_guarded = plan.guards(at.image_offset, rules, &mut first_of_group);
    guards.append(&mut first_of_group);
    is_guarded
}

impl CellPlan {
    /// Appends the guards for a cell at `at`; `false` if some rule has none.
    fn guards(&self, at: usize, rules: Rules<'_>, guards: &mut Vec<Guard>) -> bool {
        const ELEMENTS_MAX: usize = 64;
        const NO_BOUND: &Option<Value> = &None;
        let within = |allow_nan| Rules { allow_nan, min: NO_BOUND, max: NO_BOUND };
        let is_bounded = rules.min.is_some() || rules.max.is_some();
        match self {
            CellPlan::Scalar(scalar) => match scalar.desc().kind {
                ScalarKind::Int { min, max } if is_bounded => {
                    let bounds = bound(rules.min, min).zip(bound(rules.max, max));
                    let guard =
                        bounds.and_then(|(low, high)| int_guard(at, self.size(), min < 0, low.max(min), high.min(max)));
                    guard.map(|guard| guards.push(guard)).is_some()
                }
                _ if is_bounded => false,
                ScalarKind::Float { .. } if rules.allow_nan => true,
                ScalarKind::Float { bits: 32 } => {
                    add_finite32(at, 1, guards);
                    true
                }
                ScalarKind::Float { .. } => {
                    guards.push(Guard::Finite64 { at });
                    true
                }
                _ => true,
            },
            _ if is_bounded => false,
            _ if !self.is_ruled(rules.allow_nan) => true,
            CellPlan::Array { element, count } if *count <= ELEMENTS_MAX => {
                (0..*count).all(|n| element.guards(at + n * element.size(), within(rules.allow_nan), guards))
            }
            CellPlan::Composite(plan) => plan.fields.iter().all(|member| {
                let rules = Rules { allow_nan: member.allow_nan, min: &member.min, max: &member.max };
                member.plan.guards(at + member.offset, rules, guards)
            }),
            _ => false,
        }
    }
}

/// A bound as a number; that of the type if there is none, nothing if it is no whole number.
fn bound(given: &Option<Value>, of_type: i128) -> Option<i128> {
    match given {
        None => Some(of_type),
        Some(Value::Int(bound)) => Some(*bound),
        Some(_) => None,
    }
}

fn int_guard(at: usize, size: usize, signed: bool, min: i128, max: i128) -> Option<Guard> {
    let span = u64::try_from(max.checked_sub(min)?).ok()?;
    matches!(size, 1 | 2 | 4 | 8).then_some(Guard::Int { at, size, signed, min: min as u64, span })
}

/// Floats that lie beside each other are one guard.
fn add_finite32(at: usize, count: usize, guards: &mut Vec<Guard>) {
    match guards.last_mut() {
        Some(Guard::Finite32 { at: from, count: before }) if *from + 4 * *before == at => *before += count,
        _ => guards.push(Guard::Finite32 { at, count }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgen_schema::field_type::Scalar;
    use dbgen_schema::layout::GroupLayout;

    #[test]
    fn an_integer_is_within_its_bounds_whatever_its_size_and_sign() {
        for (size, signed, min, max) in
            [(1, true, -3, 100), (2, false, 0, 65_535), (4, true, -70_000, -2), (8, false, 5, 9)]
        {
            let guard = int_guard(4, size, signed, min, max).expect("a guard");
            let holds = |value: i128| {
                let mut image = [0xAA; 16];
                image[4..4 + size].copy_from_slice(&value.to_le_bytes()[..size]);
                guard.holds(&image)
            };
            assert!(holds(min) && holds(max), "{min}..={max} in {size} bytes");
            assert!(
                !holds(max + 1) && (min == 0 || !holds(min - 1)) || size == 2,
                "beyond {min}..={max} in {size} bytes"
            );
        }
        let all = int_guard(0, 8, true, i128::from(i64::MIN), i128::from(i64::MAX)).expect("a guard");
        assert!([i64::MIN, -1, 0, i64::MAX].iter().all(|value| all.holds(&value.to_le_bytes())));
    }

    #[test]
    fn a_guard_holds_for_all_images_if_it_holds_for_each() {
        let guards = [
            Guard::Finite32 { at: 4, count: 3 },
            Guard::Finite32 { at: 4, count: 6 },
            Guard::Finite32 { at: 8, count: 1 },
            Guard::Finite64 { at: 8 },
            Guard::Int { at: 8, size: 4, signed: true, min: 0, span: 99 },
            Guard::Int { at: 8, size: 2, signed: false, min: 0, span: 99 },
            Guard::NotNull { at: 8, bit: 0 },
            Guard::Given { at: 8 },
        ];
        // Two groups, and one that begins where the guards of floats look.
        let group = |image_offset, stride| GroupLayout { stride, null_bytes: 0, image_offset, fields: Vec::new() };
        let of_groups =
            [vec![group(0, 30)], vec![group(0, 4), group(4, 26)], vec![group(0, 4), group(4, 24), group(28, 2)]];
        let right = [[0; 8].as_slice(), &50_u64.to_le_bytes(), &[0; 14]].concat();
        let wrong = [right[..8].to_vec(), vec![0xFF; 8], vec![0; 14]].concat();
        let none = vec![0; 30];
        for (guard, groups) in guards.iter().flat_map(|guard| of_groups.iter().map(move |groups| (guard, groups))) {
            for images in [[&right, &right, &right], [&right, &wrong, &right], [&right, &right, &none]] {
                let each = images.iter().all(|image| guard.holds(image));
                let rows = |group: &GroupLayout| {
                    let row = group.image_offset..group.image_offset + group.stride;
                    images.iter().flat_map(|image| image[row.clone()].to_vec()).collect::<Vec<u8>>()
                };
                let all: Vec<u8> = groups.iter().flat_map(rows).collect();
                let holds = guard.holds_for_all(Chunk::new(&all, groups, 3, 0..3));
                assert_eq!(holds, each, "{guard:?} of {images:?} in {groups:?}");
            }
        }
    }

    #[test]
    fn no_guard_reaches_from_one_group_into_the_next() {
        let mut guards = Vec::new();
        for (group, offset, image_offset) in [(0, 0, 0), (0, 4, 4), (1, 0, 8), (1, 4, 12)] {
            let at = FieldLayout { group, offset, image_offset, size: 4, null_bit: None };
            let rules = Rules { allow_nan: false, min: &None, max: &None };
            assert!(field_guards(&CellPlan::Scalar(Scalar::F32), at, 8 * group, false, rules, &mut guards));
        }
        assert_eq!(guards, [Guard::Finite32 { at: 0, count: 2 }, Guard::Finite32 { at: 8, count: 2 }]);
    }

    #[test]
    fn floats_beside_each_other_are_one_guard_and_each_of_them_counts() {
        let mut guards = Vec::new();
        (0..6).for_each(|n| add_finite32(4 * n, 1, &mut guards));
        assert_eq!(guards, [Guard::Finite32 { at: 0, count: 6 }]);
        for (at, wrong) in [(0, f32::NAN), (3, f32::INFINITY), (5, f32::NEG_INFINITY)] {
            let mut image = [0; 24];
            assert!(guards[0].holds(&image));
            image[4 * at..4 * at + 4].copy_from_slice(&wrong.to_le_bytes());
            assert!(!guards[0].holds(&image));
        }
        let guard = Guard::Finite64 { at: 0 };
        assert!(guard.holds(&f64::MAX.to_le_bytes()) && !guard.holds(&f64::NAN.to_le_bytes()));
    }
}
