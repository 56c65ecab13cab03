//! A recording as a file: an input a line, each behind the checksum of its text.
//!
//! ```text
//! 1c2d3e4f {"input":"tick","number":1,"wall_us":0}\n
//! └ CRC-32C of what stands between the space and the end of the line, in hexadecimal digits
//! ```
//!
//! The end of the file is the end of the recording if it is the end of a line: what was never written is not missed.

use super::{Input, RecordingFault};
use crate::error::{Error, Result};
use std::io::{BufRead, Write};

/// Writes a recording.
///
/// ```
/// use dbgen_runtime::recording::{RecordingWriter, read_recording};
/// use dbgen_runtime::{Database, Error, Input};
///
/// let mut file = RecordingWriter::new(Vec::new());
/// file.write(&Input::Tick { number: 1, wall_us: 0 }).expect("a vector takes everything");
/// let bytes = file.into_inner();
///
/// let db = Database::builder().open()?;
/// let mut world = db.tick_loop(60.0).stepped()?;
/// assert_eq!(world.replay_from(bytes.as_slice())?, 1);
///
/// let damaged = [b"0", &bytes[1..]].concat();
/// let wrong = world.replay_from(damaged.as_slice()).expect_err("the first digit was another");
/// assert!(matches!(wrong, Error::Recording { input: 1, offset: Some(0), .. }), "{wrong}");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct RecordingWriter<W>(W);

impl<W: Write> RecordingWriter<W> {
    /// Writes to `to`, which had better be buffered.
    pub fn new(to: W) -> RecordingWriter<W> {
        RecordingWriter(to)
    }

    /// Writes an input.
    ///
    /// # Errors
    /// What `to` fails with.
    pub fn write(&mut self, input: &Input) -> std::io::Result<()> {
        let text = serde_json::to_string(input)?;
        writeln!(self.0, "{:08x} {text}", crc32c::crc32c(text.as_bytes()))
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.0
    }
}

/// Reads a recording, an input at a time, each with the offset of its line.
///
/// # Errors
/// [`Error::Recording`] for a line that is damaged; then it ends.
pub fn read_recording(mut from: impl BufRead) -> impl Iterator<Item = Result<(u64, Input)>> {
    let (mut offset, mut count, mut line) = (0_u64, 0_u64, Vec::new());
    let mut has_failed = false;
    std::iter::from_fn(move || {
        if has_failed {
            return None;
        }
        line.clear();
        count += 1;
        let read = from.read_until(b'\n', &mut line).map_err(RecordingFault::Io);
        let input = match read {
            Ok(0) => return None,
            Ok(_) => input_of(&line),
            Err(fault) => Err(fault),
        };
        let begun = offset;
        offset += line.len() as u64;
        has_failed = input.is_err();
        Some(input.map(|input| (begun, input)).map_err(|fault| Error::recording(count, Some(begun), fault)))
    })
}

fn input_of(line: &[u8]) -> Result<Input, RecordingFault> {
    let line = line.strip_suffix(b"\n").ok_or(RecordingFault::Cut)?;
    let (digits, text) = line.split_at_checked(8).ok_or(RecordingFault::Checksum)?;
    let text = text.strip_prefix(b" ").ok_or(RecordingFault::Checksum)?;
    // Compared as text, so that a sum is written in one way.
    if format!("{:08x}", crc32c::crc32c(text)).as_bytes() != digits {
        return Err(RecordingFault::Checksum);
    }
    serde_json::from_slice(text).map_err(RecordingFault::NotAnInput)
}
