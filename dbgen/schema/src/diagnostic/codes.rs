//! THE table of codes: every kind of mistake, with what a person wants to know who meets it for the first time.
//!
//! A check can only report a code of this table, so none is without its explanation.

/// One kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str);

/// The long explanation of a code, with or without the `dbgen::` in front; `None`: there is no such code.
pub fn explain(code: &str) -> Option<&'static str> {
    let name = code.strip_prefix("dbgen::").unwrap_or(code);
    code::TABLE.iter().find(|(code, _)| code.0 == name).map(|(_, text)| text.trim())
}

/// All codes, in the order of the table.
pub fn codes() -> impl Iterator<Item = &'static str> {
    code::TABLE.iter().map(|(code, _)| code.0)
}

macro_rules! codes {
    ($($constant:ident = $name:literal: $text:literal;)*) => {
        pub(crate) mod code {
            use super::Code;

            $(pub(crate) const $constant: Code = Code($name);)*
            pub(super) const TABLE: &[(Code, &str)] = &[$(($constant, $text)),*];
        }
    };
}

codes! {
    // Files and syntax

    FILE_UNREADABLE = "file_unreadable": "
The file could not be read: it is not there, or the system does not allow it. The message ends with the system's reason.";
    FILE_TOO_LARGE = "file_too_large": "
A schema file may have 16 MiB. The schema of a large shipping game has a few hundred KiB: what is this large is data,
not a schema.";
    UNKNOWN_FORMAT = "unknown_format": "
The extension of the file's name says how to read it: `.json` or `.toml`.";
    NOT_UTF8 = "not_utf8": "
Schemas are UTF-8. Most editors can save a file \"with encoding\" UTF-8.";
    SYNTAX_ERROR = "syntax_error": "
The file is not JSON, or not TOML. Nothing behind this place was read, so there may be more to say once it is mended.";
    COMMENT_IN_JSON = "comment_in_json": "
JSON has no comments. Tables, fields, types and enums take a `description`, which also becomes the documentation of the
generated code. A schema that wants comments can be written in TOML, which has them.";
    TRAILING_COMMA = "trailing_comma": "
JSON has no comma behind the last element of a list or an object.";
    NESTED_TOO_DEEP = "nested_too_deep": "
Objects and lists of a file may nest 64 deep, types 32 deep. A type counts with all that it holds: `list<list<Vec3>>`
is four deep.";
    DUPLICATE_KEY = "duplicate_key": "
One object has the same key twice. Readers of JSON differ in which of the two they take, so neither is taken. The second
place is where the caret stands, the first is shown beside it.";
    UNKNOWN_KEY = "unknown_key": "
The schema language has no such key here. It is most likely misspelt; if it is, the nearest one is offered. Nothing that a
schema says is ever silently ignored.";
    MISSING_KEY = "missing_key": "
This object needs a key that it does not have. Every table and composite has `fields`, every enum `variants`, every field
a `name` and a `type`, the schema itself a `name`.";
    WRONG_KIND = "wrong_kind": "
The key takes another kind of value. `fields`, `indexes`, `variants` and `relations` are lists; `tables`, `custom_types`
and `enums` are objects that hold each one under its name; flags like `unique` are `true` or `false` without quotes.";
    NUMBER_OUT_OF_RANGE = "number_out_of_range": "
The number does not fit what it is for. `capacity` and `id` are whole numbers of 32 bits; the `number` of a variant is at
most 255 in an enum of up to 256 variants, which is stored in one byte.";
    UNKNOWN_WORD = "unknown_word": "
The key takes one of a few words: `durability` takes `log`, `snapshot` or `none`; `kind` takes `btree` or `hash`;
`on_delete` takes `restrict`, `cascade` or `set_null`.";
    TOO_MANY = "too_many": "
A schema has at most 4096 tables, types and enums, a table 1024 fields, 64 indexes and 64 column groups, an index 8
fields, an enum 4096 variants.";
    INVALID_VERSION = "invalid_version": "
The version is for people, so any short text without white space will do: `1.0.0`, `2026-07-beta`.";

    // Names

    INVALID_NAME = "invalid_name": "
A name is a letter followed by letters, digits and underscores; letters are A-Z and a-z. Names become identifiers in
Rust and parts of addresses in the server.";
    NAME_TOO_LONG = "name_too_long": "
A name has at most 63 bytes.";
    RESERVED_NAME = "reserved_name": "
Names that begin with an underscore are the system's: every record has its `_id` and its `_version`. A field of your own
may well be called `id`.";
    DUPLICATE_NAME = "duplicate_name": "
Two things of a kind have the same name. Tables have names among each other, composites and enums together too, and the
database itself shares both sets, since it becomes a Rust type beside theirs. Indexes have names within their table,
relations within the schema. An index that follows from `unique`, `indexed`, a primary key or a reference is called `by_` and the field's name.";
    NAME_CLASH = "name_clash": "
Two names are different, but not where they are used. Rust writes tables and types as `ItemStack`, fields as `item_stack`:
`itemStack` and `item_stack` become one. Names that differ only by case are refused too, since people and some file
systems do not tell them apart.";
    RENAMED_FROM = "renamed_from": "
`renamed_from` tells a migration which table or field of before this one was. So that name must be free now, and only one
may have had it.";
    DUPLICATE_ID = "duplicate_id": "
Stable ids tell tables, and fields within a table, apart for ever: through renames and in stored data. Two cannot share
one. Normally nobody writes ids by hand; the lock file keeps them.";

    // Types

    UNKNOWN_TYPE = "unknown_type": "
There is no type of this name. The language has

    i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 bool timestamp duration uuid
    str<16>      text of up to 16 bytes, in the record
    text         text of any length
    bytes<16>    exactly 16 bytes, in the record
    bytes        bytes of any length
    [u16; 8]     exactly 8 of a type, in the record
    list<u16>    any number of a type
    ref<guild>   the id of a record of a table

and the `custom_types` and `enums` of the schema. Names are case sensitive.";
    MALFORMED_TYPE = "malformed_type": "
The text is not how a type is written. Lengths and inner types stand in angle brackets, `str<16>`, `list<u8>`; a fixed
number of values in square ones, `[u8; 4]`. That a field may be empty is said beside the type: `\"nullable\": true`.";
    ZERO_LENGTH = "zero_length": "
A text, bytes or an array of length 0 could hold nothing.";
    LENGTH_TOO_LARGE = "length_too_large": "
`str<N>` and `bytes<N>` have at most 65,535 bytes, `[T; N]` at most 65,536 elements; and a whole record has at most
65,536 bytes. For more use `text`, `bytes` and `list<T>`, which live outside the record.";
    EMPTY_TYPE = "empty_type": "
A composite without fields and an enum without variants have no values.";
    TYPE_CYCLE = "type_cycle": "
A type that holds itself, even through a list, has no end. Trees and graphs are tables: give the node a table of its own
with a `ref` to its parent.";
    NESTED_REF = "nested_ref": "
A reference is kept whole by the engine: it is checked when it is written, and `on_delete` says what happens when the
record it names is deleted. Both need an index on the field, so a `ref` must be the whole type of a table's field. For
many references from one record use a table of its own that refers to both sides; for an id that nobody keeps whole, use
`u64`.";
    RECORD_TOO_LARGE = "record_too_large": "
A record has at most 65,536 bytes, all column groups together; so has a composite, and an enum with its payload. Long
texts and lists belong in `text`, `bytes` and `list<T>`, of which the record holds only 8 bytes.";
    FIRST_VARIANT = "first_variant": "
The first variant of an enum has the number 0. Fresh memory is zero, and must be a valid value.";
    DUPLICATE_NUMBER = "duplicate_number": "
Two variants of an enum have the same number. A variant without a `number` takes one more than the one before it.";

    // Fields

    UNKNOWN_FIELD = "unknown_field": "
The table, or the composite, has no field of this name.";
    UNKNOWN_VARIANT = "unknown_variant": "
The enum has no variant of this name or number.";
    VALUE_OUT_OF_RANGE = "value_out_of_range": "
The number does not fit the field's type, or its `min` and `max`.";
    VALUE_TOO_LONG = "value_too_long": "
The value does not have the length that the type asks for. Texts are measured in bytes of UTF-8, and never cut.";
    NULL_VALUE = "null_value": "
Null, where the field is not nullable.";
    INVALID_VALUE = "invalid_value": "
The value is not one of the field's type. Values in a schema are written as the server writes them: times as RFC 3339,
durations in seconds, bytes in base64, enums by name, composites as objects.";
    BOUND_NOT_ALLOWED = "bound_not_allowed": "
`min` and `max` are for integers, floats, timestamps and durations. The length of a text is bounded by its type, `str<16>`.";
    BOUNDS_REVERSED = "bounds_reversed": "
No value is at least `min` and at most `max`.";
    DEFAULT_NOT_ALLOWED = "default_not_allowed": "
A reference has no default: which records there will be is not known when the schema is written.";
    DEFAULT_OF_UNIQUE = "default_of_unique": "
A warning: the first record that does not give this field gets the default, and the second one collides with it.";
    ALLOW_NAN = "allow_nan": "
`allow_nan` lets NaN and infinities into a float field, or one of lists of floats. Other types have no such values.";
    AUTO_INCREMENT = "auto_increment": "
An `auto_increment` field takes the next number when a record does not give one. So it is an integer, never null, and has
no default.";
    NULLABLE_PRIMARY_KEY = "nullable_primary_key": "
A primary key is unique, never null and never changed. A value that may be missing can be `unique`.";
    PRIMARY_KEYS = "primary_keys": "
A table has one field as its primary key at most. A key of several fields is a unique index over them:

    \"indexes\": [{ \"fields\": [\"player\", \"slot\"], \"unique\": true }]";

    // Tables

    UNKNOWN_TABLE = "unknown_table": "
The schema has no table of this name.";
    PARENT_CYCLE = "parent_cycle": "
A component table keeps at most one record per record of its `parent_table`, and is deleted with it. Going from parent to
parent must come to an end.";
    SCHEDULE_FIELD = "schedule_field": "
A timer table says when its records fall due in a field of type `timestamp`, and how long until they do so again in a
field of type `duration`.";
    CAPACITY_TOO_LARGE = "capacity_too_large": "
`capacity` makes room when the database opens: this many records would take more than a terabyte. It is no bound: tables
grow as they need.";

    // Indexes

    EMPTY_INDEX = "empty_index": "
An index orders records by at least one field.";
    INDEX_FIELD_TWICE = "index_field_twice": "
The second time, the field adds nothing to the order.";
    NOT_INDEXABLE = "not_indexable": "
Indexes, and so `unique`, `primary_key`, `indexed` and foreign keys, need values that have an order: numbers, times, bool,
`str<N>`, `text`, `bytes<N>`, `uuid`, references, enums without payloads. Lists, arrays, composites, enums with payloads
and `bytes` have none.";
    DUPLICATE_INDEX = "duplicate_index": "
Two indexes of the same kind over the same fields in the same order do the same work twice, at every write.";

    // Relations

    MALFORMED_PATH = "malformed_path": "
A path to a field is the table's name, a dot, and the field's name: `player.guild`.";
    RELATION_MISMATCH = "relation_mismatch": "
A relation gives a reference a name and a rule. What the field refers to is said by its type or its `foreign_key`, and
the relation must say the same.";
    DUPLICATE_RELATION = "duplicate_relation": "
A field refers to one thing, so it has one relation.";
    FOREIGN_KEY = "foreign_key": "
A foreign key holds the value of a field of another table, and by that value names one record. So both fields have the
same type, and the one referred to is `unique` or the primary key: `\"foreign_key\": \"guild.id\"`. To refer to a record
by its own id, which needs no field at all, give the field the type `ref<guild>`.";
    ON_DELETE = "on_delete": "
`on_delete` says what deleting a record does to those that refer to it: `restrict` refuses the deletion, `cascade` deletes
them too, `set_null` empties their field, which must be nullable. It stands on the referring field or on its relation; on
both, it must be the same.";
    REFERENCE_CYCLE = "reference_cycle": "
Tables refer to each other, or one to itself, in fields that may never be null. The first record would need one that is
not there yet; and if there were any, none could be deleted while the others stand. Make one of the fields nullable, and
set it when both records are there.";
    DURABILITY = "durability": "
A table that survives a restart refers to one that survives less, and restricts deletion: after a restart it could name
records that are gone. With `on_delete` `set_null` or `cascade`, recovery knows what to do with them.";

    // Lock files

    LOCK_VERSION = "lock_version": "
The lock file was written by another version of dbgen, in a format that this one does not know.";
    LOCK_ENTRY = "lock_entry": "
A lock file keeps the id of every table, field and variant. `dbgen lock` writes it; whoever edits it by hand, or merges two
of them, must keep its form: whole numbers for ids, 16 hexadecimal digits for the fingerprint.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_once() {
        let mut names: Vec<&str> = codes().collect();
        assert!(names.iter().all(|name| explain(name).is_some_and(|text| text.len() > 20)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes().count());
        assert_eq!(explain("dbgen::unknown_type"), explain("unknown_type"));
        assert_eq!(explain("no_such_code"), None);
    }
}
