//! The records of a bulk body, one by one as they come: a JSON list, a JSON object a line, or CSV.
//!
//! ```text
//! frames of the body ──► Splitter: where does a record end? ──► pieces, each with its line ──► parsed a chunk at a time
//! ```
//!
//! A splitter knows just enough of its form to find the ends of records: brackets and strings of JSON, cells of CSV. What
//! lies between is read strictly afterwards, so what a splitter lets pass is not yet right. It keeps no more than one record,
//! which may be as long as a whole body of other requests.

use super::csv::Within;
use super::{Kind, Problem};
use crate::clock::Stopwatch;
use crate::limits::{BODY_BYTES_MAX, BODY_DRAIN_BYTES_MAX, BULK_BODY_BYTES_PER_SECOND_MIN};
use axum::body::Body;
use http_body_util::BodyExt;
use std::time::Duration;

/// A record's text, with the line that it begins in, or its place in a JSON list, from 1.
pub(super) type Piece = (usize, Vec<u8>);

/// A body on its way in.
pub(super) struct Incoming {
    body: Body,
    splitter: Splitter,
    pieces: Vec<Piece>,
    /// Bytes that have come.
    bytes: usize,
    bytes_max: usize,
    /// How long the next part may be waited for.
    wait_max: Duration,
    /// How long parts were waited for.
    waited: Duration,
    has_ended: bool,
}

impl Incoming {
    pub(super) fn new(body: Body, splitter: Splitter, bytes_max: usize, wait_max: Duration) -> Incoming {
        Incoming {
            body,
            splitter,
            pieces: Vec::new(),
            bytes: 0,
            bytes_max,
            wait_max,
            waited: Duration::ZERO,
            has_ended: false,
        }
    }

    /// Bytes that have come.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// So many records, fewer at the end, none behind it.
    pub(super) async fn next(&mut self, count: usize) -> Result<Vec<Piece>, Problem> {
        while self.pieces.len() < count && !self.has_ended {
            match self.frame().await? {
                Some(data) => {
                    self.bytes += data.len();
                    if self.bytes > self.bytes_max {
                        let detail = format!("a bulk body like this has at most {} bytes", self.bytes_max);
                        return Err(Problem::new(Kind::BodyTooLarge, detail).member("max_bytes", self.bytes_max));
                    }
                    self.splitter.push(&data, &mut self.pieces)?;
                }
                None => {
                    self.has_ended = true;
                    self.splitter.end(&mut self.pieces)?;
                }
            }
        }
        let later = self.pieces.split_off(count.min(self.pieces.len()));
        Ok(std::mem::replace(&mut self.pieces, later))
    }

    /// Reads what is still to come and throws it away, within bounds: a client that is still writing would otherwise see a
    /// broken connection instead of the answer. Says whether it has come to the end.
    pub(super) async fn drain(mut self) -> bool {
        let mut bytes = 0;
        while bytes < BODY_DRAIN_BYTES_MAX && !self.has_ended {
            match self.frame().await {
                Ok(Some(data)) => bytes += data.len(),
                Ok(None) => self.has_ended = true,
                Err(_) => break,
            }
        }
        self.has_ended
    }

    async fn frame(&mut self) -> Result<Option<axum::body::Bytes>, Problem> {
        loop {
            let waiting = Stopwatch::start();
            let frame = tokio::time::timeout(self.wait_max, self.body.frame())
                .await
                .map_err(|_| Problem::new(Kind::RequestTimeout, "the next part of the body did not arrive in time"))?;
            self.waited += waiting.elapsed();
            // A byte now and then would keep its place from everybody else for ever.
            if self.waited > self.wait_max
                && self.bytes < self.waited.as_secs() as usize * BULK_BODY_BYTES_PER_SECOND_MIN
            {
                let detail = format!("the body comes slower than {BULK_BODY_BYTES_PER_SECOND_MIN} bytes a second");
                return Err(Problem::new(Kind::RequestTimeout, detail));
            }
            let Some(frame) = frame else { return Ok(None) };
            let cut = |error| {
                let detail = format!("the body was cut off behind {} bytes ({error})", self.bytes);
                Problem::new(Kind::MalformedRequest, detail)
            };
            if let Ok(data) = frame.map_err(cut)?.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

/// Finds the ends of records.
pub(super) struct Splitter {
    form: Form,
    /// The record that has begun.
    begun: Vec<u8>,
    /// Its line, or its place in a list.
    at: usize,
    /// The line that has begun.
    line: usize,
}

enum Form {
    /// A JSON object a line.
    Lines,
    /// Where in a record, so far.
    Csv(Within),
    /// Where in the list.
    List(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    /// In a record, or before one.
    Inside {
        depth: usize,
        string: Option<Escape>,
    },
    Behind,
    /// It is no list: what it is will be seen when it is whole.
    Other,
}

/// Within a string: whether the next byte is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Yes,
}

const ITEM: Place = Place::Inside { depth: 0, string: None };

impl Splitter {
    pub(super) fn lines() -> Splitter {
        Splitter::new(Form::Lines)
    }

    pub(super) fn csv() -> Splitter {
        Splitter::new(Form::Csv(Within::Start))
    }

    pub(super) fn list() -> Splitter {
        Splitter::new(Form::List(Place::Before))
    }

    fn new(form: Form) -> Splitter {
        Splitter { form, begun: Vec::new(), at: 1, line: 1 }
    }

    /// Takes a part of the body; gives the records that it completes.
    fn push(&mut self, data: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Problem> {
        match &self.form {
            Form::List(_) => data.iter().try_for_each(|byte| self.list_byte(*byte, pieces))?,
            Form::Lines | Form::Csv(_) => self.push_lines(data, pieces),
        }
        if self.begun.len() > BODY_BYTES_MAX {
            let detail = format!("the record of line {} is longer than {BODY_BYTES_MAX} bytes", self.at);
            return Err(Problem::new(Kind::BodyTooLarge, detail).member("max_bytes", BODY_BYTES_MAX));
        }
        Ok(())
    }

    fn push_lines(&mut self, mut data: &[u8], pieces: &mut Vec<Piece>) {
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = data.split_at(end + 1);
            self.line_part(line);
            data = rest;
            self.line += 1;
            if !matches!(self.form, Form::Csv(within) if within.is_quoted()) {
                self.end_line(pieces);
            }
        }
        self.line_part(data);
    }

    fn line_part(&mut self, part: &[u8]) {
        if let Form::Csv(within) = &mut self.form {
            *within = part.iter().fold(*within, |within, byte| within.then(char::from(*byte)));
        }
        self.begun.extend_from_slice(part);
    }

    fn end_line(&mut self, pieces: &mut Vec<Piece>) {
        let text = std::mem::take(&mut self.begun);
        let is_blank = matches!(self.form, Form::Lines) && text.trim_ascii().is_empty();
        if !is_blank {
            pieces.push((self.at, text));
        }
        self.at = self.line;
    }

    fn list_byte(&mut self, byte: u8, pieces: &mut Vec<Piece>) -> Result<(), Problem> {
        let Form::List(place) = &mut self.form else { return Ok(()) };
        match (*place, byte) {
            (Place::Before | Place::Behind, b' ' | b'\t' | b'\r' | b'\n') => return Ok(()),
            (Place::Before, b'[') => {
                *place = ITEM;
                return Ok(());
            }
            (Place::Before, _) => *place = Place::Other,
            (Place::Behind, _) => return Err(malformed("something stands behind the list")),
            (Place::Inside { depth: 0, string: None }, b',') => return self.end_item(pieces),
            (Place::Inside { depth: 0, string: None }, b']') => {
                *place = Place::Behind;
                let is_empty = self.at == 1 && self.begun.trim_ascii().is_empty();
                return if is_empty { Ok(()) } else { self.end_item(pieces) };
            }
            (Place::Inside { depth, string }, byte) => *place = within(depth, string, byte),
            (Place::Other, _) => {}
        }
        self.begun.push(byte);
        Ok(())
    }

    fn end_item(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Problem> {
        let text = std::mem::take(&mut self.begun);
        if text.trim_ascii().is_empty() {
            return Err(malformed("a record is missing before `,` or `]`").member("line", self.at));
        }
        pieces.push((self.at, text));
        self.at += 1;
        Ok(())
    }

    /// The body has ended.
    fn end(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Problem> {
        match &self.form {
            Form::Lines | Form::Csv(_) if self.begun.is_empty() => Ok(()),
            Form::Lines | Form::Csv(_) => {
                self.end_line(pieces);
                Ok(())
            }
            Form::List(Place::Behind) => Ok(()),
            Form::List(Place::Before) => Err(malformed("the body is empty")),
            Form::List(Place::Inside { .. }) => Err(malformed("the list does not end").member("line", self.at)),
            Form::List(Place::Other) => {
                crate::server::json::parse(&self.begun)?;
                Err(Problem::at(Kind::WrongType, "#", "a list of records is needed"))
            }
        }
    }
}

/// Where in a record one byte leads.
fn within(depth: usize, string: Option<Escape>, byte: u8) -> Place {
    let (depth, string) = match (string, byte) {
        (Some(Escape::Yes), _) => (depth, Some(Escape::No)),
        (Some(Escape::No), b'\\') => (depth, Some(Escape::Yes)),
        (Some(Escape::No), b'"') => (depth, None),
        (Some(Escape::No), _) => (depth, Some(Escape::No)),
        (None, b'"') => (depth, Some(Escape::No)),
        (None, b'[' | b'{') => (depth + 1, None),
        (None, b']' | b'}') => (depth.saturating_sub(1), None),
        (None, _) => (depth, None),
    };
    Place::Inside { depth, string }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(Kind::MalformedJson, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of a text that comes in parts of this length.
    fn split(mut splitter: Splitter, text: &str, part: usize) -> Result<Vec<(usize, String)>, Kind> {
        let mut pieces = Vec::new();
        let parts = text.as_bytes().chunks(part);
        parts.into_iter().try_for_each(|part| splitter.push(part, &mut pieces)).map_err(|problem| problem.kind())?;
        splitter.end(&mut pieces).map_err(|problem| problem.kind())?;
        Ok(pieces.into_iter().map(|(at, text)| (at, String::from_utf8_lossy(text.trim_ascii()).into_owned())).collect())
    }

    #[track_caller]
    fn is(splitter: fn() -> Splitter, text: &str, expected: &[(usize, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        for part in [1, 2, 3, 7, 1000] {
            assert_eq!(split(splitter(), text, part), Ok(expected.clone()), "{text:?} in parts of {part}");
        }
    }

    #[test]
    fn records_end_where_they_should() {
        is(Splitter::lines, "{}\r\n\n {\"a\":1} \n7", &[(1, "{}"), (3, "{\"a\":1}"), (4, "7")]);
        is(Splitter::lines, "", &[]);
        is(Splitter::csv, "a,b\r\n1,\"x,\"\"y\"\"\nz\"\n,\n", &[(1, "a,b"), (2, "1,\"x,\"\"y\"\"\nz\""), (4, ",")]);
        is(Splitter::csv, "a\n\"open\nx", &[(1, "a"), (2, "\"open\nx")]);
        is(Splitter::csv, "5\" nail\nbolt\n6\" nail\n", &[(1, "5\" nail"), (2, "bolt"), (3, "6\" nail")]);
        is(Splitter::list, " [ ] ", &[]);
        is(Splitter::list, "[{\"a\":[1,\"],\\\"\"]}, 7\n]\n", &[(1, "{\"a\":[1,\"],\\\"\"]}"), (2, "7")]);
    }

    /// A quote once made the splitter believe that a record went on where the reader saw it end: what followed was in the
    /// piece, and read by nobody. So all short texts of what CSV is made of are split and read, and no letter may be lost.
    #[test]
    fn of_every_text_of_csv_each_letter_is_read_or_refused() {
        const LETTERS: [&str; 5] = ["a", ",", "\"", "\r\n", "\n"];
        for length in 0..=7_u32 {
            for number in 0..LETTERS.len().pow(length) {
                let letters = (0..length).map(|at| LETTERS[number / LETTERS.len().pow(at) % LETTERS.len()]);
                check_csv(&letters.collect::<String>());
            }
        }
    }

    fn check_csv(text: &str) {
        let (mut splitter, mut pieces) = (Splitter::csv(), Vec::new());
        // Two bytes at a time, so that pairs are torn apart.
        text.as_bytes().chunks(2).for_each(|part| splitter.push(part, &mut pieces).expect("it is short"));
        splitter.end(&mut pieces).expect("every text has an end");
        let pieces: Vec<String> =
            pieces.into_iter().map(|(_, piece)| String::from_utf8(piece).expect("it is ASCII")).collect();
        assert_eq!(pieces.concat(), text);
        for piece in &pieces {
            let Ok(cells) = super::super::csv::cells(piece) else { continue };
            let written = |(cell, quoted): &(String, bool)| match quoted {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            };
            let written = cells.iter().map(written).collect::<Vec<_>>().join(",");
            let line = piece.strip_suffix('\n').map_or(piece.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
            assert_eq!(written, line, "{text:?}");
            // What is accepted ends where all quotes are closed, and nowhere before.
            let is_even = |text: &str| text.matches('"').count().is_multiple_of(2);
            let mut ends = piece.match_indices('\n').filter(|(at, _)| is_even(&piece[..*at]));
            assert!(ends.all(|(at, _)| at + 1 == piece.len()) && is_even(piece), "{text:?}: {piece:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (text, kind) in [
            ("", Kind::MalformedJson),
            ("{", Kind::MalformedJson),
            ("{}", Kind::WrongType),
            (" 7", Kind::WrongType),
            ("[", Kind::MalformedJson),
            ("[1", Kind::MalformedJson),
            ("[1,]", Kind::MalformedJson),
            ("[,1]", Kind::MalformedJson),
            ("[1]]", Kind::MalformedJson),
            ("[\"]", Kind::MalformedJson),
            ("\u{feff}[]", Kind::MalformedJson),
        ] {
            for part in [1, 1000] {
                assert_eq!(split(Splitter::list(), text, part), Err(kind), "{text:?}");
            }
        }
    }
}
