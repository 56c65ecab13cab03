//! The tick loop: a world that runs by itself, at 15 to 120 Hz, on one thread.
//!
//! ```text
//! tick n:      due timers | system 1 | system 2 | ... | publish          each a transaction of its own
//! in between:  wait on the queue of requests until the next deadline; execute them as they come, publish, answer
//! ```
//!
//! With [`CommitMode::Tick`] nothing is executed in between: a tick begins with all requests that wait.
//!
//! A system that fails or panics is rolled back, reported, and the loop goes on. A tick that takes too long starts the
//! next one at once; a lag of more than [`lag_ticks_max`](TickLoop::lag_ticks_max) ticks is dropped and counted, so that a
//! slow second does not become a slow minute.

mod context;
mod durations;
mod figures;
mod queue;
mod replay;
#[cfg(feature = "server")]
mod serve;
mod timer;

pub use context::{Tick, TickInfo};
pub use durations::Quantiles;
pub use figures::{Figures, History};
pub(crate) use queue::{Answer, Queue};
pub(crate) use timer::StuckTimers;

use crate::caught::caught;
use crate::clock::Clock;
use crate::db::{Db, Shared, Writer};
use crate::engine::EngineStats;
use crate::error::{Error, Result};
use crate::limits::{QUEUE_REQUESTS_MAX, TICK_RATE_HZ_MAX, TICK_RATE_HZ_MIN};
use crate::recording::{Input, RecordingFailure, Sink, SinkError};
use crate::table::writer::PublicationStats;
use crate::typed::Facade;
use crate::view::View;
use figures::Recorder;
use queue::GROUP_MAX;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use timer::Now;

/// When requests from outside are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitMode {
    /// As they come, between ticks.
    #[default]
    Eager,
    /// At the next tick: all that wait when it begins, however many they are, in the order in which they came. They are part
    /// of the tick, and of how long it takes; the queue, which holds [`QUEUE_REQUESTS_MAX`], bounds that.
    Tick,
}

/// How long before a tick nothing else is begun: what one request takes, with its publication.
const SPIN_ONLY: Duration = Duration::from_micros(300);

type System<S> = Box<dyn FnMut(&mut Tick<S>) -> Result<()> + Send>;
type Report = Box<dyn FnMut(&Figures) + Send>;

/// A loop that runs systems at a fixed rate.
pub struct TickLoop<S: Facade> {
    db: Db<S>,
    rate_hz: f64,
    systems: Vec<(String, System<S>)>,
    commit: CommitMode,
    lag_ticks_max: u32,
    ticks_max: Option<u64>,
    report_every: Duration,
    report: Option<Report>,
    stop: Arc<AtomicBool>,
    /// The first thing that was wrong with what the loop was told; it is said when the loop starts.
    wrong: Option<Error>,
    #[cfg(feature = "server")]
    serving: serve::Serving,
}

/// How a loop runs, as it told last: at its start, and with every report.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopStats {
    /// Ticks a second.
    pub rate_hz: f64,
    /// The last tick's number.
    pub tick: u64,
    /// Figures since the start.
    pub total: Figures,
    /// Figures of the last seconds, minutes and hours.
    pub history: History,
    /// Transactions and publication, since the database was opened.
    pub engine: EngineStats,
    /// Publication of each table, with its name.
    pub tables: Vec<(String, PublicationStats)>,
}

impl<S: Facade> Db<S> {
    /// How the loop runs, as it told last: once a second, unless it was told otherwise. Never waits for the loop.
    pub fn loop_stats(&self) -> Option<Arc<LoopStats>> {
        self.shared.loop_stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests wait for the loop, and how many may.
    pub fn queue_length(&self) -> (usize, usize) {
        (self.shared.queue.waiting(), QUEUE_REQUESTS_MAX)
    }

    /// What ended the last [recording](TickLoop::record) before its time; `None` while it goes on, and if there is none.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread.
    pub fn recording_failure(&self) -> Result<Option<Arc<RecordingFailure>>> {
        Ok(self.shared.lock()?.engine().tape.failure())
    }
}

impl Shared {
    /// Timers that wait to be tried again. For who has the writing side.
    fn stuck_timers(&self) -> MutexGuard<'_, StuckTimers> {
        self.stuck_timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a loop from elsewhere.
#[derive(Debug, Clone)]
pub struct StopHandle {
    stop: Arc<AtomicBool>,
}

impl StopHandle {
    /// Lets the running tick finish and ends the loop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether the loop was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

impl<S: Facade> std::fmt::Debug for TickLoop<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TickLoop({} Hz, {} systems)", self.rate_hz, self.systems.len())
    }
}

impl<S: Facade> TickLoop<S> {
    pub(crate) fn new(db: Db<S>, rate_hz: f64) -> Self {
        TickLoop {
            db,
            rate_hz,
            systems: Vec::new(),
            commit: CommitMode::default(),
            lag_ticks_max: 5,
            ticks_max: None,
            report_every: Duration::from_secs(1),
            report: None,
            stop: Arc::new(AtomicBool::new(false)),
            wrong: None,
            #[cfg(feature = "server")]
            serving: serve::Serving::default(),
        }
    }

    /// Adds a system: code that runs in every tick, after those added before, in a transaction of its own.
    #[must_use]
    pub fn system(
        mut self,
        name: impl Into<String>,
        system: impl FnMut(&mut Tick<S>) -> Result<()> + Send + 'static,
    ) -> Self {
        self.systems.push((name.into(), Box::new(system)));
        self
    }

    /// Adds a procedure: a named transaction that RPC and clients call; see [`procedure`](crate::procedure). A name that
    /// JSON-RPC has for a method of its own is refused when the loop starts, with [`Error::MethodName`].
    #[must_use]
    pub fn procedure<A, R>(
        self,
        name: impl Into<String>,
        body: impl Fn(&mut S::Tx, A) -> Result<R> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        R: Serialize,
    {
        let registered = self.db.shared.procedures.register::<S, A, R>(name.into(), body);
        self.or_fail(registered)
    }

    /// Gives everything that reaches the world from outside to `sink`, from now on: see [`recording`](crate::recording).
    ///
    /// The sink is called while the input is being committed, and must not block. The first error that it returns, or its
    /// panic, ends the recording and nothing else: the world goes on, and
    /// [`Db::recording_failure`](crate::Db::recording_failure) says what happened.
    #[must_use]
    pub fn record<E: Into<SinkError>>(self, mut sink: impl FnMut(Input) -> Result<(), E> + Send + 'static) -> Self {
        let sink: Sink = Box::new(move |input| sink(input).map_err(E::into));
        let begun = self.db.shared.lock().map(|mut writer| {
            // What a recording is played on has tried no timers yet.
            *self.db.shared.stuck_timers() = StuckTimers::default();
            writer.engine().tape.record(sink);
        });
        self.or_fail(begun)
    }

    /// Notes what is wrong with what the loop was told.
    pub(crate) fn or_fail(mut self, done: Result<()>) -> Self {
        self.wrong = self.wrong.or(done.err());
        self
    }

    /// When requests from outside are executed; as they come, if not said.
    #[must_use]
    pub fn commit(mut self, mode: CommitMode) -> Self {
        self.commit = mode;
        self
    }

    /// How many ticks the loop may lag behind before it drops them; 5 if not said.
    #[must_use]
    pub fn lag_ticks_max(mut self, ticks: u32) -> Self {
        self.lag_ticks_max = ticks;
        self
    }

    /// Ends the loop after so many ticks of its own, whatever number they have: ticks are counted over loops and restarts.
    #[must_use]
    pub fn ticks_max(mut self, ticks: u64) -> Self {
        self.ticks_max = Some(ticks);
        self
    }

    /// Calls `report` with the figures of the last second, once a second, on the loop's thread. A panic of it is told
    /// (`tracing`), and nothing else comes of it.
    #[must_use]
    pub fn report(mut self, report: impl FnMut(&Figures) + Send + 'static) -> Self {
        self.report = Some(Box::new(report));
        self
    }

    /// What ends the loop from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle { stop: self.stop.clone() }
    }

    /// The database.
    pub fn db(&self) -> &Db<S> {
        &self.db
    }

    /// Runs the loop on this thread until it is stopped; gives the figures of the whole run.
    ///
    /// # Errors
    /// [`Error::TickRate`]; [`Error::Stopped`] while another loop runs on this database, or is stepped: that one goes on, and
    /// once it has ended, however it did, the next may run.
    pub fn run(mut self) -> Result<Figures> {
        let stepper = self.start()?;
        self.run_from(stepper)
    }

    /// The loop without its clock: each call of [`step`](Stepper::step) runs one tick, at once. For tests and tools:
    /// thousands of ticks without sleeping. What is said of a loop that [`run`](TickLoop::run)s by itself means nothing to
    /// it: it serves nothing, reports nothing, drops nothing and has no end, and every step executes all requests that wait.
    ///
    /// # Errors
    /// As [`run`](TickLoop::run).
    pub fn stepped(mut self) -> Result<Stepper<S>> {
        self.start()
    }

    fn start(&mut self) -> Result<Stepper<S>> {
        if !(TICK_RATE_HZ_MIN..=TICK_RATE_HZ_MAX).contains(&self.rate_hz) {
            return Err(Error::TickRate(self.rate_hz));
        }
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let requests = self.db.shared.queue.open()?;
        let (names, systems) = std::mem::take(&mut self.systems).into_iter().unzip();
        let (tick, commits) = {
            let mut writer = self.db.shared.lock()?;
            (writer.engine().tick, writer.engine().stats.commits)
        };
        Ok(Stepper {
            requests,
            systems,
            recorder: Recorder::new(names, self.db.shared.clock.clone(), commits),
            period: Duration::from_secs_f64(1.0 / self.rate_hz),
            next: tick + 1,
            db: self.db.clone(),
        })
    }

    fn run_from(mut self, mut stepper: Stepper<S>) -> Result<Figures> {
        #[cfg(feature = "server")]
        let server = std::mem::take(&mut self.serving).start(&self.db)?;
        let clock = self.db.shared.clock.clone();
        clock.wake_exactly();
        let started = clock.monotonic();
        let (mut deadline, mut reported) = (started, started);
        let mut history = History::default();
        self.tell(&stepper, &history)?;
        let end = self.ticks_max.map(|ticks| stepper.next.saturating_add(ticks));
        while !self.stop.load(Ordering::SeqCst) && end.is_none_or(|end| stepper.next < end) {
            stepper.wait_until(deadline, self.commit)?;
            let begun = clock.monotonic();
            stepper.recorder.jitter(begun.saturating_sub(deadline));
            stepper.step_at(clock.wall_us(), self.commit)?;
            let now = clock.monotonic();
            if now - begun > stepper.period {
                stepper.recorder.overrun();
            }
            deadline += stepper.period;
            if now > deadline {
                deadline = self.catch_up(&mut stepper, deadline, now);
            }
            if now - reported >= self.report_every {
                let figures = stepper.figures_of_window(now - reported, &mut history)?;
                reported = now;
                tracing::info!(target: "dbgen::tick", "{figures}");
                if let Some(report) = &mut self.report {
                    // Told by then.
                    let _ = caught("the report of the loop", || report(&figures));
                }
                self.tell(&stepper, &history)?;
            }
        }
        #[cfg(feature = "server")]
        stepper.drain(server)?;
        stepper.recorder.end(clock.monotonic() - reported, &self.db.as_dynamic())?;
        stepper.figures()
    }

    /// Leaves word of how the loop runs, for whoever asks.
    fn tell(&self, stepper: &Stepper<S>, history: &History) -> Result<()> {
        let (rate_hz, tick) = (self.rate_hz, stepper.next - 1);
        let total = stepper.figures()?;
        let (engine, tables) = self.db.shared.lock()?.engine().figures();
        let stats = LoopStats { rate_hz, tick, total, history: history.clone(), engine, tables };
        *self.db.shared.loop_stats.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(stats));
        Ok(())
    }

    /// The next tick is due already: it starts at once; what lags too far behind is dropped.
    fn catch_up(&self, stepper: &mut Stepper<S>, deadline: Duration, now: Duration) -> Duration {
        let lag = ((now - deadline).as_secs_f64() * self.rate_hz) as u32;
        if lag <= self.lag_ticks_max {
            return deadline;
        }
        let dropped = lag - self.lag_ticks_max;
        stepper.recorder.dropped(dropped.into());
        tracing::warn!(dropped, lag, "the tick loop lags: ticks were dropped");
        deadline + stepper.period * dropped
    }
}

/// A tick loop that is moved by hand.
pub struct Stepper<S: Facade> {
    db: Db<S>,
    requests: queue::Requests,
    systems: Vec<System<S>>,
    recorder: Recorder,
    period: Duration,
    /// The number of the next tick, from 1.
    next: u64,
}

impl<S: Facade> std::fmt::Debug for Stepper<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stepper(tick {})", self.next)
    }
}

impl<S: Facade> Stepper<S> {
    /// Executes all requests that wait, runs one tick and publishes it; gives its number.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread: nothing was done then.
    pub fn step(&mut self) -> Result<u64> {
        let wall_us = self.db.shared.clock.wall_us();
        self.step_at(wall_us, CommitMode::Tick)
    }

    /// The same, with what the clock on the wall shows, in a loop that executes requests so.
    ///
    /// First the lock, then the view. Whoever commits publishes before he lets go of the lock, so the view taken under it
    /// shows all that was committed, and all that the recording has before this tick: a transaction that ends while the tick
    /// waits for the lock is in the view, in the transactions of the systems, and in a replay, or in none of them.
    fn step_at(&mut self, wall_us: i64, commit: CommitMode) -> Result<u64> {
        let (clock, shared) = (self.db.shared.clock.clone(), self.db.shared.clone());
        let begun = clock.monotonic();
        self.execute_waiting(commit)?;
        let mut writer = shared.lock()?;
        // What readers kept from being published may be free by now.
        writer.engine().publish_if_free();
        let view = S::View::from(View::new(shared.published.load()));
        let info = TickInfo::new(self.next, self.period);
        self.next += 1;
        writer.engine().tick = info.number;
        writer.engine().tape.begin_tick(info.number, wall_us);
        let now = Now { tick: info.number, wall_us };
        let failures = timer::fire(&mut writer, &shared.procedures, &mut shared.stuck_timers(), now);
        for failure in failures {
            let (timer, error, again_at_tick) = (&failure.timer, &failure.error, failure.again_at_tick);
            tracing::error!(%timer, tick = info.number, %error, again_at_tick, "a timer failed");
            self.recorder.failure(timer, info.number, error);
        }
        self.run_systems(&mut writer, info, view, &*clock);
        writer.engine().tape.end_tick();
        writer.engine().publish();
        drop(writer);
        self.recorder.tick(clock.monotonic() - begun);
        Ok(info.number)
    }

    /// Runs every system in a transaction of its own. They see the world as `view` shows it.
    fn run_systems(&mut self, writer: &mut Writer<'_>, info: TickInfo, view: S::View, clock: &dyn Clock) {
        let (recorder, shared) = (&mut self.recorder, self.db.shared.clone());
        // One system's end is the next one's beginning: asking the clock costs as much as an empty system.
        let mut before = clock.count();
        let ended = |at: usize, done: Result<()>| {
            if let Err(error) = done {
                recorder.system_failure(at, info.number, &error);
            }
            let after = clock.count();
            recorder.system(after.saturating_sub(before));
            before = after;
        };
        let systems = self.systems.iter_mut();
        writer.run_each(|tx| Tick::new(S::Tx::from(tx), info, view, shared), systems, ended);
    }

    /// Figures since the start.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread.
    pub fn figures(&self) -> Result<Figures> {
        self.recorder.total(&self.db.as_dynamic())
    }

    fn figures_of_window(&mut self, over: Duration, history: &mut History) -> Result<Arc<Figures>> {
        self.recorder.window(over, &self.db.as_dynamic(), history)
    }

    /// Waits for the deadline; meanwhile executes requests as they come.
    fn wait_until(&mut self, deadline: Duration, commit: CommitMode) -> Result<()> {
        let clock = self.db.shared.clock.clone();
        if commit == CommitMode::Eager {
            // The queue's wait may oversleep: it ends as much earlier as the clock says. One wake-up a tick, so that one only
            // can be late.
            let due = deadline.saturating_sub(clock.margin());
            loop {
                let now = clock.monotonic();
                if now >= due {
                    break;
                }
                match self.requests.wait(clock.patience(due - now)) {
                    Some(job) => drop(self.requests.execute(&self.db.shared, Some(job), GROUP_MAX)?),
                    None => {
                        clock.woken(due);
                        break;
                    }
                }
            }
            self.execute_until(deadline.saturating_sub(SPIN_ONLY), &*clock)?;
        }
        clock.sleep_until(deadline);
        Ok(())
    }

    /// Executes requests as they come, looking for them all the time.
    fn execute_until(&mut self, end: Duration, clock: &dyn Clock) -> Result<()> {
        while clock.margin() > SPIN_ONLY && clock.monotonic() < end {
            match self.requests.next() {
                Some(job) => drop(self.requests.execute(&self.db.shared, Some(job), GROUP_MAX)?),
                None => std::hint::spin_loop(),
            }
        }
        Ok(())
    }

    /// Executes, in groups, the requests that wait at the beginning of a tick: all of them, which the queue bounds, or, in a
    /// loop that executes them between its ticks, no more than one group, so that a flood does not hold up the tick.
    fn execute_waiting(&mut self, commit: CommitMode) -> Result<()> {
        let waiting = self.requests.waiting();
        let mut left = if commit == CommitMode::Tick { waiting } else { waiting.min(GROUP_MAX) };
        while left > 0 {
            match self.requests.execute(&self.db.shared, None, left)? {
                0 => break,
                executed => left -= executed,
            }
        }
        Ok(())
    }
}
