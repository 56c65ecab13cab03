//! Playing a recording on a loop that is moved by hand.

use super::Stepper;
use crate::error::{Error, Result};
use crate::recording::{Input, RecordedOp};
use crate::txn::Transaction;
use crate::typed::Facade;

impl<S: Facade> Stepper<S> {
    /// Plays a recording, ticks included; gives the number of the last tick. The database must stand where the recorded one
    /// stood, and the loop have the same systems, procedures and handlers: then every buffer ends with the same bytes.
    ///
    /// # Errors
    /// [`Error::WrongTick`] if the recording goes on with another tick; what a transaction of the recording fails with,
    /// which it did not when it was recorded: then something was not the same.
    pub fn replay(&mut self, inputs: impl IntoIterator<Item = Input>) -> Result<u64> {
        for input in inputs {
            match input {
                Input::Tick { number, wall_us } => {
                    let next = self.next;
                    if number != next {
                        return Err(Error::WrongTick { next, recorded: number });
                    }
                    self.step_at(wall_us)?;
                }
                Input::Procedure { name, arguments } => drop(self.db.call_procedure(&name, &arguments)?),
                Input::Transaction { ops } => self.play(&ops)?,
                Input::Edit { edits } => drop(self.db.edit_schema(edits)?),
            }
        }
        Ok(self.next - 1)
    }

    fn play(&mut self, ops: &[RecordedOp]) -> Result<()> {
        let mut writer = self.db.shared.lock()?;
        let all = |tx: &mut Transaction| ops.iter().try_for_each(|op| op.apply(&mut tx.engine));
        let played = writer.run(|tx| tx, all).into_result();
        writer.engine().publish();
        played
    }
}
