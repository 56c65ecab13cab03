//! A client of HTTP/1.1 that hides nothing: what the tests of the server speak with. It waits for nothing longer than
//! [`WAIT_MAX`].

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// A client with one connection, kept alive.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: SocketAddr) -> Client {
        Client { address, connection: None, headers: Vec::new() }
    }

    /// `GET`.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// `DELETE`.
    #[track_caller]
    pub fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }

    /// `POST` with a JSON body.
    #[track_caller]
    pub fn post(&mut self, path: &str, body: &Json) -> Answer {
        self.send_json("POST", path, &[], body)
    }

    /// Any method with a JSON body.
    #[track_caller]
    pub fn send_json(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Json) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send(method, path, &headers, Some(body.to_string().as_bytes()))
    }

    /// Any request. A connection that the server has closed meanwhile is opened again.
    #[track_caller]
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        let is_given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !is_given("host") {
            request += &format!("host: {}\r\n", self.address);
        }
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = body {
            request += &format!("content-length: {}\r\n", body.len());
        }
        request += "\r\n";
        let bytes = [request.as_bytes(), body.unwrap_or_default()].concat();
        let answer = self.exchange(&bytes, method == "HEAD").or_else(|| self.exchange(&bytes, method == "HEAD"));
        answer.unwrap_or_else(|| panic!("{method} {path}: the server closed the connection"))
    }

    /// Sends bytes as they are; `None` = the server closed the connection without an answer.
    pub fn raw(&mut self, bytes: &[u8]) -> Option<Answer> {
        self.exchange(bytes, false)
    }

    /// Closes the sending half after these bytes, as a client that was cut off does.
    pub fn cut(&mut self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = connect(self.address);
        stream.write_all(bytes).ok()?;
        stream.shutdown(std::net::Shutdown::Write).ok()?;
        read_answer(&mut BufReader::new(stream), false)
    }

    fn exchange(&mut self, bytes: &[u8], is_head: bool) -> Option<Answer> {
        let mut connection = self.connection.take().unwrap_or_else(|| BufReader::new(connect(self.address)));
        connection.get_mut().write_all(bytes).ok()?;
        let answer = read_answer(&mut connection, is_head)?;
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Some(answer)
    }
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// That it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// That it is a problem of this status and code, in the shape that all problems have.
    #[track_caller]
    pub fn is_problem(self, status: u16, code: &str) -> Json {
        let told = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{told}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{told}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{told}");
        assert_eq!(problem["status"], status, "{told}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{told}");
        for member in ["title", "detail", "instance", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {told}");
        }
        assert!(problem["errors"].is_array() && problem["schema_version"].is_u64(), "{told}");
        problem
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, WAIT_MAX).expect("the server listens");
    stream.set_read_timeout(Some(WAIT_MAX)).expect("a time-out can be set");
    stream.set_write_timeout(Some(WAIT_MAX)).expect("a time-out can be set");
    stream.set_nodelay(true).expect("the stream is open");
    stream
}

/// Reads one answer; `None` if the connection ended first.
fn read_answer(connection: &mut BufReader<TcpStream>, is_head: bool) -> Option<Answer> {
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            lines.push(line.to_owned());
        }
        let status = lines.first()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if status == 100 {
            continue;
        }
        if !is_head && !matches!(status, 204 | 304) {
            if answer.header("transfer-encoding") == Some("chunked") {
                answer.body = read_chunks(connection)?;
            } else {
                let length = answer.header("content-length").expect("our server says the length of its answers");
                answer.body.resize(length.parse().expect("a length is a number"), 0);
                connection.read_exact(&mut answer.body).ok()?;
            }
        }
        return Some(answer);
    }
}

fn read_chunks(connection: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let begin = body.len();
        // Two bytes end every chunk.
        body.resize(begin + length + 2, 0);
        connection.read_exact(&mut body[begin..]).ok()?;
        body.truncate(begin + length);
        if length == 0 {
            return Some(body);
        }
    }
}
