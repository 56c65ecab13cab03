//! What was noted is undone, and caught up with, byte for byte.

use super::*;
use crate::table::buffer::BufferMut;
use crate::table::catch_up::CatchUp;

fn buffers() -> Vec<Buffer> {
    vec![Buffer { bytes: (0..100).collect() }, Buffer { bytes: vec![7; 10_000] }]
}

#[test]
fn rollback_restores_every_byte_in_reverse() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let edit = |now: &mut Vec<Buffer>, journal: &mut Journal| {
        BufferMut::new(&mut now[0], journal, 0).write(10, &[1, 2, 3]);
        BufferMut::new(&mut now[0], journal, 0).write(11, &[9, 9]);
        BufferMut::new(&mut now[0], journal, 0).append(&[4; 50]);
        BufferMut::new(&mut now[0], journal, 0).write(120, &[5; 8]);
        BufferMut::new(&mut now[1], journal, 1).edit_whole().fill(1);
        BufferMut::new(&mut now[1], journal, 1).write(0, &[8; 8]);
        BufferMut::new(&mut now[1], journal, 1).edit_whole().fill(2);
    };
    let start = journal.mark();
    edit(&mut now, &mut journal);
    assert_ne!(now, published);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
    assert!(journal.is_empty() && journal.buffers.iter().all(|of| of.kept == 0));
}

#[test]
fn a_savepoint_keeps_what_came_before_it() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    BufferMut::new(&mut now[0], &mut journal, 0).write(0, &[42]);
    journal.commit();
    let kept = now.clone();
    let mark = journal.mark();
    BufferMut::new(&mut now[0], &mut journal, 0).write(0, &[43]);
    journal.rollback(mark, &mut now, &published);
    assert_eq!(now, kept);
}

#[test]
fn what_equals_the_published_version_is_undone_from_there_and_has_no_image() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    let kept = |journal: &Journal| journal.buffers.iter().map(|of| of.kept).sum::<usize>();
    // Rows in any order, a note that goes on, and one whose room reaches ahead.
    for offset in [40, 20, 60, 68, 76, 84] {
        BufferMut::new(&mut now[0], &mut journal, 0).write(offset, &[200; 8]);
    }
    BufferMut::new(&mut now[1], &mut journal, 1).write(5000, &[201; 700]);
    assert_eq!(kept(&journal), 0);
    let (first, middle) = (now.clone(), journal.mark());
    // Between what was written there may be more: it has an image, and so has what is written again.
    BufferMut::new(&mut now[0], &mut journal, 0).write(30, &[202; 5]);
    BufferMut::new(&mut now[0], &mut journal, 0).write(42, &[203; 4]);
    BufferMut::new(&mut now[1], &mut journal, 1).append(&[204; 8]);
    BufferMut::new(&mut now[1], &mut journal, 1).write(9_996, &[205; 8]);
    assert_eq!(kept(&journal), 17, "9 bytes, and 8 of which 4 had grown");
    let mut back = published.clone();
    CatchUp::default().run(&mut back, &now, [journal.entries.as_slice()].into_iter(), None);
    assert_eq!(back, now);
    journal.rollback(middle, &mut now, &published);
    assert_eq!(now, first);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
    // A publication makes all of it equal again.
    BufferMut::new(&mut now[0], &mut journal, 0).write(42, &[206; 4]);
    journal.publish(&mut Vec::new());
    let (second, mark) = (now.clone(), journal.mark());
    BufferMut::new(&mut now[0], &mut journal, 0).write(40, &[207; 8]);
    assert_eq!(kept(&journal), 4, "nothing more");
    journal.rollback(mark, &mut now, &second);
    assert_eq!(now, second);
}

#[test]
fn growth_is_noted_once_between_marks_and_undone_to_each() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    for n in 0..10 {
        BufferMut::new(&mut now[0], &mut journal, 0).append(&[n; 8]);
        BufferMut::new(&mut now[1], &mut journal, 1).append(&[n; 16]);
        BufferMut::new(&mut now[1], &mut journal, 1).write(10_000, &[9; 4]);
    }
    assert_eq!(journal.entries.len(), 2, "what was appended since the mark needs no note of its own");
    let (kept, middle) = (now.clone(), journal.mark());
    BufferMut::new(&mut now[0], &mut journal, 0).write(100, &[77; 8]);
    BufferMut::new(&mut now[0], &mut journal, 0).append(&[5; 8]);
    journal.rollback(middle, &mut now, &published);
    assert_eq!(now, kept);
    BufferMut::new(&mut now[0], &mut journal, 0).append(&[6; 8]);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn writes_that_go_on_are_one_note_and_what_is_noted_is_not_noted_again() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    for n in 0..10 {
        BufferMut::new(&mut now[0], &mut journal, 0).write(n * 8, &[200; 8]);
        BufferMut::new(&mut now[1], &mut journal, 1).write(n * 16, &[100; 16]);
    }
    (0..10).for_each(|n| BufferMut::new(&mut now[0], &mut journal, 0).write(n * 8 + 2, &[201; 4]));
    assert_eq!(journal.entries.len(), 2);
    let (kept, middle) = (now.clone(), journal.mark());
    BufferMut::new(&mut now[0], &mut journal, 0).write(80, &[202; 8]);
    assert_eq!(journal.entries.len(), 3, "a note before the mark does not stand for what comes after");
    journal.rollback(middle, &mut now, &published);
    assert_eq!(now, kept);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn a_note_does_not_go_on_into_what_has_grown_or_was_zero() {
    let published = vec![Buffer { bytes: (0..100).map(|n| if n < 80 { n } else { 0 }).collect() }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    BufferMut::new(&mut now[0], &mut journal, 0).write(60, &[1; 16]);
    BufferMut::new(&mut now[0], &mut journal, 0).write_zeros(80, &[2; 10]);
    BufferMut::new(&mut now[0], &mut journal, 0).append(&[3; 10]);
    // Across the end of the old rows, and across the end of the old buffer.
    BufferMut::new(&mut now[0], &mut journal, 0).write(76, &[4; 8]);
    BufferMut::new(&mut now[0], &mut journal, 0).write(96, &[5; 8]);
    BufferMut::new(&mut now[0], &mut journal, 0).write(70, &[6; 40]);
    let mut back = published.clone();
    CatchUp::default().run(&mut back, &now, [journal.entries.as_slice()].into_iter(), None);
    assert_eq!(back, now);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn rows_where_only_zeros_were_are_one_note_without_an_image() {
    let published = vec![Buffer { bytes: vec![0; 1000] }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    (5..20).for_each(|n| BufferMut::new(&mut now[0], &mut journal, 0).write_zeros(n * 10, &[n as u8; 10]));
    BufferMut::new(&mut now[0], &mut journal, 0).write(70, &[9; 5]);
    BufferMut::new(&mut now[0], &mut journal, 0).edit(50, 150).fill(0);
    (3..8).for_each(|n| BufferMut::new(&mut now[0], &mut journal, 0).write_zeros(n * 10, &[n as u8; 10]));
    assert_eq!(journal.entries.len(), 2);
    assert!(journal.buffers.iter().all(|of| of.kept == 0));
    let mut back = published.clone();
    CatchUp::default().run(&mut back, &now, [journal.entries.as_slice()].into_iter(), None);
    assert_eq!(back, now);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn a_row_is_noted_where_the_notes_of_all_its_buffers_reach_until_the_next_mark() {
    let published = vec![Buffer { bytes: vec![0; 8 * 100] }, Buffer { bytes: vec![0; 4 * 100] }];
    let (mut now, mut journal) = (published.clone(), Journal::default());
    let start = journal.mark();
    let put = |now: &mut Vec<Buffer>, journal: &mut Journal, row: usize| {
        BufferMut::new(&mut now[0], journal, 0).write_zeros(row * 8, &[1; 8]);
        BufferMut::new(&mut now[1], journal, 1).write_zeros(row * 4, &[2; 4]);
        journal.find_noted_rows([(0, 8), (1, 4)].into_iter());
    };
    (40..45).for_each(|row| put(&mut now, &mut journal, row));
    let noted: Vec<usize> = (0..100).filter(|row| journal.has_noted_row(*row)).collect();
    assert_eq!(noted, (40..47).collect::<Vec<usize>>(), "a note that was made longer reaches ahead");
    for row in 45..47 {
        now[0].overwrite(row * 8, &[3; 8]);
        now[1].overwrite(row * 4, &[4; 4]);
    }
    now[0].move_row(46, 40, 8);
    now[1].move_row(45, 45, 4);
    assert_eq!((&now[0].bytes()[320..328], &now[0].bytes()[368..376]), (&[3; 8][..], &[0; 8][..]));
    assert_eq!(now[1].bytes()[180..184], [0; 4]);
    let mut back = published.clone();
    CatchUp::default().run(&mut back, &now, [journal.entries.as_slice()].into_iter(), None);
    assert_eq!(back, now);
    let kept = now.clone();
    let middle = journal.mark();
    assert!(!journal.has_noted_row(44), "a note before the mark does not stand for what comes after");
    BufferMut::new(&mut now[0], &mut journal, 0).write(44 * 8, &[9; 8]);
    journal.rollback(middle, &mut now, &published);
    assert_eq!(now, kept);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn a_number_keeps_its_image_once_between_marks() {
    let published = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    let start = journal.mark();
    (0..5).for_each(|n| BufferMut::new(&mut now[0], &mut journal, 0).write_number(2, n));
    assert_eq!(journal.entries.len(), 1);
    let (kept, middle) = (now.clone(), journal.mark());
    (5..9).for_each(|n| BufferMut::new(&mut now[0], &mut journal, 0).write_number(2, n));
    journal.rollback(middle, &mut now, &published);
    assert_eq!(now, kept);
    journal.rollback(start, &mut now, &published);
    assert_eq!(now, published);
}

#[test]
fn catch_up_follows_the_notes_or_copies_whole() {
    let mut back = buffers();
    let (mut now, mut journal) = (buffers(), Journal::default());
    BufferMut::new(&mut now[1], &mut journal, 1).write(5_000, &[1; 64]);
    BufferMut::new(&mut now[1], &mut journal, 1).append(&[3; 99]);
    let mut first = Vec::new();
    journal.publish(&mut first);
    BufferMut::new(&mut now[0], &mut journal, 0).write(3, &[1]);
    BufferMut::new(&mut now[1], &mut journal, 1).write(10_050, &[1]);
    let mut second = Vec::new();
    journal.publish(&mut second);
    CatchUp::default().run(&mut back, &now, [first.as_slice(), second.as_slice()].into_iter(), None);
    assert_eq!(back, now);

    BufferMut::new(&mut now[1], &mut journal, 1).edit_whole().fill(9);
    journal.publish(&mut first);
    CatchUp::default().run(&mut back, &now, [first.as_slice()].into_iter(), None);
    assert_eq!(back, now);
}
