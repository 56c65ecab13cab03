//! A schema as text that remembers where its words come from.
//!
//! The derives write what they found in the schema's own language, and the one reader and checker of that language reads it.
//! What it finds wrong it says with a place in the text; [`Text::at`] is the way back to the user's tokens.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::fmt::Write as _;
use std::ops::Range;

/// A value of the text, and the tokens that it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Json {
    shape: Shape,
    tokens: TokenStream,
}

#[derive(Debug, Clone)]
enum Shape {
    /// As it is: a number, `true`, `null`.
    Raw(String),
    /// A string, in pieces that come from different tokens.
    Text(Vec<(String, TokenStream)>),
    List(Vec<Json>),
    Object(Vec<(String, TokenStream, Json)>),
}

impl Json {
    pub(crate) fn raw(text: impl Into<String>, tokens: impl ToTokens) -> Json {
        Json { shape: Shape::Raw(text.into()), tokens: tokens.into_token_stream() }
    }

    pub(crate) fn text(text: impl Into<String>, tokens: impl ToTokens) -> Json {
        Json::pieces(vec![(text.into(), TokenStream::new())], tokens)
    }

    pub(crate) fn pieces(pieces: Vec<(String, TokenStream)>, tokens: impl ToTokens) -> Json {
        Json { shape: Shape::Text(pieces), tokens: tokens.into_token_stream() }
    }

    pub(crate) fn list(values: Vec<Json>, tokens: impl ToTokens) -> Json {
        Json { shape: Shape::List(values), tokens: tokens.into_token_stream() }
    }

    pub(crate) fn object(tokens: impl ToTokens) -> Json {
        Json { shape: Shape::Object(Vec::new()), tokens: tokens.into_token_stream() }
    }

    /// Adds a member; only objects have some.
    pub(crate) fn add(&mut self, key: impl Into<String>, at: impl ToTokens, value: Json) {
        if let Shape::Object(members) = &mut self.shape {
            members.push((key.into(), at.into_token_stream(), value));
        }
    }

    /// The same, if there is a value.
    pub(crate) fn add_some(&mut self, key: &str, at: impl ToTokens, value: Option<Json>) {
        if let Some(value) = value {
            self.add(key, at, value);
        }
    }
}

/// The text, and which of its bytes come from which tokens.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    marks: Vec<(Range<usize>, TokenStream)>,
}

impl Text {
    pub(crate) fn of(json: &Json) -> Text {
        let mut text = Text::default();
        text.write(json);
        text
    }

    /// The tokens that these bytes come from: those of the smallest part around them that has some.
    pub(crate) fn at(&self, bytes: &Range<usize>) -> Option<&TokenStream> {
        let around = self.marks.iter().filter(|(range, _)| range.start <= bytes.start && bytes.end <= range.end);
        around.min_by_key(|(range, _)| range.len()).map(|(_, tokens)| tokens)
    }

    fn write(&mut self, json: &Json) {
        let start = self.text.len();
        match &json.shape {
            Shape::Raw(raw) => self.text.push_str(raw),
            Shape::Text(pieces) => {
                self.text.push('"');
                for (piece, tokens) in pieces {
                    let start = self.text.len();
                    self.escaped(piece);
                    self.mark(start, tokens);
                }
                self.text.push('"');
            }
            Shape::List(values) => {
                self.text.push('[');
                for (at, value) in values.iter().enumerate() {
                    self.text.push_str(if at > 0 { ", " } else { "" });
                    self.write(value);
                }
                self.text.push(']');
            }
            Shape::Object(members) => self.object(members),
        }
        self.mark(start, &json.tokens);
    }

    fn object(&mut self, members: &[(String, TokenStream, Json)]) {
        self.text.push('{');
        for (at, (key, tokens, value)) in members.iter().enumerate() {
            self.text.push_str(if at > 0 { ",\n" } else { "" });
            let start = self.text.len();
            self.text.push('"');
            self.escaped(key);
            self.text.push('"');
            self.mark(start, tokens);
            self.text.push_str(": ");
            self.write(value);
        }
        self.text.push('}');
    }

    fn mark(&mut self, start: usize, tokens: &TokenStream) {
        if !tokens.is_empty() {
            self.marks.push((start..self.text.len(), tokens.clone()));
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                c if c.is_control() => {
                    // Writing to a string does not fail.
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_place_in_the_text_leads_back_to_its_tokens() {
        let mut field = Json::object(quote!(whole));
        field.add("name", quote!(key), Json::text("a\"\n", quote!(value)));
        let pieces = vec![("list<".to_owned(), TokenStream::new()), ("Foo".to_owned(), quote!(Foo))];
        field.add("type", quote!(ty), Json::pieces(pieces, quote!(Vec<Foo>)));
        let text = Text::of(&field);
        assert_eq!(text.text, "{\"name\": \"a\\\"\\u000a\",\n\"type\": \"list<Foo\"}");
        let at = |part: &str| {
            let start = text.text.find(part).expect("it is there");
            text.at(&(start..start + part.len())).map(ToString::to_string)
        };
        assert_eq!(at("\"name\"").as_deref(), Some("key"));
        assert_eq!(at("a\\\"").as_deref(), Some("value"));
        assert_eq!(at("Foo").as_deref(), Some("Foo"));
        assert_eq!(at("list<Foo").as_deref(), Some("Vec < Foo >"));
        assert_eq!(at(",\n").as_deref(), Some("whole"));
        assert_eq!(text.at(&(0..1000)).map(ToString::to_string), None);
    }
}
