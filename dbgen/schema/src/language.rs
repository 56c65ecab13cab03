//! THE table of the schema language: every key that may stand in a schema file, and what it takes.
//!
//! Reading a file ([`crate::raw`]), the "did you mean" of a misspelt key, and the JSON Schema that editors use
//! ([`crate::json_schema`]) all read it. A key that is added here must be read in `raw`, and is then known everywhere.

use crate::limits;

/// The keys that one kind of object takes.
pub(crate) struct Section {
    /// What the object is: `a field of a table`.
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// One sentence for editors.
    pub(crate) doc: &'static str,
    /// What people call it who come from another language.
    pub(crate) also: &'static [&'static str],
}

/// What a key takes.
pub(crate) enum Shape {
    /// Any string.
    Text,
    /// A name by the rules of [`crate::ident`].
    Name,
    /// A type: `list<u16>`.
    Type,
    /// `table` or `table.field`.
    Path,
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second, both included.
    Count(u32, u32),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A value of the field's type.
    Value,
    /// A list of names of fields.
    Names,
    /// An object.
    One(&'static Section),
    /// A list of objects.
    Many(&'static Section),
    /// An object of objects, each under its name.
    Map(&'static Section),
    /// A list of strings, or of objects.
    NamesOrMany(&'static Section),
}

/// Keys that other languages have, and what says the same here: per section, by what it is.
const INSTEAD: &[(&str, &str, &str)] = &[
    (
        "a schema",
        "properties",
        "this is JSON Schema; tables are declared as `\"tables\": { \"player\": { \"fields\": [ ... ] } }`",
    ),
    ("a schema", "title", "the database's name is `\"name\": \"arena\"`"),
    ("a table", "primary_key", "say `\"primary_key\": true` at the field; for several fields write a unique index"),
    ("a table", "unique", "say `\"unique\": true` at the field; for several fields write a unique index"),
    ("a table", "foreign_key", "say `\"foreign_key\": \"guild.id\"` at the field"),
    ("a table", "foreign_keys", "say `\"foreign_key\": \"guild.id\"` at the field"),
    ("a table", "name", "its name is the key that it stands under: `\"tables\": { \"player\": { ... } }`"),
    ("a table", "public", "who may read is the server's business: `dbgen serve --help`"),
    ("an enum", "name", "its name is the key that it stands under: `\"enums\": { \"Class\": { ... } }`"),
    ("an enum", "reserved", "the lock file remembers the numbers of what is gone: `dbgen lock`"),
    ("an enum", "type", "how many bytes a value takes follows from the number of variants"),
    ("a composite type", "name", "its name is the key that it stands under: `\"custom_types\": { \"Vec3\": { ... } }`"),
    ("a field of a table", "check", "bounds are `\"min\": 0` and `\"max\": 100`"),
    ("a field of a table", "number", "numbers of fields are kept in the lock file: `dbgen lock`"),
    ("a field of a table", "tag", "numbers of fields are kept in the lock file: `dbgen lock`"),
    ("a field of a table", "length", "lengths are part of the type: `str<16>`"),
    ("a field of a table", "size", "lengths are part of the type: `str<16>`"),
    ("a field of a table", "enum", "declare the values under `enums` and give the field that name as its type"),
    ("a field of a table", "items", "what a list holds is part of its type: `list<u16>`"),
];

impl Section {
    /// What says the same as a key, in small letters, that this section does not have.
    pub(crate) fn instead_of(&self, key: &str) -> Option<&'static str> {
        INSTEAD.iter().find(|(what, name, _)| *what == self.what && *name == key).map(|(_, _, instead)| *instead)
    }

    /// What to write where an object of this section was expected.
    pub(crate) fn as_object(&self) -> String {
        let example = self.example();
        let example = if example.is_empty() { String::new() } else { format!(": `{example}`") };
        format!("this is where {} is described{example}", self.what)
    }

    /// What to write where a list of such objects was expected.
    pub(crate) fn as_list(&self) -> String {
        match self.example() {
            "" => "write it in brackets: `[ ... ]`".to_string(),
            example => format!("write a list: `[{example}, ...]`"),
        }
    }

    fn example(&self) -> &'static str {
        match self.what {
            "a field of a table" | "a field of a composite type" => "{ \"name\": \"hp\", \"type\": \"i32\" }",
            "a variant of an enum" => "{ \"name\": \"mage\", \"number\": 1 }",
            "an index" => "{ \"fields\": [\"class\", \"hp\"] }",
            "an enum" => "{ \"variants\": [\"warrior\", \"mage\"] }",
            "a table" | "a composite type" => "{ \"fields\": [ ... ] }",
            "a relation" => "{ \"from\": \"player.guild\", \"to\": \"guild\" }",
            "a schedule" => "{ \"at\": \"fires_at\", \"procedure\": \"despawn\" }",
            _ => "",
        }
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(crate) const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, required: false, doc, also: &[] }
}

pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, required: true, doc, also: &[] }
}

impl Key {
    const fn also(self, also: &'static [&'static str]) -> Key {
        Key { also, ..self }
    }
}

const DESCRIPTION: Key =
    key("description", Shape::Text, "What it is for; becomes the documentation of generated code.");

pub(crate) static ROOT: Section = Section {
    what: "a schema",
    keys: &[
        key("$schema", Shape::Text, "Where editors find the JSON Schema of this language."),
        key("name", Shape::Name, "The database: names the generated module and its facade."),
        key("version", Shape::Text, "Your version of the schema, for people."),
        DESCRIPTION,
        key("database", Shape::One(&DATABASE), "The same three, as TOML likes to group them."),
        key("custom_types", Shape::Map(&COMPOSITE), "Types made of named fields: `Vec3`.").also(&[
            "types",
            "structs",
            "composites",
            "messages",
            "objects",
        ]),
        key("enums", Shape::Map(&ENUM), "Types with a fixed set of named values: `Class`.")
            .also(&["enumerations", "unions"]),
        key("tables", Shape::Map(&TABLE), "The tables.").also(&["entities", "collections", "models", "table"]),
        key("relations", Shape::Many(&RELATION), "References that want a name or a rule for deletion.").also(&[
            "references",
            "relationships",
            "foreign_keys",
        ]),
    ],
};

pub(crate) static DATABASE: Section = Section {
    what: "the database",
    keys: &[
        key("name", Shape::Name, "The database: names the generated module and its facade."),
        key("version", Shape::Text, "Your version of the schema, for people."),
        DESCRIPTION,
    ],
};

pub(crate) static COMPOSITE: Section = Section {
    what: "a composite type",
    keys: &[
        DESCRIPTION,
        required("fields", Shape::Many(&COMPOSITE_FIELD), "Its fields, in the order they are stored.").also(&[
            "members",
            "properties",
            "columns",
        ]),
    ],
};

pub(crate) static ENUM: Section = Section {
    what: "an enum",
    keys: &[
        DESCRIPTION,
        required("variants", Shape::NamesOrMany(&VARIANT), "Its variants; the first one is what zeroed memory means.")
            .also(&["values", "members", "cases", "symbols"]),
    ],
};

pub(crate) static VARIANT: Section = Section {
    what: "a variant of an enum",
    keys: &[
        required("name", Shape::Name, "Its name."),
        key("number", Shape::Count(0, u16::MAX as u32), "The number that is stored; one more than the one before.")
            .also(&["value", "id", "tag", "discriminant"]),
        key("payload", Shape::Type, "The type of what comes with it.").also(&["type", "data", "fields"]),
        DESCRIPTION,
    ],
};

pub(crate) static TABLE: Section = Section {
    what: "a table",
    keys: &[
        DESCRIPTION,
        required("fields", Shape::Many(&FIELD), "Its fields, in the order they are stored.").also(&[
            "columns",
            "properties",
            "attributes",
        ]),
        key("indexes", Shape::Many(&INDEX), "Indexes over several fields, or of another kind.")
            .also(&["indices", "index", "keys"]),
        key("capacity", Shape::Count(0, u32::MAX), "Records to make room for when the database opens.")
            .also(&["size", "reserve", "rows"]),
        key("durability", Shape::Word(&["log", "snapshot", "none"]), "How much of it survives a restart.")
            .also(&["persistence", "storage"]),
        key("require_if_match", Shape::Flag, "Whether HTTP changes a record only under `If-Match`: no update is lost.")
            .also(&["if_match", "optimistic_locking"]),
        key("parent_table", Shape::Name, "Makes it a component table: at most one record per record of that table.")
            .also(&["parent", "component_of", "extends"]),
        key("schedule", Shape::One(&SCHEDULE), "Makes it a timer table: records call a procedure when they fall due.")
            .also(&["timer", "scheduled"]),
        key("renamed_from", Shape::Name, "The name it had before, so that its data is kept.").also(&[
            "old_name",
            "was",
            "previously",
        ]),
        key("id", Shape::Count(1, u32::MAX), "Its stable id; normally kept in the lock file."),
    ],
};

const TYPE_DOC: &str = "What it holds: `i32`, `str<16>`, `list<u16>`, `ref<guild>`, a custom type or enum.";

macro_rules! field_section {
    ($what:literal, $($more:expr),* $(,)?) => {
        Section {
            what: $what,
            keys: &[
                required("name", Shape::Name, "Its name."),
                required("type", Shape::Type, TYPE_DOC).also(&["ty", "kind", "data_type"]),
                DESCRIPTION,
                key("nullable", Shape::Flag, "Whether it may hold nothing.")
                    .also(&["optional", "null", "option", "not_null", "required"]),
                key("default", Shape::Value, "The value of a record that does not give one.")
                    .also(&["value", "initial"]),
                key("min", Shape::Value, "The smallest value allowed.").also(&["minimum", "from"]),
                key("max", Shape::Value, "The largest value allowed.").also(&["maximum", "to"]),
                key("allow_nan", Shape::Flag, "Whether NaN and infinities may be stored (floats only)."),
                $($more,)*
                key("renamed_from", Shape::Name, "The name it had before, so that its data is kept.")
                    .also(&["old_name", "was", "previously"]),
                key("id", Shape::Count(1, u32::MAX), "Its stable id; normally kept in the lock file."),
            ],
        }
    };
}

pub(crate) static COMPOSITE_FIELD: Section = field_section!["a field of a composite type",];

pub(crate) static FIELD: Section = field_section![
    "a field of a table",
    key("unique", Shape::Flag, "Whether no two records may hold the same value."),
    key("primary_key", Shape::Flag, "Unique, never null, never changed.").also(&["pk", "primary", "key", "is_primary"]),
    key("indexed", Shape::Flag, "Whether it has an index of its own.").also(&["index", "btree", "hash"]),
    key("auto_increment", Shape::Flag, "Whether it takes the next number when a record does not give one.")
        .also(&["auto_inc", "serial", "identity", "sequence"]),
    key("group", Shape::Name, "The column group it lives in: fields of a hot loop together, apart from the others.")
        .also(&["column_group", "family"]),
    key("foreign_key", Shape::Path, "The unique field of another table, `table.field`, whose value it holds.").also(&[
        "references",
        "ref",
        "refers_to",
        "relation",
        "fk"
    ]),
    key("on_delete", Shape::Word(&["restrict", "cascade", "set_null"]), "What deleting the record it refers to does.")
        .also(&["ondelete", "delete"]),
];

pub(crate) static INDEX: Section = Section {
    what: "an index",
    keys: &[
        key("name", Shape::Name, "Its name; `by_` and the names of its fields if left out."),
        required("fields", Shape::Names, "The fields of its key, most significant first.")
            .also(&["columns", "field", "on"]),
        key("kind", Shape::Word(&["btree", "hash"]), "By order (default), or by equality alone.").also(&[
            "type",
            "method",
            "using",
            "algorithm",
        ]),
        key("unique", Shape::Flag, "Whether no two records may have the same key."),
    ],
};

pub(crate) static RELATION: Section = Section {
    what: "a relation",
    keys: &[
        key("name", Shape::Name, "Its name; the table and the field if left out."),
        required("from", Shape::Path, "The referring field: `player.guild`.").also(&["source", "child"]),
        required("to", Shape::Path, "The table referred to, or its unique field: `guild`, `guild.id`.").also(&[
            "target",
            "references",
            "parent",
        ]),
        key(
            "on_delete",
            Shape::Word(&["restrict", "cascade", "set_null"]),
            "What deleting the record referred to does.",
        ),
    ],
};

pub(crate) static SCHEDULE: Section = Section {
    what: "a schedule",
    keys: &[
        required("at", Shape::Name, "The timestamp field that says when.").also(&["on", "when", "time", "due"]),
        key("every", Shape::Name, "The duration field that says how long until it falls due again.")
            .also(&["interval", "period", "repeat"]),
        required("procedure", Shape::Name, "The procedure to call.").also(&["call", "calls", "function", "reducer"]),
    ],
};

const _: () = assert!(limits::NAME_BYTES_MAX == 63, "the JSON Schema's pattern for names says 62 after the first");
