//! Work on several threads gives what work on one thread gives.

use crate::generated::golden::arena::{Arena, Player};
use dbgen_runtime::ParRows;
use proptest::prelude::*;
use rayon::iter::ParallelIterator;
use std::sync::atomic::{AtomicU64, Ordering};

/// Work that takes a while, so that a few thousand rows are worth a thread.
fn churn(seed: u64) -> u64 {
    (0..40).fold(seed, |n, _| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17) ^ 0xABCD)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn pp_1_rows_are_each_changed_once_whatever_their_size(count in 0_usize..30_000, start in 0_usize..70, wide in any::<bool>()) {
        fn check<R: Clone + Send + PartialEq>(rows: Vec<R>, start: usize, change: impl Fn(&mut R) + Send + Sync) -> bool {
            let (mut one, mut several) = (rows.clone(), rows);
            let start = start.min(one.len());
            one[start..].iter_mut().for_each(&change);
            several[start..].par_for_each_mut(&change);
            one == several
        }
        let same = if wide {
            check((0..count as u64).map(|n| [n, 1, 2]).collect(), start, |row| row[1] ^= churn(row[0]))
        } else {
            check((0..count).map(|n| n as u8).collect(), start, |row| *row = churn(u64::from(*row)) as u8)
        };
        prop_assert!(same);
    }
}

#[test]
fn pp_1_records_are_read_on_several_threads_in_their_order() {
    let db = Arena::builder().open().expect("it opens");
    let players = (0..40_000).map(|n| Player { kills: n, ..Player::new(format!("p{n}")) });
    db.transact(|tx| tx.player_mut().insert_many(players)).expect("inserted");
    let view = db.read();
    let kills: Vec<u32> = view.player().par_iter().map(|player| player.kills()).collect();
    assert!(kills.iter().copied().eq(0..40_000));
    let (sum, seen) = (AtomicU64::new(0), AtomicU64::new(0));
    view.player().par_for_each(|player| {
        sum.fetch_xor(churn(u64::from(player.kills())), Ordering::Relaxed);
        seen.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(seen.into_inner(), 40_000);
    assert_eq!(sum.into_inner(), (0..40_000).fold(0, |sum, n| sum ^ churn(n)));
    view.check().expect("whole");
}

#[test]
fn pp_2_a_group_is_written_on_several_threads_as_on_one() {
    let world = |several: bool| {
        let db = Arena::builder().open().expect("it opens");
        let players = (0..20_000).map(|n| Player::new(format!("p{n}")));
        db.transact(|tx| tx.player_mut().insert_many(players)).expect("inserted");
        db.transact(|tx| {
            let motion = tx.player_mut().motion_mut();
            motion.iter_mut().zip(0_u32..).for_each(|(row, n)| row.vel.x.set(n as f32));
            let step = |row: &mut crate::generated::golden::arena::player::Motion| {
                row.pos.x.set(row.pos.x.get() + churn(row.vel.x.get() as u64) as f32);
            };
            if several {
                motion.par_for_each_mut(step)
            } else {
                motion.iter_mut().for_each(step)
            }
            Ok(())
        })
        .expect("written");
        db.read().check().expect("whole");
        dbgen_runtime::__private::buffers(&db).expect("idle")
    };
    assert!(world(true) == world(false));
}
