//! The engine's errors as problems: the one table from an error's kind to a status.

use super::{Fault, Kind, Problem};
use crate::error::{Blocking, Error, Rule, SchemaEditError, Shown, Violation};
use crate::server::table::pointer_step;
use axum::http::header::RETRY_AFTER;
use dbgen_schema::{Diagnostics, Severity};
use serde_json::{Value as Json, json};

/// Seconds after which a client that met a full queue may try again. The queue holds what the engine does in far less.
const RETRY_AFTER_SECONDS: &str = "1";

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let sentence = error.to_string();
        let of = |kind| Problem::new(kind, sentence.clone());
        match error {
            Error::NotFound { stale, .. } => of(Kind::RecordNotFound).member("deleted", stale),
            Error::UnknownTable { suggestion, .. } => suggested(of(Kind::UnknownTable), suggestion),
            Error::UnknownField { suggestion, .. } => suggested(of(Kind::FieldNotFound), suggestion),
            Error::Invalid(violations) => of_violations(&violations),
            Error::Restricted { blocking, .. } => {
                of(Kind::Restricted).member("blocking", blocking.iter().map(blocking_json).collect::<Vec<_>>())
            }
            Error::VersionMismatch { current, .. } => of(Kind::PreconditionFailed).member("current_version", current),
            Error::Schema(wrong) => of_diagnostics(&wrong, ""),
            Error::SchemaEdit(refused) => of_refused_edit(&refused, sentence),
            Error::Unsupported { .. } => of(Kind::Unsupported),
            Error::Full { .. } => of(Kind::Full),
            Error::Aborted(source) => match source.downcast::<Problem>() {
                Ok(problem) => *problem,
                Err(source) => Problem::new(Kind::Aborted, source.to_string()),
            },
            Error::HandlersNested { .. } => of(Kind::Aborted),
            Error::UnknownProcedure { suggestion, .. } => suggested(of(Kind::MethodNotFound), suggestion),
            Error::Arguments { .. } => of(Kind::InvalidArguments),
            Error::QueueFull { .. } => of(Kind::QueueFull).header(RETRY_AFTER, RETRY_AFTER_SECONDS),
            Error::Stopped => of(Kind::Stopped).header(RETRY_AFTER, RETRY_AFTER_SECONDS),
            Error::ReadOnly { .. } => of(Kind::ReadOnly),
            Error::NoDataDir => of(Kind::NoDataFolder),
            Error::TimedOut(_) => {
                Problem::new(Kind::TimedOut, format!("{sentence}; the request may still be executed"))
            }
            // What remains is no client's fault: it is told to the log, not to the client.
            other => internal(&other),
        }
    }
}

/// So that a transaction's closure can fail with a problem.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::abort(problem)
    }
}

impl Problem {
    /// The problem of an edit of the schema. Pointers into the schema become pointers into the body, which is what stands at
    /// `base` there.
    pub(crate) fn of_edit(error: Error, base: &str) -> Problem {
        match error {
            Error::Schema(wrong) => of_diagnostics(&wrong, base),
            other => other.into(),
        }
    }
}

/// A failure that the client can do nothing about.
pub(crate) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a request failed");
    Problem::new(Kind::Internal, "the server failed; its log says why under this request's id")
}

fn suggested(problem: Problem, suggestion: Option<String>) -> Problem {
    match suggestion {
        Some(name) => problem.member("suggestion", name),
        None => problem,
    }
}

fn of_violations(violations: &[Violation]) -> Problem {
    let faults: Vec<Fault> = violations.iter().map(fault).collect();
    let is_conflict = |v: &Violation| matches!(v.rule, Rule::Unique { .. } | Rule::Reference { .. });
    let otherwise = if violations.iter().all(is_conflict) { Kind::Constraint } else { Kind::InvalidRecord };
    let problem = Problem::of_faults(otherwise, faults);
    let existing = violations.iter().find_map(|violation| match &violation.rule {
        Rule::Unique { existing, .. } => Some(existing.get()),
        _ => None,
    });
    match existing {
        Some(id) => problem.member("existing", id),
        None => problem,
    }
}

fn fault(violation: &Violation) -> Fault {
    let (kind, expected) = match &violation.rule {
        Rule::NotNull => (Kind::NotNullable, None),
        Rule::Type { expected } => (Kind::WrongType, Some(expected.clone())),
        Rule::OutOfRange { min, max } => (Kind::OutOfRange, Some(format!("from {} to {}", Shown(min), Shown(max)))),
        Rule::TooLong { max, .. } => (Kind::TooLong, Some(format!("at most {max} bytes"))),
        Rule::NotANumber => (Kind::InvalidValue, Some("a finite number".to_owned())),
        Rule::Unique { .. } => (Kind::Unique, None),
        Rule::Reference { to_table } => {
            (Kind::UnknownReference, Some(format!("the `_id` of a record of `{to_table}`")))
        }
        Rule::Immutable => (Kind::Immutable, None),
        Rule::UnknownField { .. } => (Kind::UnknownField, None),
    };
    // An index over several fields is pointed at by its first.
    let field = violation.field.split(',').next().unwrap_or_default().trim();
    Fault {
        pointer: format!("#/{field}"),
        code: kind.code(),
        detail: violation.to_string(),
        expected,
        suggestion: None,
    }
}

fn blocking_json(blocking: &Blocking) -> Json {
    let sample: Vec<u64> = blocking.sample_ids.iter().map(|id| id.get()).collect();
    json!({ "relation": blocking.relation, "table": blocking.table, "count": blocking.count, "sample_ids": sample })
}

fn of_refused_edit(refused: &SchemaEditError, sentence: String) -> Problem {
    let kind = match refused {
        SchemaEditError::SchemaChanged { .. } => Kind::PreconditionFailed,
        SchemaEditError::TableExists { .. } => Kind::TableExists,
        SchemaEditError::FieldExists { .. } => Kind::FieldExists,
        SchemaEditError::Compiled { .. } => Kind::Compiled,
        SchemaEditError::TableReferenced { .. } => Kind::TableReferenced,
        SchemaEditError::FieldUsed { .. } => Kind::FieldUsed,
        SchemaEditError::DefaultRequired { .. } => Kind::DefaultRequired,
        SchemaEditError::UnknownRelation { .. } => Kind::RelationNotFound,
        SchemaEditError::RelationExists { .. } => Kind::RelationExists,
        SchemaEditError::IndexExists { .. } => Kind::IndexExists,
        SchemaEditError::UnknownIndex { .. } => Kind::IndexNotFound,
        SchemaEditError::IndexNeeded { .. } => Kind::IndexNeeded,
        SchemaEditError::TypeExists { .. } => Kind::TypeExists,
        SchemaEditError::UnknownType { .. } => Kind::TypeNotFound,
        SchemaEditError::TypeUsed { .. } => Kind::TypeUsed,
        SchemaEditError::MemberExists { .. } => Kind::FieldExists,
        SchemaEditError::UnknownMember { .. } => Kind::FieldNotFound,
        SchemaEditError::NotAlterable { .. } => Kind::NotAlterable,
        SchemaEditError::WrittenUnchecked { .. } => Kind::Compiled,
        SchemaEditError::RecordsInTheWay { .. } => Kind::RecordsInTheWay,
    };
    let problem = Problem::new(kind, sentence);
    match refused {
        SchemaEditError::NotAlterable { member, .. } => problem.pointed_at(format!("#/{}", pointer_step(member))),
        SchemaEditError::TableReferenced { by, .. }
        | SchemaEditError::FieldUsed { by, .. }
        | SchemaEditError::TypeUsed { by, .. }
        | SchemaEditError::IndexNeeded { by, .. } => problem.member("blocking", by.clone()),
        SchemaEditError::UnknownIndex { suggestion, .. }
        | SchemaEditError::UnknownType { suggestion, .. }
        | SchemaEditError::UnknownMember { suggestion, .. } => suggested(problem, suggestion.clone()),
        SchemaEditError::RecordsInTheWay { records, first } => {
            let mut ids: Vec<u64> = first.iter().filter_map(|violation| violation.id).map(|id| id.get()).collect();
            ids.dedup();
            problem.member("offending_ids", ids).member("offending_records", *records)
        }
        _ => problem,
    }
}

/// What is wrong with the schema that a request would have made.
fn of_diagnostics(wrong: &Diagnostics, base: &str) -> Problem {
    // A warning refuses nothing, and may be about what this request does not speak of.
    let errors = wrong.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let faults = errors.map(|diagnostic| Fault {
        pointer: match diagnostic.pointer.strip_prefix(base).unwrap_or(&diagnostic.pointer) {
            // What stands at the base itself is there under its name.
            "" => "#/name".to_owned(),
            inside => format!("#{inside}"),
        },
        code: diagnostic.code,
        detail: diagnostic.message.clone(),
        expected: diagnostic.help.clone(),
        suggestion: diagnostic.help.as_deref().and_then(meant),
    });
    let faults: Vec<Fault> = faults.collect();
    let told = |fault: &Fault| {
        let at = fault.pointer.trim_start_matches("#/");
        let help = fault.expected.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        format!("`{at}`: {}{help}", fault.detail)
    };
    let detail = faults.iter().map(told).collect::<Vec<_>>().join("; ");
    let mut problem = Problem::of_faults(Kind::InvalidSchema, faults);
    problem.0.detail = detail;
    problem
}

/// The name that the help of a diagnostic proposes.
fn meant(help: &str) -> Option<String> {
    let (name, _) = help.strip_prefix("did you mean `")?.split_once('`')?;
    Some(name.to_owned())
}
