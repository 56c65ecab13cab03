//! Conditional requests (RFC 9110, section 13): entity tags, `If-Match`, `If-None-Match`.
//!
//! A tag is `"<epoch>.<schema version>.<version>"`: the version of a record's last write, the schema under which it is shown
//! (an edit of it changes what a record says, and writes none), and the run of the database that counted both: one that went
//! back to an older state counts the same numbers again, for something else. The schema's is `"s<epoch>.<schema version>"`, for
//! the same reason. Tags are compared where nothing can come between: for a read in its view, for a write inside its
//! transaction.

use super::problem::{Kind, Problem};
use crate::dynamic::TableNo;
use crate::error::Error;
use crate::id::RecordId;
use crate::txn::Transaction;
use axum::extract::FromRequestParts;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

/// Encodings in which answers go out.
const ENCODINGS: &[&str] = &["gzip", "zstd"];

/// The tag of a record's state.
pub(crate) fn record_tag(epoch: u64, schema_version: u64, version: u64) -> String {
    format!("\"{epoch}.{schema_version}.{version}\"")
}

/// The tag of the schema.
pub(crate) fn schema_tag(epoch: u64, schema_version: u64) -> String {
    format!("\"s{epoch}.{schema_version}\"")
}

/// The tags that a header lists.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`
    Any,
    /// Each with whether it is a weak one.
    Listed(Vec<(bool, String)>),
}

/// Under which conditions a request is to be executed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Preconditions {
    /// None: whatever the state is, the request is executed.
    pub(crate) const NONE: Preconditions = Preconditions { if_match: None, if_none_match: None };

    /// Reads the headers.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Preconditions, Problem> {
        Ok(Preconditions { if_match: tags(headers, IF_MATCH)?, if_none_match: tags(headers, IF_NONE_MATCH)? })
    }

    /// That `If-Match` names this tag, which a client of JSON-RPC gives as a value.
    pub(crate) fn if_match(tag: &str) -> Result<Preconditions, Problem> {
        Ok(Preconditions { if_match: Some(parse(tag, &IF_MATCH)?), if_none_match: None })
    }

    /// Whether there is an `If-Match`.
    pub(crate) fn has_match(&self) -> bool {
        self.if_match.is_some()
    }

    /// Whether there is an `If-Match` that names states: `*` is fulfilled by any.
    pub(crate) fn names_tags(&self) -> bool {
        matches!(self.if_match, Some(Tags::Listed(_)))
    }

    /// Whether it must not exist yet.
    pub(crate) fn is_create_only(&self) -> bool {
        self.if_none_match == Some(Tags::Any)
    }

    /// Whether a reader that has one of the tags of `If-None-Match` has the state with this tag.
    pub(crate) fn is_fresh(&self, tag: &str) -> bool {
        match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => tags.iter().any(|(_, given)| given == tag),
        }
    }

    /// That something with this tag may be changed, or read.
    pub(crate) fn check_match(&self, tag: &str) -> Result<(), Problem> {
        match &self.if_match {
            Some(Tags::Listed(tags)) if !tags.iter().any(|(weak, given)| !weak && given == tag) => {
                let detail = format!("If-Match does not name the current state, which has the tag {tag}");
                Err(Problem::new(Kind::PreconditionFailed, detail).member("current_etag", tag))
            }
            _ => Ok(()),
        }
    }

    /// That something that is not there may be made: no state of it fulfils an `If-Match`.
    pub(crate) fn check_absent(&self) -> Result<(), Problem> {
        match self.has_match() {
            true => Err(Problem::new(Kind::PreconditionFailed, "If-Match names a state of what is not there")),
            false => Ok(()),
        }
    }

    /// That the record may be changed: asked inside the transaction that is about to do it.
    pub(crate) fn check_write(&self, tx: &Transaction, table: TableNo, id: RecordId, epoch: u64) -> Result<(), Error> {
        if !self.has_match() {
            require_match_not(tx, table, "send the record's tag (`ETag`) as If-Match")?;
        }
        let tag = record_tag(epoch, tx.catalog().version(), tx.read_table(table)?.get(id)?.version());
        self.check_match(&tag)?;
        if self.is_fresh(&tag) {
            let detail = format!("If-None-Match forbids to change what has the tag {tag}");
            return Err(Problem::new(Kind::PreconditionFailed, detail).member("current_etag", tag).into());
        }
        Ok(())
    }
}

/// Those of the request.
impl<S: Send + Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Preconditions::of(&parts.headers)
    }
}

/// That a request has no `If-Match` where nothing has a tag that it could name: a condition is never ignored.
pub(crate) fn refuse_match_of_nothing(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut steps = uri.path().split('/').skip(1);
    let (first, third, fourth) = (steps.next(), steps.nth(1), steps.next());
    let instead = match (first, third, fourth) {
        _ if !matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE) => return Ok(()),
        (Some("batch"), ..) => "in a batch, each operation says `if_match`",
        (Some("rpc"), ..) => "over JSON-RPC it is the parameter `if_match`",
        (Some("table"), Some("records" | "query"), _) => {
            "many records have no tag: change them one by one, or as a batch with `if_match`"
        }
        (Some("table"), Some("record"), None) => "what is yet to be made has no tag",
        (Some("snapshot"), ..) => "a snapshot has no tag",
        _ => return Ok(()),
    };
    if Preconditions::of(headers)?.names_tags() {
        return Err(Problem::new(Kind::InvalidHeader, format!("If-Match means nothing here: {instead}")));
    }
    Ok(())
}

/// That the table's records may be changed by who does not say which state he has seen; `instead` is what to do if not.
pub(crate) fn require_match_not(tx: &Transaction, table: TableNo, instead: &str) -> Result<(), Problem> {
    let table = &tx.schema().tables[table.at()];
    if !table.require_if_match {
        return Ok(());
    }
    let detail = format!("records of `{}` are changed under If-Match only: {instead}", table.name);
    Err(Problem::new(Kind::PreconditionRequired, detail).member("table", table.name.as_str()))
}

/// How many records `Prefer: max-affected=N` lets a request change; `None` = any number.
pub(crate) fn prefer_max_affected(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    // Names of preferences are compared without case, and may have space around the `=` (RFC 7240, section 2).
    let words = values.flat_map(|value| value.split([',', ';'])).filter_map(|word| word.split_once('='));
    let mut given = words.filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-affected"));
    given.next().map_or(Ok(None), |(_, max)| match max.trim().trim_matches('"').parse() {
        Ok(max) => Ok(Some(max)),
        Err(_) => Err(Problem::new(Kind::InvalidHeader, format!("max-affected is a whole number, not {max:?}"))),
    })
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>, Problem> {
    let mut all: Option<Tags> = None;
    for value in headers.get_all(&name) {
        let text = value.to_str().map_err(|_| invalid(&name))?;
        all = Some(match (all, parse(text, &name)?) {
            (None, tags) => tags,
            (Some(Tags::Listed(mut list)), Tags::Listed(more)) => {
                list.extend(more);
                Tags::Listed(list)
            }
            _ => return Err(invalid(&name)),
        });
    }
    Ok(all)
}

/// Reads `*`, or a list like `"1.5", W/"1.6"`.
fn parse(text: &str, name: &HeaderName) -> Result<Tags, Problem> {
    let mut rest = text.trim();
    if rest == "*" {
        return Ok(Tags::Any);
    }
    let mut list = Vec::new();
    while !rest.is_empty() {
        // An empty element of a list means nothing (RFC 9110, section 5.6.1.2).
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            continue;
        }
        let (weak, tag) = rest.strip_prefix("W/").map_or((false, rest), |tag| (true, tag));
        let end = tag.strip_prefix('"').and_then(|inside| inside.find('"')).ok_or_else(|| invalid(name))?;
        let (tag, after) = tag.split_at(end + 2);
        list.push((weak, without_encoding(tag)));
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err(invalid(name));
        }
    }
    if list.is_empty() { Err(invalid(name)) } else { Ok(Tags::Listed(list)) }
}

/// The same tag, of an answer that went out in this encoding: other bytes, so another tag (RFC 9110, 8.8.3.3).
pub(crate) fn tag_encoded(tag: &str, encoding: &str) -> String {
    format!("{}-{encoding}\"", tag.strip_suffix('"').unwrap_or(tag))
}

/// The tag of the state, whatever the encoding in which it was read.
fn without_encoding(tag: &str) -> String {
    let inside = tag.strip_suffix('"').unwrap_or(tag);
    let bare = ENCODINGS.iter().find_map(|encoding| inside.strip_suffix(encoding)?.strip_suffix('-'));
    format!("{}\"", bare.unwrap_or(inside))
}

fn invalid(name: &HeaderName) -> Problem {
    let detail = format!("the header {name} must be `*` or a list of tags in double quotes");
    Problem::new(Kind::InvalidHeader, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: HeaderName, values: &[&str]) -> Result<Preconditions, Problem> {
        Preconditions::of(&values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn if_match_compares_strongly() {
        for right in
            [&["*"][..], &["\"1.5\""], &["\"1.4\" , \"1.5\""], &["\"1.4\"", "\"1.5\""], &[", \"1.4\",, \"1.5\","]]
        {
            assert!(given(IF_MATCH, right).unwrap().check_match("\"1.5\"").is_ok(), "{right:?}");
        }
        for wrong in [&["\"1.4\""][..], &["W/\"1.5\""], &["\"1,5\""]] {
            let problem = given(IF_MATCH, wrong).unwrap().check_match("\"1.5\"").unwrap_err();
            assert_eq!(problem.kind(), Kind::PreconditionFailed, "{wrong:?}");
        }
        assert!(Preconditions::default().check_match("\"1.5\"").is_ok());
    }

    #[test]
    fn a_tag_is_good_whatever_the_encoding_it_came_in() {
        let tag = tag_encoded("\"1.5\"", "gzip");
        assert_eq!(tag, "\"1.5-gzip\"");
        assert!(given(IF_MATCH, &[&tag]).unwrap().check_match("\"1.5\"").is_ok());
        assert!(given(IF_NONE_MATCH, &[&tag_encoded("\"1.5\"", "zstd")]).unwrap().is_fresh("\"1.5\""));
        assert!(given(IF_MATCH, &["\"1.5-br\""]).unwrap().check_match("\"1.5\"").is_err());
    }

    #[test]
    fn if_none_match_compares_weakly() {
        assert!(given(IF_NONE_MATCH, &["W/\"1.5\""]).unwrap().is_fresh("\"1.5\""));
        assert!(given(IF_NONE_MATCH, &["*"]).unwrap().is_fresh("\"1.5\""));
        assert!(!given(IF_NONE_MATCH, &["\"1.4\""]).unwrap().is_fresh("\"1.5\""));
        assert!(!Preconditions::default().is_fresh("\"1.5\""));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for wrong in ["", ",", "1.5", "\"1.5", "\"1.5\" \"1.6\"", "\"1.5\", *", "W\"1.5\""] {
            assert_eq!(given(IF_MATCH, &[wrong]).unwrap_err().kind(), Kind::InvalidHeader, "{wrong:?}");
        }
        assert!(given(IF_MATCH, &["*", "\"1.5\""]).is_err());
    }
}
