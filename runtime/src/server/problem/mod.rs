//! What went wrong with a request: RFC 9457, one shape everywhere.
//!
//! A handler fails with a [`Problem`]. It is written down in one place, [`Problem::to_json`], when the request's id is known:
//! for HTTP when the response leaves ([`serve`](super::serve)), for JSON-RPC as the error's `data`.

mod engine;
mod kind;

pub(crate) use engine::internal;
pub(crate) use kind::Kind;

use crate::error::nearest;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
pub(crate) use dbgen_schema::json::Problem as Fault;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::fmt;
use std::sync::Arc;

/// The media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was refused. Nothing was changed, unless the [kind](Kind::TimedOut) says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    kind: Kind,
    detail: String,
    faults: Vec<Fault>,
    members: Map<String, Json>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What every problem tells of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) schema_version: u64,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem(Box::new(Content { kind, detail, faults: Vec::new(), members: Map::new(), headers: Vec::new() }))
    }

    /// The problem of values that break rules: `otherwise`, or what its faults have in common.
    pub(crate) fn of_faults(otherwise: Kind, faults: Vec<Fault>) -> Problem {
        let kind = Kind::of_values(faults.iter().map(|fault| fault.code), otherwise);
        let detail = faults.iter().map(sentence).collect::<Vec<_>>().join("; ");
        let mut problem = Problem::new(kind, detail);
        problem.0.faults = faults;
        problem
    }

    /// The problem of one value of the body.
    pub(crate) fn at(kind: Kind, pointer: impl Into<String>, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        let fault = Fault {
            pointer: pointer.into(),
            code: kind.code(),
            detail: detail.clone(),
            expected: None,
            suggestion: None,
        };
        Problem::new(kind, detail).fault(fault)
    }

    /// A name that is not known, with the nearest one that is.
    pub(crate) fn unknown<'a>(
        kind: Kind,
        sentence: impl fmt::Display,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        match nearest(name, known) {
            Some(near) => Problem::new(kind, format!("{sentence}. Did you mean `{near}`?")).member("suggestion", near),
            None => Problem::new(kind, sentence.to_string()),
        }
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Problem {
        self.0.faults.push(fault);
        self
    }

    /// A further member of the problem object.
    pub(crate) fn member(mut self, name: &str, value: impl Into<Json>) -> Problem {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// A header of the response. A value that no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Problem {
        self.0.headers.extend(HeaderValue::from_str(value.as_ref()).ok().map(|value| (name, value)));
        self
    }

    /// The same problem in a larger body, where what it points at stands below `prefix`.
    pub(crate) fn below(mut self, prefix: &str) -> Problem {
        for fault in &mut self.0.faults {
            fault.pointer = format!("#{prefix}{}", fault.pointer.trim_start_matches('#'));
        }
        self
    }

    /// The same problem with the place of what it names among its faults, which is the name behind `base`.
    fn pointed(self, base: &str) -> Problem {
        let Some(pointer) = self.text("param").map(|name| format!("{base}{name}")) else { return self };
        self.pointed_at(pointer)
    }

    /// The same problem with a place, if it has none yet.
    pub(crate) fn pointed_at(mut self, pointer: impl Into<String>) -> Problem {
        if self.0.faults.is_empty() {
            let text = |name| self.text(name).map(str::to_owned);
            let (expected, suggestion) = (text("expected"), text("suggestion"));
            let (pointer, code, detail) = (pointer.into(), self.kind().code(), self.0.detail.clone());
            self.0.faults.push(Fault { pointer, code, detail, expected, suggestion });
        }
        self
    }

    /// A member that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.members.get(name)?.as_str()
    }

    /// Says where in a text of the URL it lies, in bytes and with a caret, if it does not say so yet: where what was got
    /// stands, or else at the beginning.
    pub(crate) fn placed_in(self, text: &str) -> Problem {
        if self.0.members.contains_key("position") {
            return self;
        }
        let position = self.text("got").and_then(|got| text.rfind(got)).unwrap_or(0);
        let caret = format!("{text}\n{}^", " ".repeat(text[..position].chars().count()));
        self.member("position", position).member("caret", caret)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Where the first fault lies.
    pub(crate) fn pointer(&self) -> Option<&str> {
        self.0.faults.first().map(|fault| fault.pointer.as_str())
    }

    /// The line of a bulk body that it is about.
    pub(crate) fn line(&self) -> Option<usize> {
        self.0.members.get("line")?.as_u64()?.try_into().ok()
    }

    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The problem object.
    pub(crate) fn to_json(&self, asked: Asked<'_>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Shape<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            code: &'a str,
            detail: &'a str,
            instance: String,
            errors: Vec<FaultShape<'a>>,
            schema_version: u64,
            request_id: &'a str,
            #[serde(flatten)]
            members: &'a Map<String, Json>,
        }
        let Content { kind, detail, faults, members, .. } = &*self.0;
        let shape = Shape {
            r#type: format!("/problems/{}", kind.code()),
            title: kind.title(),
            status: kind.status(),
            code: kind.code(),
            detail,
            instance: format!("/requests/{}", asked.request_id),
            errors: faults.iter().map(FaultShape::of).collect(),
            schema_version: asked.schema_version,
            request_id: asked.request_id,
            members,
        };
        super::json::to_vec(&shape)
    }

    /// The response, once the request's id is known.
    pub(crate) fn to_response(&self, asked: Asked<'_>) -> Response {
        let mut response = Response::new(Body::from(self.to_json(asked)));
        *response.status_mut() = self.http_status();
        let headers = response.headers_mut();
        headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.extend(self.0.headers.iter().cloned().map(|(name, value)| (Some(name), value)).collect::<Vec<_>>());
        response
    }

    fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

#[derive(Serialize)]
struct FaultShape<'a> {
    pointer: &'a str,
    code: &'a str,
    detail: &'a str,
    expected: Option<&'a str>,
    suggestion: Option<&'a str>,
}

impl<'a> FaultShape<'a> {
    fn of(fault: &'a Fault) -> FaultShape<'a> {
        FaultShape {
            pointer: &fault.pointer,
            code: fault.code,
            detail: &fault.detail,
            expected: fault.expected.as_deref(),
            suggestion: fault.suggestion.as_deref(),
        }
    }
}

/// What is wrong with one request's body, or with its parameters, collected, so that all of it is told at once.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    problems: Vec<Problem>,
    /// Whether what has a name stands in the URL, `?name`, not in the body, `#/name`.
    is_of_url: bool,
}

impl Mistakes {
    /// For the parameters of a URL.
    pub(crate) fn of_url() -> Mistakes {
        Mistakes { is_of_url: true, ..Mistakes::default() }
    }

    /// Notes a mistake.
    pub(crate) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// What was read, or nothing, and why not is noted.
    pub(crate) fn note<T>(&mut self, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.push(problem)).ok()
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// That nothing was wrong. Several mistakes are one problem: `otherwise`, or what they have in common.
    pub(crate) fn check(self, otherwise: Kind) -> Result<(), Problem> {
        let base = if self.is_of_url { "?" } else { "#/" };
        let mut problems: Vec<Problem> = self.problems.into_iter().map(|problem| problem.pointed(base)).collect();
        // What has no place in the request, as a loop that has ended, is told by itself.
        let alone = problems.iter().position(|problem| problem.0.faults.is_empty());
        match (alone, problems.len()) {
            (_, 0) => Ok(()),
            (Some(at), _) => Err(problems.swap_remove(at)),
            (None, 1) => Err(problems.swap_remove(0)),
            (None, _) => {
                let details: Vec<String> = problems.iter().map(|problem| problem.0.detail.clone()).collect();
                let (mut faults, mut members) = (Vec::new(), Map::new());
                for problem in problems {
                    faults.extend(problem.0.faults);
                    // What is said of one name belongs together: it is that of the first.
                    let is_of_another = problem.0.members.contains_key("param") && members.contains_key("param");
                    members.extend(if is_of_another { Map::new() } else { problem.0.members });
                }
                let mut all = Problem::of_faults(otherwise, faults);
                (all.0.detail, all.0.members) = (details.join("; "), members);
                Err(all)
            }
        }
    }
}

/// A fault as a sentence that can stand alone.
fn sentence(fault: &Fault) -> String {
    let at = fault.pointer.trim_start_matches("#/");
    let at = if at.is_empty() || at == "#" { String::new() } else { format!("`{at}`: ") };
    match &fault.expected {
        Some(expected) => format!("{at}{}; expected {expected}", fault.detail),
        None => format!("{at}{}", fault.detail),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

/// So that a transaction's closure can fail with one.
impl std::error::Error for Problem {}

/// A problem on its way out: [`serve`](super::serve) writes it down.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.http_status();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
