//! Why an edit of the schema is refused.

use super::hint;
use super::rule::{Sentences, Violation};

/// Why a change to the schema is not allowed while the database runs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaEditError {
    /// Another edit came first, and this one was meant for the schema as it was.
    #[error("the schema was edited meanwhile: it is version {now} now, and was {meant}")]
    SchemaChanged {
        /// The version that the edit was meant for.
        meant: u64,
        /// The version that there is now.
        now: u64,
    },
    /// There is one already.
    #[error("there is a table `{table}` already")]
    TableExists {
        /// The name.
        table: String,
    },
    /// There is one already.
    #[error("table `{table}` has a field `{field}` already")]
    FieldExists {
        /// The table.
        table: String,
        /// The field.
        field: String,
    },
    /// Generated code depends on it.
    #[error("`{what}` is compiled into this program: change the schema file and build again")]
    Compiled {
        /// The table, field or relation.
        what: String,
    },
    /// Others refer to it.
    #[error("table `{table}` is referred to by {}", .by.join(", "))]
    TableReferenced {
        /// The table.
        table: String,
        /// The relations, as `table.field`.
        by: Vec<String>,
    },
    /// An index or a relation uses the field.
    #[error("field `{field}` of `{table}` is used by {}", .by.join(", "))]
    FieldUsed {
        /// The table.
        table: String,
        /// The field.
        field: String,
        /// The indexes and relations.
        by: Vec<String>,
    },
    /// The table holds records and the new field has no value for them.
    #[error("table `{table}` holds {records} records: the new field `{field}` needs a default, or to be nullable")]
    DefaultRequired {
        /// The table.
        table: String,
        /// The field.
        field: String,
        /// Records that would lack a value.
        records: usize,
    },
    /// There is none of this name.
    #[error("there is no relation `{name}`")]
    UnknownRelation {
        /// The name asked for.
        name: String,
    },
    /// There is one already.
    #[error("there is a relation `{name}` already")]
    RelationExists {
        /// The name.
        name: String,
    },
    /// There is one already.
    #[error("table `{table}` has an index `{index}` already")]
    IndexExists {
        /// The table.
        table: String,
        /// The name.
        index: String,
    },
    /// There is none of this name.
    #[error("table `{table}` has no index `{name}`{}", hint(.suggestion))]
    UnknownIndex {
        /// The table.
        table: String,
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// Something else would not work without the index.
    #[error("index `{index}` of `{table}` is needed by {}", .by.join(", "))]
    IndexNeeded {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// What needs it.
        by: Vec<String>,
    },
    /// There is one already.
    #[error("there is a type `{name}` already")]
    TypeExists {
        /// The name.
        name: String,
    },
    /// There is none of this name.
    #[error("there is no type `{name}`{}", hint(.suggestion))]
    UnknownType {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// Something is made of it.
    #[error("type `{name}` is used by {}", .by.join(", "))]
    TypeUsed {
        /// The type.
        name: String,
        /// The fields, as `table.field`, and parts of other types, as `Type.member`.
        by: Vec<String>,
    },
    /// There is one already.
    #[error("type `{name}` has a member `{member}` already")]
    MemberExists {
        /// The type.
        name: String,
        /// The variant or field.
        member: String,
    },
    /// There is none of this name.
    #[error("type `{name}` has no member `{member}`{}", hint(.suggestion))]
    UnknownMember {
        /// The type.
        name: String,
        /// The name asked for.
        member: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// This part of a definition does not change, or not like this.
    #[error("{}", not_alterable_sentence(.what, .member))]
    NotAlterable {
        /// The table, or `table.field`.
        what: String,
        /// The member of its definition; empty = the change is no object.
        member: String,
    },
    /// Generated code writes the field without asking, so what the edit asks for could not be kept.
    #[error(
        "compiled code writes `{table}.{field}` without a check: put the index, bounds or relation into the schema file \
         and build again"
    )]
    WrittenUnchecked {
        /// The table.
        table: String,
        /// The field.
        field: String,
    },
    /// Records break what the edit asks for.
    #[error("{records} {} in the way: {}", if *.records == 1 { "record is" } else { "records are" }, Sentences(.first))]
    RecordsInTheWay {
        /// How many.
        records: usize,
        /// What is wrong with the first of them, in the order in which they lie.
        first: Vec<Violation>,
    },
}

fn not_alterable_sentence(what: &str, member: &str) -> String {
    match member {
        "" => format!("a change of `{what}` is an object with what changes"),
        member => format!("`{member}` of `{what}` cannot be changed like this"),
    }
}
