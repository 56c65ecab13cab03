//! What a system gets.

use crate::db::Shared;
use crate::error::{Error, Result};
use crate::txn::{Transaction, nested};
use crate::typed::Facade;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

/// Which tick it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TickInfo {
    /// Counts from 1.
    pub number: u64,
    /// Time that a tick stands for.
    pub dt: Duration,
    /// Time of the world: the ticks until now, this one included.
    pub time: Duration,
}

impl TickInfo {
    /// Tick `number`, each of which stands for `dt`.
    pub(super) fn new(number: u64, dt: Duration) -> TickInfo {
        // Ticks are counted over restarts: in a year and more there are too many for an u32. The time of 64 bits of
        // nanoseconds ends after 584 years.
        let time_ns = u64::try_from(dt.as_nanos()).unwrap_or(u64::MAX).saturating_mul(number);
        TickInfo { number, dt, time: Duration::from_nanos(time_ns) }
    }
}

/// A transaction with a clock, and with the world as it stood when the tick began.
pub struct Tick<S: Facade> {
    tx: S::Tx,
    info: TickInfo,
    view: S::View,
    shared: Arc<Shared>,
}

impl<S: Facade> Tick<S> {
    pub(crate) fn new(tx: S::Tx, info: TickInfo, view: S::View, shared: Arc<Shared>) -> Self {
        Tick { tx, info, view, shared }
    }

    /// Calls a [procedure](crate::procedure) as a part of this transaction. One that fails has done nothing, and the system
    /// may go on; so has one whose result is not what is asked for here.
    ///
    /// # Errors
    /// As [`Db::call_procedure`](crate::Db::call_procedure); [`Error::Aborted`] if the result is not of the type that is
    /// asked for.
    pub fn call<R: DeserializeOwned>(&mut self, procedure: &str, arguments: &impl Serialize) -> Result<R> {
        let arguments = serde_json::to_value(arguments).map_err(Error::abort)?;
        nested(&mut self.tx, |tx| {
            let result = self.shared.procedures.run_within(tx.as_mut(), procedure, &arguments)?;
            serde_json::from_value(result).map_err(Error::abort)
        })
    }

    /// Seconds that a tick stands for.
    pub fn dt(&self) -> f32 {
        self.info.dt.as_secs_f32()
    }

    /// Which tick it is.
    pub fn info(&self) -> TickInfo {
        self.info
    }

    /// The number of the tick, from 1.
    pub fn number(&self) -> u64 {
        self.info.number
    }

    /// The world as it stood when the tick began. It borrows nothing from the transaction: read from it while you write.
    pub fn view(&self) -> S::View {
        self.view.clone()
    }
}

impl<S: Facade> Deref for Tick<S> {
    type Target = S::Tx;
    fn deref(&self) -> &S::Tx {
        &self.tx
    }
}

impl<S: Facade> DerefMut for Tick<S> {
    fn deref_mut(&mut self) -> &mut S::Tx {
        &mut self.tx
    }
}

impl<S: Facade> AsMut<Transaction> for Tick<S> {
    fn as_mut(&mut self) -> &mut Transaction {
        self.tx.as_mut()
    }
}

impl<S: Facade> From<Tick<S>> for Transaction {
    fn from(tick: Tick<S>) -> Transaction {
        tick.tx.into()
    }
}

impl<S: Facade> std::fmt::Debug for Tick<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tick").field(&self.info).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world that is kept for years: after 2^32 ticks, 414 days at 120 Hz, its time began again at zero.
    #[test]
    fn the_time_of_a_world_goes_on_for_years() {
        let dt = Duration::from_secs_f64(1.0 / 120.0);
        assert_eq!(TickInfo::new(1, dt).time, dt);
        let before = TickInfo::new(u64::from(u32::MAX), dt);
        let after = TickInfo::new(before.number + 1, dt);
        assert_eq!(after.time, before.time + dt);
        assert_eq!(TickInfo::new(u64::MAX, dt).time, Duration::from_nanos(u64::MAX), "and stands still in the end");
    }
}
