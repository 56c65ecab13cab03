//! The curl sessions of documents, played without curl.

use crate::http::{Answer, Client};

/// One line of a session: what such a line may use of curl, and no more.
#[derive(Debug)]
pub struct Curl {
    /// The line.
    pub line: String,
    path: String,
    body: Option<String>,
}

impl Curl {
    /// Every `curl` line of a Markdown text; all of them speak to this address.
    #[track_caller]
    pub fn session(text: &str, address: &str) -> Vec<Curl> {
        text.lines().filter(|line| line.starts_with("curl ")).map(|line| Curl::parse(line, address)).collect()
    }

    #[track_caller]
    fn parse(line: &str, address: &str) -> Curl {
        let mut curl = Curl { line: line.to_owned(), path: String::new(), body: None };
        let mut words = words(line).into_iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" => {}
                "-H" => assert_eq!(words.next().as_deref(), Some("content-type: application/json"), "{line}"),
                "-d" => curl.body = words.next(),
                url => curl.path = url.strip_prefix(address).unwrap_or_else(|| panic!("{line}")).to_owned(),
            }
        }
        curl
    }

    /// Does what the line says, with whatever server the client speaks to.
    #[track_caller]
    pub fn play(&self, client: &mut Client) -> Answer {
        let json = [("content-type", "application/json")];
        match &self.body {
            Some(body) => client.send("POST", &self.path, &json, Some(body.as_bytes())),
            None => client.get(&self.path),
        }
    }
}

/// The words of a line: separated by spaces, except within `'…'`.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
