//! The JSON Schema of the schema language, for editors: completion, and a first check while typing.
//!
//! Made from [`crate::language`], so that it cannot say something else than the compiler. It is the outer check only: that
//! names exist and values fit is the compiler's to say.

use crate::field_type::SCALARS;
use crate::language::{self, Key, Section, Shape};
use crate::write::Doc;

const NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_]{0,62}$";
const PATH_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_]{0,62}(\\.[A-Za-z_][A-Za-z0-9_]{0,62})?$";

/// The text of `dbgen.schema.json`.
pub fn json_schema() -> String {
    let mut root =
        vec![member("$schema", "https://json-schema.org/draft/2020-12/schema"), member("title", "dbgen schema")];
    root.extend(object(&language::ROOT));
    let any_of = [&["name"][..], &["database"][..]].map(|keys| {
        Doc::Object(vec![("required".to_string(), Doc::List(keys.iter().copied().map(Doc::from).collect()))])
    });
    root.push(("anyOf".to_string(), Doc::List(any_of.to_vec())));
    let definitions = DEFINITIONS.iter().map(|(name, section)| ((*name).to_string(), Doc::Object(object(section))));
    root.push(("$defs".to_string(), Doc::Object(definitions.chain([("type".to_string(), type_name())]).collect())));
    Doc::Object(root).to_json_pretty()
}

/// The sections under their names in the document.
const DEFINITIONS: &[(&str, &Section)] = &[
    ("database", &language::DATABASE),
    ("composite", &language::COMPOSITE),
    ("composite_field", &language::COMPOSITE_FIELD),
    ("enum", &language::ENUM),
    ("variant", &language::VARIANT),
    ("table", &language::TABLE),
    ("field", &language::FIELD),
    ("index", &language::INDEX),
    ("relation", &language::RELATION),
    ("schedule", &language::SCHEDULE),
];

fn object(section: &'static Section) -> Vec<(String, Doc)> {
    let properties = section.keys.iter().map(|key| (key.name.to_string(), property(key)));
    let required: Vec<Doc> = section.keys.iter().filter(|key| key.required).map(|key| Doc::from(key.name)).collect();
    let mut members = vec![
        member("type", "object"),
        ("properties".to_string(), Doc::Object(properties.collect())),
        ("additionalProperties".to_string(), Doc::from(false)),
    ];
    if !required.is_empty() {
        members.push(("required".to_string(), Doc::List(required)));
    }
    members
}

fn property(key: &'static Key) -> Doc {
    let mut members = vec![member("description", key.doc)];
    members.extend(shape(&key.shape));
    Doc::Object(members)
}

fn shape(shape: &Shape) -> Vec<(String, Doc)> {
    match shape {
        Shape::Text => vec![member("type", "string")],
        Shape::Name => vec![member("type", "string"), member("pattern", NAME_PATTERN)],
        Shape::Path => vec![member("type", "string"), member("pattern", PATH_PATTERN)],
        Shape::Type => vec![member("$ref", "#/$defs/type")],
        Shape::Flag => vec![member("type", "boolean")],
        Shape::Count(min, max) => vec![
            member("type", "integer"),
            ("minimum".to_string(), Doc::from(*min)),
            ("maximum".to_string(), Doc::from(*max)),
        ],
        Shape::Word(words) => vec![("enum".to_string(), Doc::List(words.iter().copied().map(Doc::from).collect()))],
        Shape::Value => Vec::new(),
        Shape::Names => list(Doc::Object(self::shape(&Shape::Name))),
        Shape::One(section) => vec![reference(section)],
        Shape::Many(section) => list(Doc::Object(vec![reference(section)])),
        Shape::NamesOrMany(section) => {
            let name = Doc::Object(self::shape(&Shape::Name));
            let either = Doc::List(vec![name, Doc::Object(vec![reference(section)])]);
            list(Doc::Object(vec![("anyOf".to_string(), either)]))
        }
        Shape::Map(section) => vec![
            member("type", "object"),
            ("propertyNames".to_string(), Doc::Object(vec![member("pattern", NAME_PATTERN)])),
            ("additionalProperties".to_string(), Doc::Object(vec![reference(section)])),
        ],
    }
}

fn list(items: Doc) -> Vec<(String, Doc)> {
    vec![member("type", "array"), ("items".to_string(), items)]
}

/// The words of the language complete, any other text may be a type of the schema.
fn type_name() -> Doc {
    let built_in = ["text", "bytes", "str<16>", "bytes<16>", "list<u8>", "[u8; 16]", "ref<table>"];
    let words = SCALARS.iter().map(|desc| desc.name).chain(built_in).map(Doc::from).collect();
    let known = Doc::Object(vec![("enum".to_string(), Doc::List(words))]);
    let other = Doc::Object(vec![member("type", "string"), member("pattern", "^[A-Za-z\\[]")]);
    Doc::Object(vec![("anyOf".to_string(), Doc::List(vec![known, other]))])
}

fn reference(section: &'static Section) -> (String, Doc) {
    let name = DEFINITIONS.iter().find(|(_, other)| std::ptr::eq(*other, section)).map_or("", |(name, _)| name);
    ("$ref".to_string(), Doc::Text(format!("#/$defs/{name}")))
}

fn member(key: &str, value: &str) -> (String, Doc) {
    (key.to_string(), Doc::from(value))
}
