//! `dbgen serve`: a database over HTTP, for those who write no Rust.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbgen_runtime::limits::{TICK_RATE_HZ_MAX, TICK_RATE_HZ_MIN};
use dbgen_runtime::server::{Grant, Role, ServerConfig, TokenHash};
use dbgen_runtime::{Database, Error, SyncLevel};

use crate::failure::{Failure, Misuse};
use crate::progress::Bar;
use crate::{input, output};

/// Serve a database over HTTP; its first line of output is the address
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schema file, JSON or TOML; without one, the database begins empty and tables are made over HTTP
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Where the data lives; without it, in memory alone. The folder remembers its schema: `--schema` is needed only once,
    /// or to change it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// When a write is answered: once it is synced with its neighbours (group) or by itself (immediate), once it is written
    /// to the file (buffered), or once it is visible (memory)
    #[arg(long, value_name = "LEVEL", default_value = "group", requires = "data")]
    sync: Level,
    /// Seconds between snapshots, while something changes; at least 1
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, requires = "data", value_parser = interval)]
    snapshot_every: f64,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: String,
    /// Ticks a second, 15 to 120
    #[arg(long, value_name = "HZ", default_value_t = 60.0)]
    tick_rate: f64,
    /// A file with the token that clients must send as `Authorization: Bearer …`, or a line `ROLE TOKEN` for each:
    /// reader, writer, schema, admin; `writer:player,guild` is for the records of these tables alone. Instead of a token may stand its hash, `sha256:…`, as sha256sum prints it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Listen on an address that other machines reach, without a token
    #[arg(long, conflicts_with = "token_file")]
    insecure: bool,
    /// Say once a second, on standard error, how the loop runs
    #[arg(long)]
    figures: bool,
}

/// When a write is answered.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    Memory,
    Buffered,
    Group,
    Immediate,
}

impl From<Level> for SyncLevel {
    fn from(level: Level) -> SyncLevel {
        match level {
            Level::Memory => SyncLevel::Memory,
            Level::Buffered => SyncLevel::Buffered,
            Level::Group => SyncLevel::Group,
            Level::Immediate => SyncLevel::Immediate,
        }
    }
}

/// An interval in seconds; one that is longer than can be said is for ever.
fn interval(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds >= 1.0 => Ok(seconds),
        _ => Err("it takes seconds, at least 1".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // What is wrong with the arguments is said before a data folder is made.
    let config = config(arguments)?;
    if !(TICK_RATE_HZ_MIN..=TICK_RATE_HZ_MAX).contains(&arguments.tick_rate) {
        return Err(Failure::runtime(Error::TickRate(arguments.tick_rate)));
    }
    let builder = match &arguments.schema {
        Some(file) => Database::builder().schema(input::load(file)?),
        None => Database::builder(),
    };
    let reading = arguments.data.as_ref().map(|folder| Bar::reading("open", folder));
    let (bar, files) = reading.unzip();
    let builder = match (&arguments.data, files) {
        (Some(folder), Some(files)) => builder
            .data_dir(folder)
            .storage(files, false)
            .sync(arguments.sync.into())
            .snapshot_every(Duration::try_from_secs_f64(arguments.snapshot_every).unwrap_or(Duration::MAX)),
        _ => builder,
    };
    let opened = builder.open();
    bar.iter().for_each(Bar::end);
    let db = opened.map_err(Failure::runtime)?;
    let mut world = db.tick_loop(arguments.tick_rate);
    if arguments.figures {
        // Nobody may be reading any more; the world goes on.
        world = world.report(|figures| drop(writeln!(std::io::stderr(), "{figures}")));
    }
    let stop = world.stop_handle();
    ctrlc::set_handler(move || stop.stop()).map_err(Failure::Signals)?;
    let served = world.serve(config).on_listen(|address| {
        // The address is for whoever started the server; one that does not listen to it is served all the same.
        let _ = output::print(&format!("http://{address}\n"));
    });
    served.run().map_err(Failure::runtime)?;
    if db.durability().is_some() {
        // Tables that are not logged survive as the last snapshot has them.
        db.snapshot().map_err(Failure::runtime)?;
    }
    Ok(())
}

fn config(arguments: &Arguments) -> Result<ServerConfig, Failure> {
    let mut config = ServerConfig::new(&arguments.listen);
    if let Some(file) = &arguments.token_file {
        config = tokens(file)?.into_iter().fold(config, |config, (token, role)| config.allow_hash(token, role));
    }
    config.insecure = arguments.insecure;
    Ok(config)
}

/// The tokens of a file, a line each: `ROLE TOKEN`, `ROLE:table,table TOKEN`, or without a role, which may do everything.
fn tokens(file: &Path) -> Result<Vec<(TokenHash, Grant)>, Failure> {
    let text = input::text(file)?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let tokens = lines.map(|(at, line)| token(line).map_err(|wrong| wrong.into_misuse(file, at + 1)));
    let tokens: Vec<(TokenHash, Grant)> = tokens.collect::<Result<_, _>>().map_err(Failure::Usage)?;
    if tokens.is_empty() { Err(Failure::Usage(Misuse::EmptyToken { file: file.to_owned() })) } else { Ok(tokens) }
}

/// What is wrong with a line of a token file.
enum WrongLine {
    Role(String),
    /// Nothing stands behind the role.
    TokenMissing(String),
    Hash,
}

impl WrongLine {
    fn into_misuse(self, file: &Path, line: usize) -> Misuse {
        let file = file.to_owned();
        match self {
            WrongLine::Role(word) => Misuse::NoRole { file, line, word },
            WrongLine::TokenMissing(word) => Misuse::NoToken { file, line, word },
            WrongLine::Hash => Misuse::NoTokenHash { file, line },
        }
    }
}

fn token(line: &str) -> Result<(TokenHash, Grant), WrongLine> {
    let (grant, token) = match line.split_once(char::is_whitespace) {
        None if grant(line).is_some() => return Err(WrongLine::TokenMissing(line.to_owned())),
        None => (Role::Admin.into(), line),
        Some((word, token)) => (grant(word).ok_or_else(|| WrongLine::Role(word.to_owned()))?, token.trim()),
    };
    match token.strip_prefix("sha256:") {
        Some(digits) => Ok((TokenHash::from_hex(digits).ok_or(WrongLine::Hash)?, grant)),
        None => Ok((TokenHash::of(token), grant)),
    }
}

/// `writer`, or `writer:player,guild` for the records of some tables.
fn grant(word: &str) -> Option<Grant> {
    match word.split_once(':') {
        None => Role::from_name(word).map(Grant::from),
        Some((role, tables)) => Role::from_name(role).map(|role| Grant::for_tables(role, tables.split(','))),
    }
}
