//! A process that serves a database and says so in its first line.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use dbgen_tests::http::Client;

/// A running server. Dropping it kills it.
pub(crate) struct Served {
    pub(crate) process: Child,
    pub(crate) output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Served {
    /// Starts a program and reads the address from the end of its first line.
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Served {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the first line is text");
        let address = line.trim().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in the first line: {line:?}"));
        Served { process, output, address }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
