//! The same input gives the same bytes; and what was recorded, played again, does too.

use crate::generated::golden::arena::{Arena, ArenaSchema, Guild, Player};
use dbgen_runtime::__private::rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::recording::RecordingFailure;
use dbgen_runtime::recording::{RecordingWriter, read_recording};
use dbgen_runtime::{Database, Error, Input, On, SchemaEdit, Stepper, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const DT: Duration = Duration::from_micros(16_667);

#[derive(Deserialize, JsonSchema)]
struct Spawn {
    name: String,
    speed: f32,
}

struct World {
    db: Arena,
    clock: ManualClock,
    stepper: Stepper<ArenaSchema>,
    recorded: Receiver<Input>,
}

impl World {
    /// A world with systems that read, write, move in parallel and delete, and with handlers.
    fn open() -> World {
        let clock = ManualClock::new();
        let db = Arena::builder().clock(clock.clone()).open().expect("it opens");
        let (sink, recorded) = channel();
        let stepper = db
            .tick_loop(60.0)
            .record(move |input| sink.send(input))
            .after("player", On::Delete, |tx, change| {
                let Some(fallen) = change.old_as::<Player>() else { return Ok(()) };
                tx.guild_mut().insert(Guild::new(format!("of {}", fallen.name))).map(drop)
            })
            .procedure("spawn", |tx, args: Spawn| {
                let id = tx.player_mut().insert(Player::new(&args.name))?;
                let mut player = tx.player_mut();
                let mut player = player.get_mut(id)?;
                player.set_vel(crate::generated::golden::arena::Vec3::new(args.speed, 1.0, 0.0));
                if args.speed > 100.0 { Err(Error::abort("too fast")) } else { Ok(id) }
            })
            .system("movement", |tick| {
                let dt = tick.dt();
                tick.player_mut().motion_mut().par_iter_mut().for_each(|m| m.pos += m.vel * dt);
                Ok(())
            })
            .system("hunger", |tick| {
                let (view, number) = (tick.view(), tick.number());
                for player in view.player().iter().filter(|p| (p.id().get() + number) % 7 == 0) {
                    let hp = player.hp() - 2;
                    match hp > 0 {
                        true => tick.player_mut().update(player.id(), |p| p.hp = hp)?,
                        false => drop(tick.player_mut().delete(player.id())?),
                    }
                }
                Ok(())
            })
            .stepped()
            .expect("it starts");
        World { db, clock, stepper, recorded }
    }

    /// Input of every kind, then a tick; so many times.
    fn play(&mut self, ticks: u64) {
        for tick in 0..ticks {
            self.input(tick).expect("the input is right");
            self.clock.advance(DT);
            self.stepper.step().expect("a tick");
        }
    }

    fn input(&self, tick: u64) -> Result<(), Error> {
        let name = |what: &str| format!("{what} {tick}");
        match tick % 9 {
            0 | 3 => {
                self.db.call_procedure("spawn", &json!({ "name": name("p"), "speed": tick as f32 / 3.0 % 50.0 }))?;
            }
            1 => {
                drop(self.db.call_procedure("spawn", &json!({ "name": name("x"), "speed": 200.0 })).expect_err("fast"))
            }
            2 => self.db.transact(|tx| {
                let guild = tx.guild_mut().insert(Guild { motto: Some(name("we are")), ..Guild::new(name("g")) })?;
                let ids: Vec<_> = tx.player().ids().take(3).collect();
                ids.into_iter().try_for_each(|id| tx.player_mut().update(id, |p| p.guild = Some(guild)))
            })?,
            // A part of it is undone, and a slice is written between two operations.
            4 => self.db.transact(|tx| {
                tx.player_mut().insert(Player::new(name("q")))?;
                let undone = tx.nested(|tx| {
                    tx.player_mut().insert(Player::new(name("never")))?;
                    Err::<(), _>(Error::abort("not this one"))
                });
                assert!(undone.is_err());
                tx.player_mut().motion_mut().iter_mut().for_each(|m| m.vel *= 0.5);
                let first = tx.player().ids().next();
                first.map_or(Ok(()), |first| {
                    tx.player_mut().get_mut(first)?.set_kills(tick as u32);
                    Ok(())
                })
            })?,
            5 => drop(self.db.transact(|tx| tx.guild_mut().insert(Guild::new("a name that is longer than it may be")))),
            6 => drop(self.db.enqueue(
                move |tx| tx.guild_mut().insert(Guild::new(format!("queued {tick}"))),
                |done| assert!(done.is_ok()),
            )),
            7 if tick == 7 => {
                let definition = json!({ "name": "fame", "type": "text", "default": "none" });
                self.db.edit_schema(SchemaEdit::add_field("player", definition))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn bytes(&self) -> Bytes {
        whole(&self.db.as_dynamic())
    }
}

/// The commit and every buffer of every table.
type Bytes = (u64, Vec<Vec<Vec<u8>>>);

/// All that a database consists of, which is whole.
#[track_caller]
pub(super) fn whole(db: &Database) -> Bytes {
    db.read().verify().expect("whole");
    (db.read().commit(), dbgen_runtime::__private::buffers(db).expect("no transaction runs"))
}

#[test]
fn el_1_the_same_input_gives_the_same_bytes() {
    let (mut one, mut other) = (World::open(), World::open());
    one.play(3000);
    other.play(3000);
    assert!(one.bytes() == other.bytes(), "the worlds differ");
    assert!(one.db.read().player().len() > 10 && one.db.read().guild().len() > 100, "something happened in them");
}

#[test]
fn el_1_a_recording_played_again_gives_the_same_bytes() {
    let mut world = World::open();
    world.play(2000);
    // As text, as a file would hold it.
    let lines: Vec<String> =
        world.recorded.try_iter().map(|input| serde_json::to_string(&input).expect("it is JSON")).collect();
    assert_eq!(lines[1], r#"{"input":"tick","number":1,"wall_us":16667}"#, "the first spawn stands before it");
    let inputs = lines.iter().map(|line| serde_json::from_str(line).expect("as it was written"));
    let mut again = World::open();
    assert_eq!(again.stepper.replay(inputs).expect("it can be played"), 2000);
    assert!(world.bytes() == again.bytes(), "the worlds differ");
    let fame = again.db.as_dynamic().read().open_table("player").expect("a table").schema().fields.len();
    assert_eq!(fame, 9, "the edit of the schema was played too");
}

#[test]
fn a_recording_goes_on_with_the_next_tick_only() {
    let mut world = World::open();
    let wrong = world.stepper.replay([Input::Tick { number: 2, wall_us: 0 }]).expect_err("tick 1 is missing");
    assert!(matches!(wrong, Error::WrongTick { next: 1, recorded: 2 }), "{wrong}");
}

#[test]
fn a_recording_of_another_database_is_refused() {
    let db = Database::builder().schema_json(SHOP).open().expect("it opens");
    let (sink, recorded) = channel();
    let _world = db.tick_loop(60.0).record(move |input| sink.send(input)).stepped().expect("it starts");
    let t = db.read().open_table("t").expect("a table").number();
    let id = db.transact(|tx| tx.insert_values(t, &[(0, Value::from(7))])).expect("inserted");
    db.transact(|tx| tx.delete_record(t, id)).expect("deleted");
    let inputs: Vec<Input> = recorded.try_iter().collect();
    assert_eq!(inputs.len(), 2);
    let empty = Database::builder().open().expect("it opens");
    assert!(empty.tick_loop(60.0).stepped().expect("it starts").replay(inputs.clone()).is_err());
    let full = Database::builder().schema_json(SHOP).open().expect("it opens");
    assert!(full.tick_loop(60.0).stepped().expect("it starts").replay(inputs.into_iter().skip(1)).is_err());
}

/// A short recording of a world, as a file.
fn file() -> Vec<u8> {
    let mut world = World::open();
    world.play(12);
    let mut file = RecordingWriter::new(Vec::new());
    world.recorded.try_iter().for_each(|input| file.write(&input).expect("a vector takes everything"));
    file.into_inner()
}

#[test]
fn el_1_a_recording_is_read_back_from_its_file() {
    let mut world = World::open();
    world.play(12);
    let mut again = World::open();
    assert_eq!(again.stepper.replay_from(file().as_slice()).expect("it can be played"), 12);
    assert!(world.bytes() == again.bytes(), "the worlds differ");
}

/// Every byte of the file, damaged in several ways, and the file cut everywhere: what is damaged is told with its place, and
/// what was played before it stands.
#[test]
fn a_damaged_recording_says_where() {
    let file = file();
    let begins: Vec<usize> = (0..file.len()).filter(|at| *at == 0 || file[at - 1] == b'\n').collect();
    let line_of = |at: usize| begins.iter().rposition(|begin| *begin <= at).expect("the first begins at 0");
    let whole = read_recording(file.as_slice()).count();
    for at in 0..file.len() {
        for bits in [0x01, 0x20, 0x80] {
            let mut damaged = file.clone();
            damaged[at] ^= bits;
            let (input, offset) = match read_recording(damaged.as_slice()).find_map(Result::err) {
                Some(Error::Recording { input, offset: Some(offset), .. }) => (input as usize, offset as usize),
                other => panic!("byte {at} ^ {bits:#x}: {other:?}"),
            };
            assert_eq!((input, offset), (line_of(at) + 1, begins[line_of(at)]), "byte {at} ^ {bits:#x}");
        }
        let cut = read_recording(&file[..at]);
        let is_end = begins.contains(&at);
        assert_eq!(cut.filter(Result::is_err).count(), usize::from(!is_end), "cut at {at}");
    }
    assert!(whole > 12);
    // Played, it goes as far as it is whole.
    let last = begins[begins.len() - 1];
    let mut damaged = file.clone();
    damaged[last + 20] ^= 1;
    let mut world = World::open();
    let error = world.stepper.replay_from(damaged.as_slice()).expect_err("the last line is damaged");
    assert!(error.to_string().contains(&format!("input {whole}, at byte {last}: its checksum")), "{error}");
    world.bytes();
}

/// Inputs that were made by hand, or damaged before they were written: every hexadecimal digit of every value, another one.
/// They are played if they can be, or refused with a place; the database is whole either way.
#[test]
fn what_no_world_recorded_cannot_break_one() {
    let lines: Vec<String> = file()
        .split(|byte| *byte == b'\n')
        .filter_map(|line| Some(String::from_utf8_lossy(line.get(9..)?).into_owned()))
        .collect();
    let inputs: Vec<Input> = lines.iter().map(|line| serde_json::from_str(line).expect("an input")).collect();
    let (mut refused, mut played) = (0, 0);
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("transaction")) {
        for place in (0..line.len()).filter(|place| line.as_bytes()[*place].is_ascii_digit()).step_by(7) {
            let mut damaged = line.clone().into_bytes();
            damaged[place] = if damaged[place] == b'9' { b'f' } else { b'9' };
            let Ok(input) = serde_json::from_slice::<Input>(&damaged) else { continue };
            let mut world = World::open();
            world.stepper.replay(inputs[..at].iter().cloned()).expect("those before are whole");
            match world.stepper.replay([input]) {
                Ok(_) => played += 1,
                Err(Error::Recording { input: 1, offset: None, .. }) => refused += 1,
                // What the engine says of values that are well formed and wrong.
                Err(Error::Invalid(_) | Error::NotFound { .. }) => refused += 1,
                Err(other) => panic!("line {at}, byte {place}: {other}"),
            }
            world.bytes();
        }
    }
    assert!(refused > 20 && played > 20, "{refused} refused, {played} played");
}

const SHOP: &str = r#"{"name":"shop","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#;

/// A sink is called in the middle of a commit. Its panic, of a full disk say, took the engine with it: every later call of
/// the database panicked, for ever.
#[test]
fn a_sink_that_fails_ends_the_recording_and_nothing_else() {
    type Write = fn(&mut Vec<Input>, Input) -> std::io::Result<()>;
    let panics: Write = |recorded, input| {
        assert!(recorded.len() < 3, "no space left on device");
        recorded.push(input);
        Ok(())
    };
    let refuses: Write = |recorded, input| {
        if recorded.len() == 3 {
            return Err(std::io::Error::other("no space left on device"));
        }
        recorded.push(input);
        Ok(())
    };
    for write in [panics, refuses] {
        let db = Database::builder().schema_json(SHOP).open().expect("it opens");
        let t = db.read().open_table("t").expect("a table").number();
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let sink = recorded.clone();
        let record = move |input| write(&mut sink.lock().unwrap_or_else(PoisonError::into_inner), input);
        let mut world = db.tick_loop(60.0).record(record).stepped().expect("it starts");
        let insert = |n: i32| db.transact(|tx| tx.insert_values(t, &[(0, Value::from(n))]));
        insert(1).expect("recorded");
        world.step().expect("a tick");
        insert(2).expect("recorded");
        assert!(db.recording_failure().expect("no transaction runs").is_none());
        let id = insert(3).expect("committed, although it is not recorded");
        assert!(db.read().open_table("t").expect("a table").get(id).is_ok());
        let failure = db.recording_failure().expect("no transaction runs").expect("it has ended");
        match &*failure {
            RecordingFailure::Failed { input: 4, source } => assert_eq!(source.to_string(), "no space left on device"),
            RecordingFailure::Panicked { input: 4, said } => assert_eq!(said, "no space left on device"),
            other => panic!("{other}"),
        }
        for n in 4..10 {
            insert(n).expect("the world goes on");
            world.step().expect("a tick");
        }
        whole(&db);
        let before = recorded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(before.len(), 3, "a sink that has failed is not called again");
        let again = Database::builder().schema_json(SHOP).open().expect("it opens");
        assert_eq!(again.tick_loop(60.0).stepped().expect("it starts").replay(before).expect("it can be played"), 1);
        assert_eq!(again.read().open_table("t").expect("a table").len(), 2);
        // The next recording is a new one.
        drop(world);
        let (sink, recorded) = channel();
        let _world = db.tick_loop(60.0).record(move |input| sink.send(input)).stepped().expect("it starts");
        insert(10).expect("recorded");
        assert!(db.recording_failure().expect("no transaction runs").is_none());
        assert_eq!(recorded.try_iter().count(), 1);
        drop(recorded);
        insert(11).expect("nobody listens any more");
        let failure = db.recording_failure().expect("no transaction runs").expect("it has ended");
        assert!(matches!(&*failure, RecordingFailure::Failed { input: 2, .. }), "{failure}");
    }
}
