//! flatbuffers. The accessors are written here as its compiler writes them: a table is followed, and each getter looks its
//! field up in the vtable.

use crate::scenes::data;
use flatbuffers::{
    FlatBufferBuilder, Follow, ForwardsUOffset, InvalidFlatbuffer, Table, VOffsetT, Vector, Verifiable, Verifier,
    VerifierOptions, WIPOffset,
};

/// A flatbuffers table with getters, as `flatc` makes them.
macro_rules! table {
    ($name:ident { $($slot:ident = $offset:literal $(: $getter:ident -> $type:ty = $default:expr)?;)* }) => {
        #[derive(Clone, Copy)]
        #[allow(dead_code)] // some are only verified, not read
        pub struct $name<'a>(Table<'a>);

        impl<'a> Follow<'a> for $name<'a> {
            type Inner = $name<'a>;

            #[inline]
            unsafe fn follow(buffer: &'a [u8], at: usize) -> $name<'a> {
                // SAFETY: the caller promises that a table of this type lies there.
                $name(unsafe { Table::new(buffer, at) })
            }
        }

        #[allow(dead_code)]
        impl<'a> $name<'a> {
            $(const $slot: VOffsetT = $offset;)*
            $($(
                #[inline]
                pub fn $getter(&self) -> $type {
                    // SAFETY: the builder below writes a value of this type in this slot.
                    unsafe { self.0.get::<$type>(Self::$slot, Some($default)) }.unwrap_or($default)
                }
            )?)*
        }
    };
}

table!(Player {
    NAME = 4;
    CLASS = 6: class -> u8 = 0;
    LEVEL = 8: level -> u16 = 0;
    HP = 10: hp -> i32 = 0;
    GOLD = 12: gold -> u64 = 0;
    EXPERIENCE = 14: experience -> u32 = 0;
    BAG = 16;
    GUILD = 18: guild -> u64 = 0;
    PX = 20: px -> f32 = 0.0;
    PY = 22: py -> f32 = 0.0;
    PZ = 24: pz -> f32 = 0.0;
    VX = 26: vx -> f32 = 0.0;
    VY = 28: vy -> f32 = 0.0;
    VZ = 30: vz -> f32 = 0.0;
});

table!(Letter {
    SUBJECT = 4;
    BODY = 6;
});

table!(Root {
    RECORDS = 4;
});

impl<'a> Player<'a> {
    #[inline]
    pub fn name(&self) -> &'a str {
        // SAFETY: the builder below writes a string in this slot.
        unsafe { self.0.get::<ForwardsUOffset<&str>>(Self::NAME, None) }.unwrap_or_default()
    }
}

impl Verifiable for Letter<'_> {
    fn run_verifier(verifier: &mut Verifier<'_, '_>, at: usize) -> Result<(), InvalidFlatbuffer> {
        verifier
            .visit_table(at)?
            .visit_field::<ForwardsUOffset<&str>>("subject", Self::SUBJECT, true)?
            .visit_field::<ForwardsUOffset<&str>>("body", Self::BODY, true)?
            .finish();
        Ok(())
    }
}

/// A root that is a list of letters.
struct Letters;

impl Verifiable for Letters {
    fn run_verifier(verifier: &mut Verifier<'_, '_>, at: usize) -> Result<(), InvalidFlatbuffer> {
        verifier
            .visit_table(at)?
            .visit_field::<ForwardsUOffset<Vector<'_, ForwardsUOffset<Letter<'_>>>>>("records", Root::RECORDS, true)?
            .finish();
        Ok(())
    }
}

/// A finished buffer with a list of records, each written by `record`.
fn list<'f, T: 'f>(
    builder: &mut FlatBufferBuilder<'f>,
    count: usize,
    mut record: impl FnMut(&mut FlatBufferBuilder<'f>, usize) -> WIPOffset<T>,
) -> Vec<u8> {
    let records: Vec<WIPOffset<T>> = (0..count).map(|n| record(builder, n)).collect();
    let records = builder.create_vector(&records);
    let start = builder.start_table();
    builder.push_slot_always(Root::RECORDS, records);
    let root = builder.end_table(start);
    builder.finish_minimal(root);
    builder.finished_data().to_vec()
}

pub fn players(count: usize) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    list(&mut builder, count, |builder, n| {
        let (name, bag) = (builder.create_string(&data::name(n)), builder.create_vector(&[1_u16; 16]));
        let start = builder.start_table();
        builder.push_slot_always(Player::NAME, name);
        builder.push_slot_always(Player::BAG, bag);
        builder.push_slot_always(Player::GOLD, data::GOLD);
        builder.push_slot_always(Player::GUILD, data::guild(n) as u64);
        builder.push_slot_always(Player::EXPERIENCE, 1_u32);
        builder.push_slot_always(Player::HP, 100_i32);
        for slot in [Player::PX, Player::PY, Player::PZ, Player::VX, Player::VY, Player::VZ] {
            builder.push_slot_always(slot, 1.0_f32);
        }
        builder.push_slot_always(Player::LEVEL, data::level(n));
        builder.push_slot_always(Player::CLASS, data::class(n));
        builder.end_table(start)
    })
}

pub fn letters(count: usize) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    list(&mut builder, count, |builder, n| {
        let (subject, body) = (builder.create_string(&data::subject(n)), builder.create_string(&data::body(n)));
        let start = builder.start_table();
        builder.push_slot_always(Letter::SUBJECT, subject);
        builder.push_slot_always(Letter::BODY, body);
        builder.end_table(start)
    })
}

/// The players of a buffer that [`players`] made.
#[inline]
pub fn root(buffer: &[u8]) -> Vector<'_, ForwardsUOffset<Player<'_>>> {
    // SAFETY: the buffer was made by `players` and nothing has changed it since.
    let root = unsafe { <ForwardsUOffset<Root<'_>>>::follow(buffer, 0) };
    // SAFETY: `list` writes the records in this slot.
    let records =
        unsafe { root.0.get::<ForwardsUOffset<Vector<'_, ForwardsUOffset<Player<'_>>>>>(Root::RECORDS, None) };
    records.unwrap_or_default()
}

/// Verifies a buffer of [`letters`].
pub fn verify_letters(buffer: &[u8]) {
    let options = VerifierOptions { max_tables: 10_000_000, ..VerifierOptions::default() };
    let mut verifier = Verifier::new(&options, buffer);
    <ForwardsUOffset<Letters>>::run_verifier(&mut verifier, 0).expect("it is whole");
}
