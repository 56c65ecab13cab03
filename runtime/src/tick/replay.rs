//! Playing a recording on a loop that is moved by hand.

use super::{CommitMode, Stepper};
use crate::error::{Error, Result};
use crate::recording::{Input, RecordedOp, RecordingFault, read_recording};
use crate::txn::Transaction;
use crate::typed::Facade;
use std::io::BufRead;

impl<S: Facade> Stepper<S> {
    /// Plays a recording, ticks included; gives the number of the last tick. The database must stand where the recorded one
    /// stood, and the loop have the same systems, procedures and handlers: then every buffer ends with the same bytes (see
    /// [`recording`](crate::recording) for what large edits of the schema may leave in another order).
    ///
    /// # Errors
    /// [`Error::WrongTick`] if the recording goes on with another tick; [`Error::Recording`] if it is damaged, or of a
    /// database with another schema; what a transaction of the recording fails with, which it did not when it was recorded:
    /// then something was not the same. What was played before stays.
    pub fn replay(&mut self, inputs: impl IntoIterator<Item = Input>) -> Result<u64> {
        for (at, input) in inputs.into_iter().enumerate() {
            self.play_input(input).map_err(|error| located(error, at as u64 + 1, None))?;
        }
        Ok(self.next - 1)
    }

    /// Plays a recording from a file that a [`RecordingWriter`](crate::recording::RecordingWriter) has written.
    ///
    /// # Errors
    /// As [`replay`](Stepper::replay), with the place in the file.
    pub fn replay_from(&mut self, from: impl BufRead) -> Result<u64> {
        for (at, line) in read_recording(from).enumerate() {
            let (offset, input) = line?;
            self.play_input(input).map_err(|error| located(error, at as u64 + 1, Some(offset)))?;
        }
        Ok(self.next - 1)
    }

    fn play_input(&mut self, input: Input) -> Result<()> {
        match input {
            Input::Tick { number, wall_us } => {
                let next = self.next;
                if number != next {
                    return Err(Error::WrongTick { next, recorded: number });
                }
                self.step_at(wall_us, CommitMode::Tick).map(drop)
            }
            Input::Procedure { name, arguments } => self.db.call_procedure(&name, &arguments).map(drop),
            Input::Transaction { ops } => self.play(&ops),
            Input::Edit { edits } => self.db.edit_schema(edits).map(drop),
        }
    }

    fn play(&mut self, ops: &[RecordedOp]) -> Result<()> {
        let mut writer = self.db.shared.lock()?;
        let all = |tx: &mut Transaction| ops.iter().try_for_each(|op| op.apply(&mut tx.engine));
        let played = writer.run(|tx| tx, all).into_result();
        writer.engine().publish();
        played
    }
}

/// The fault of an input, with its place.
fn located(error: Error, input: u64, offset: Option<u64>) -> Error {
    match error {
        Error::Aborted(source) => match source.downcast::<RecordingFault>() {
            Ok(fault) => Error::Recording { input, offset, fault },
            Err(source) => Error::Aborted(source),
        },
        other => other,
    }
}
