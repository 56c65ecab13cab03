//! Golden scripts: conversations with the storage, raw bytes shown. `UPDATE_GOLDENFILES=1` writes the answers anew.
//!
//! Commands: `guild NAME [MOTTO]` inserts, `motto ID [MOTTO]` changes, `delete ID`, `rows` shows the packed rows, `meta` the
//! table's numbers, `fail` before a command runs it in a transaction that fails, `verify` checks everything.

use super::face::{DynamicWorld, GuildData, World};
use dbgen_runtime::{__private, Error};
use goldenscript::{Argument, Command, Context, Runner};
use std::error::Error as StdError;

/// A null bitmap, a `str<24>` and a heap cell.
const ROW_BYTES: usize = 1 + 25 + 8;

struct Storage(DynamicWorld);

impl Storage {
    /// Buffer number `at` of the table `guild`, in hexadecimal.
    fn bytes(&self, at: usize) -> Result<Vec<u8>, Box<dyn StdError>> {
        Ok(__private::buffers(&self.0.database())?[0][at].clone())
    }

    fn write(&self, name: &str, args: &[String], fails: bool) -> Result<String, Box<dyn StdError>> {
        let mut said = String::new();
        let id = || args.first().and_then(|arg| arg.parse::<u64>().ok()).unwrap_or(0);
        let outcome = self.0.transact(&mut |face| {
            said = match name {
                "guild" => {
                    let guild = GuildData { name: args[0].clone(), motto: args.get(1).cloned() };
                    format!("id {}", face.insert_guild(&guild)?)
                }
                "motto" => face.set_motto(id(), args.get(1).map(String::as_str)).map(|()| "done".to_owned())?,
                _ => format!("{} gone", face.delete_guild(id())?),
            };
            if fails { Err(Error::abort("rolled back")) } else { Ok(()) }
        });
        Ok(outcome.map_or_else(|error| error.to_string(), |()| said))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Runner for Storage {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn StdError>> {
        let value = |arg: &Argument| match arg {
            Argument::Positional(value) | Argument::KeyValue(_, value) => value.clone(),
            other => other.to_string(),
        };
        let mut args: Vec<String> = command.args.iter().map(value).collect();
        match command.name.as_str() {
            "rows" => Ok(self.bytes(5)?.chunks(ROW_BYTES).map(|row| hex(row) + "\n").collect()),
            "slots" => Ok(self.bytes(3)?.chunks(8).map(|slot| hex(slot) + "\n").collect()),
            "heap" => Ok(self.bytes(4)?.chunks(8).map(|unit| hex(unit) + "\n").collect()),
            "verify" => Ok(format!("{:?}", self.0.database().read().verify())),
            "fail" => {
                let name = args.remove(0);
                self.write(&name, &args, true)
            }
            name @ ("guild" | "motto" | "delete") => self.write(name, &args, false),
            other => Err(format!("no command `{other}`").into()),
        }
    }
}

#[test]
fn storage_conversations() {
    let script = dbgen_tests::root().join("tests/plans/storage");
    goldenscript::run(&mut Storage(DynamicWorld::open()), script).expect("the script runs");
}
