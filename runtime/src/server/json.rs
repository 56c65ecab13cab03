//! Strict JSON: what a reader might understand in two ways is refused.
//!
//! Beyond RFC 8259's grammar: no key twice, nothing nested deeper than [`JSON_DEPTH_MAX`], no number beyond a double, no lone
//! surrogate, nothing behind the value. Every refusal says line and column.

use super::problem::{Kind, Problem};
use crate::limits::JSON_DEPTH_MAX;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};
use std::cell::Cell;
use std::fmt;

/// Reads one JSON value, all of the text.
pub(crate) fn parse(text: &[u8]) -> Result<Json, Problem> {
    if text.is_empty() {
        return Err(Problem::new(Kind::MalformedJson, "the body is empty"));
    }
    let why = Cell::new(Kind::MalformedJson);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: 0, why: &why }.deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::new(why.get(), error.to_string()).member("line", line).member("column", column)
    })
}

/// Writes a value whose types cannot fail to be JSON.
pub(crate) fn to_vec(value: &impl serde::Serialize) -> Vec<u8> {
    match serde_json::to_vec(value) {
        Ok(text) => text,
        Err(error) => unreachable!("only maps with keys that are no strings cannot be written: {error}"),
    }
}

/// What a JSON value is, in words.
pub(crate) fn describe(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Builds a value, and notes why it could not.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    why: &'a Cell<Kind>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == JSON_DEPTH_MAX {
            self.why.set(Kind::NestedTooDeep);
            return Err(E::custom(format_args!("nested more than {JSON_DEPTH_MAX} deep")));
        }
        Ok(Strict { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.contains_key(&key) {
                self.why.set(Kind::DuplicateKey);
                return Err(A::Error::custom(format_args!("the key {key:?} is given twice")));
            }
            let value = members.next_value_seed(inside)?;
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> Kind {
        parse(text.as_bytes()).expect_err(text).kind()
    }

    #[test]
    fn values_are_read_as_they_stand() {
        let text = r#"{"a":[1,-2,1.5,18446744073709551615,true,null,"\ud83d\ude00"],"b":{}}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Json>(text).unwrap());
    }

    #[test]
    fn what_can_be_read_two_ways_is_refused() {
        assert_eq!(refused(r#"{"a":1,"b":{"a":1,"a":2}}"#), Kind::DuplicateKey);
        // The same key, written in two ways.
        assert_eq!(refused(r#"{"a":1,"\u0061":2}"#), Kind::DuplicateKey);
        for text in [
            "",
            " ",
            "{",
            r#"{"a":1"#,
            r#"{"a":1} x"#,
            "1 2",
            "1e400",
            "-1e400",
            r#""\ud800""#,
            r#""\udc00x""#,
            "NaN",
            "[1,]",
            "{a:1}",
            "'a'",
            "01",
            "+1",
            ".5",
            "\"\u{1}\"",
            "\u{feff}{}",
            "tru",
        ] {
            assert_eq!(refused(text), Kind::MalformedJson, "{text:?}");
        }
        assert_eq!(parse(b"\"\xff\"").unwrap_err().kind(), Kind::MalformedJson);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(refused(&nested(JSON_DEPTH_MAX + 1)), Kind::NestedTooDeep);
        assert_eq!(refused(&"[".repeat(1_000_000)), Kind::NestedTooDeep);
        assert_eq!(refused(&"{\"a\":".repeat(1_000_000)), Kind::NestedTooDeep);
    }

    #[test]
    fn a_refusal_says_where() {
        let problem = parse(b"{\n  \"a\": 1,\n  \"a\": 2\n}").unwrap_err();
        assert!(problem.detail().contains("line 3"), "{problem}");
    }
}
