//! `dbgen serve`: a database over HTTP, for those who write no Rust.

use std::path::{Path, PathBuf};

use dbgen_runtime::Database;
use dbgen_runtime::server::ServerConfig;

use crate::failure::{Failure, Misuse};
use crate::{input, output};

/// Serve a database over HTTP; its first line of output is the address
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schema file, JSON or TOML; without one, the database begins empty and tables are made over HTTP
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: String,
    /// Ticks a second, 15 to 120
    #[arg(long, value_name = "HZ", default_value_t = 60.0)]
    tick_rate: f64,
    /// A file with the token that clients must send as `Authorization: Bearer …`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Listen on an address that other machines reach, without a token
    #[arg(long, conflicts_with = "token_file")]
    insecure: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let builder = match &arguments.schema {
        Some(file) => Database::builder().schema(input::load(file)?),
        None => Database::builder(),
    };
    let db = builder.open().map_err(Failure::runtime)?;
    let world = db.tick_loop(arguments.tick_rate);
    let stop = world.stop_handle();
    ctrlc::set_handler(move || stop.stop()).map_err(Failure::Signals)?;
    let served = world.serve(config(arguments)?).on_listen(|address| {
        // The address is for whoever started the server; one that does not listen to it is served all the same.
        let _ = output::print(&format!("http://{address}\n"));
    });
    served.run().map_err(Failure::runtime)?;
    Ok(())
}

fn config(arguments: &Arguments) -> Result<ServerConfig, Failure> {
    let mut config = ServerConfig::new(&arguments.listen);
    config.token = arguments.token_file.as_deref().map(token).transpose()?;
    config.insecure = arguments.insecure;
    Ok(config)
}

/// The token of a file: its text without the white space around it.
fn token(file: &Path) -> Result<String, Failure> {
    let text = input::text(file)?;
    match text.trim() {
        "" => Err(Failure::Usage(Misuse::EmptyToken { file: file.to_owned() })),
        token => Ok(token.to_owned()),
    }
}
