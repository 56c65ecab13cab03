//! What was noted is undone, and caught up with, byte for byte.

use super::*;
use crate::table::buffer::BufferMut;
use crate::table::catch_up::CatchUp;

fn buffers() -> Vec<Buffer> {
    vec![Buffer { bytes: (0..100).collect() }, Buffer { bytes: vec![7; 10_000] }]
}

/// Buffer `at`, to be changed.
fn of<'a>(now: &'a mut [Buffer], journal: &'a mut Journal, at: usize) -> BufferMut<'a> {
    BufferMut::new(&mut now[at], journal, at as u32)
}

/// What is noted brings the published buffers to what is there now.
#[track_caller]
fn assert_caught_up(published: &[Buffer], now: &[Buffer], journal: &Journal) {
    let mut back = published.to_vec();
    CatchUp::default().run(&mut back, now, [journal.entries.as_slice()].into_iter(), None);
    assert_eq!(back, now);
}

/// Undone to a mark, the buffers are as they were there.
#[track_caller]
fn assert_undone(journal: &mut Journal, to: Mark, now: &mut [Buffer], published: &[Buffer], expected: &[Buffer]) {
    journal.rollback(to, now, published);
    assert_eq!(now, expected);
}

#[test]
fn rollback_restores_every_byte_in_reverse() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let edit = |now: &mut Vec<Buffer>, journal: &mut Journal| {
        of(now, journal, 0).write(10, &[1, 2, 3]);
        of(now, journal, 0).write(11, &[9, 9]);
        of(now, journal, 0).append(&[4; 50]);
        of(now, journal, 0).write(120, &[5; 8]);
        of(now, journal, 1).edit_whole().fill(1);
        of(now, journal, 1).write(0, &[8; 8]);
        of(now, journal, 1).edit_whole().fill(2);
    };
    let start = journal.mark();
    edit(&mut now, &mut journal);
    assert_ne!(now, published);
    assert_undone(&mut journal, start, &mut now, &published, &published);
    assert!(journal.is_empty() && journal.buffers.iter().all(|of| of.kept == 0));
}

#[test]
fn a_savepoint_keeps_what_came_before_it() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    of(&mut now, &mut journal, 0).write(0, &[42]);
    journal.commit();
    let kept = now.clone();
    let mark = journal.mark();
    of(&mut now, &mut journal, 0).write(0, &[43]);
    assert_undone(&mut journal, mark, &mut now, &published, &kept);
}

#[test]
fn what_equals_the_published_version_is_undone_from_there_and_has_no_image() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    let kept = |journal: &Journal| journal.buffers.iter().map(|of| of.kept).sum::<usize>();
    // Rows in any order, a note that goes on, and one whose room reaches ahead.
    for offset in [40, 20, 60, 68, 76, 84] {
        of(&mut now, &mut journal, 0).write(offset, &[200; 8]);
    }
    of(&mut now, &mut journal, 1).write(5000, &[201; 700]);
    assert_eq!(kept(&journal), 0);
    let (first, middle) = (now.clone(), journal.mark());
    // Between what was written there may be more: it has an image, and so has what is written again.
    of(&mut now, &mut journal, 0).write(30, &[202; 5]);
    of(&mut now, &mut journal, 0).write(42, &[203; 4]);
    of(&mut now, &mut journal, 1).append(&[204; 8]);
    of(&mut now, &mut journal, 1).write(9_996, &[205; 8]);
    assert_eq!(kept(&journal), 17, "9 bytes, and 8 of which 4 had grown");
    assert_caught_up(&published, &now, &journal);
    assert_undone(&mut journal, middle, &mut now, &published, &first);
    assert_undone(&mut journal, start, &mut now, &published, &published);
    // A publication makes all of it equal again.
    of(&mut now, &mut journal, 0).write(42, &[206; 4]);
    journal.publish(&mut Vec::new());
    let (second, mark) = (now.clone(), journal.mark());
    of(&mut now, &mut journal, 0).write(40, &[207; 8]);
    assert_eq!(kept(&journal), 4, "nothing more");
    assert_undone(&mut journal, mark, &mut now, &second, &second);
}

#[test]
fn growth_is_noted_once_between_marks_and_undone_to_each() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    for n in 0..10 {
        of(&mut now, &mut journal, 0).append(&[n; 8]);
        of(&mut now, &mut journal, 1).append(&[n; 16]);
        of(&mut now, &mut journal, 1).write(10_000, &[9; 4]);
    }
    assert_eq!(journal.entries.len(), 2, "what was appended since the mark needs no note of its own");
    let (kept, middle) = (now.clone(), journal.mark());
    of(&mut now, &mut journal, 0).write(100, &[77; 8]);
    of(&mut now, &mut journal, 0).append(&[5; 8]);
    assert_undone(&mut journal, middle, &mut now, &published, &kept);
    of(&mut now, &mut journal, 0).append(&[6; 8]);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn writes_that_go_on_are_one_note_and_what_is_noted_is_not_noted_again() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    for n in 0..10 {
        of(&mut now, &mut journal, 0).write(n * 8, &[200; 8]);
        of(&mut now, &mut journal, 1).write(n * 16, &[100; 16]);
    }
    (0..10).for_each(|n| of(&mut now, &mut journal, 0).write(n * 8 + 2, &[201; 4]));
    assert_eq!(journal.entries.len(), 2);
    let (kept, middle) = (now.clone(), journal.mark());
    of(&mut now, &mut journal, 0).write(80, &[202; 8]);
    assert_eq!(journal.entries.len(), 3, "a note before the mark does not stand for what comes after");
    assert_undone(&mut journal, middle, &mut now, &published, &kept);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn a_note_does_not_go_on_into_what_has_grown_or_was_zero() {
    let published = vec![Buffer { bytes: (0..100).map(|n| if n < 80 { n } else { 0 }).collect() }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    of(&mut now, &mut journal, 0).write(60, &[1; 16]);
    of(&mut now, &mut journal, 0).write_zeros(80, &[2; 10]);
    of(&mut now, &mut journal, 0).append(&[3; 10]);
    // Across the end of the old rows, and across the end of the old buffer.
    of(&mut now, &mut journal, 0).write(76, &[4; 8]);
    of(&mut now, &mut journal, 0).write(96, &[5; 8]);
    of(&mut now, &mut journal, 0).write(70, &[6; 40]);
    assert_caught_up(&published, &now, &journal);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn rows_where_only_zeros_were_are_one_note_without_an_image() {
    let published = vec![Buffer { bytes: vec![0; 1000] }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    (5..20).for_each(|n| of(&mut now, &mut journal, 0).write_zeros(n * 10, &[n as u8; 10]));
    of(&mut now, &mut journal, 0).write(70, &[9; 5]);
    of(&mut now, &mut journal, 0).edit(50, 150).fill(0);
    (3..8).for_each(|n| of(&mut now, &mut journal, 0).write_zeros(n * 10, &[n as u8; 10]));
    assert_eq!(journal.entries.len(), 2);
    assert!(journal.buffers.iter().all(|of| of.kept == 0));
    assert_caught_up(&published, &now, &journal);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn a_row_is_noted_where_the_notes_of_all_its_buffers_reach_until_the_next_mark() {
    let published = vec![Buffer { bytes: vec![0; 8 * 100] }, Buffer { bytes: vec![0; 4 * 100] }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    let put = |now: &mut Vec<Buffer>, journal: &mut Journal, row: usize| {
        of(now, journal, 0).write_zeros(row * 8, &[1; 8]);
        of(now, journal, 1).write_zeros(row * 4, &[2; 4]);
        journal.find_noted_rows([(0, 8), (1, 4)].into_iter());
    };
    (40..45).for_each(|row| put(&mut now, &mut journal, row));
    let noted: Vec<usize> = (0..100).filter(|row| journal.has_noted_rows(*row, *row)).collect();
    assert_eq!(noted, (40..47).collect::<Vec<usize>>(), "a note that was made longer reaches ahead");
    for row in 45..47 {
        now[0].overwrite(row * 8, &[3; 8]);
        now[1].overwrite(row * 4, &[4; 4]);
    }
    now[0].move_row(46, 40, 8);
    now[1].move_row(45, 45, 4);
    assert_eq!((&now[0].bytes()[320..328], &now[0].bytes()[368..376]), (&[3; 8][..], &[0; 8][..]));
    assert_eq!(now[1].bytes()[180..184], [0; 4]);
    assert_caught_up(&published, &now, &journal);
    let kept = now.clone();
    let middle = journal.mark();
    assert!(!journal.has_noted_rows(44, 44), "a note before the mark does not stand for what comes after");
    of(&mut now, &mut journal, 0).write(44 * 8, &[9; 8]);
    assert_undone(&mut journal, middle, &mut now, &published, &kept);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn a_number_keeps_its_image_once_between_marks() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    (0..5).for_each(|n| of(&mut now, &mut journal, 0).write_number(2, n));
    assert_eq!(journal.entries.len(), 1);
    let (kept, middle) = (now.clone(), journal.mark());
    (5..9).for_each(|n| of(&mut now, &mut journal, 0).write_number(2, n));
    assert_undone(&mut journal, middle, &mut now, &published, &kept);
    assert_undone(&mut journal, start, &mut now, &published, &published);
}

#[test]
fn catch_up_follows_the_notes_or_copies_whole() {
    let mut back = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    of(&mut now, &mut journal, 1).write(5_000, &[1; 64]);
    of(&mut now, &mut journal, 1).append(&[3; 99]);
    let mut first = Vec::new();
    journal.publish(&mut first);
    of(&mut now, &mut journal, 0).write(3, &[1]);
    of(&mut now, &mut journal, 1).write(10_050, &[1]);
    let mut second = Vec::new();
    journal.publish(&mut second);
    CatchUp::default().run(&mut back, &now, [first.as_slice(), second.as_slice()].into_iter(), None);
    assert_eq!(back, now);

    of(&mut now, &mut journal, 1).edit_whole().fill(9);
    journal.publish(&mut first);
    CatchUp::default().run(&mut back, &now, [first.as_slice()].into_iter(), None);
    assert_eq!(back, now);
}
