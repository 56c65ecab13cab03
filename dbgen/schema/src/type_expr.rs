//! The text of a type, `list<[u16; 8]>`, as a tree; which of its names exist is not asked here.
//!
//! ```text
//! type  = name | name "<" arg ">" | "[" type ";" number "]"
//! arg   = type | number
//! ```

use std::ops::Range;

use crate::limits::TYPE_DEPTH_MAX;

/// A type as written, with the bytes of the text it covers.
#[derive(Debug, PartialEq)]
pub(crate) struct TypeExpr {
    pub(crate) span: Range<usize>,
    pub(crate) shape: TypeShape,
}

#[derive(Debug, PartialEq)]
pub(crate) enum TypeShape {
    /// `i32`
    Name(String),
    /// `str<16>`
    Sized(String, Length),
    /// `list<u8>`
    Of(String, Box<TypeExpr>),
    /// `[u8; 4]`
    Array(Box<TypeExpr>, Length),
}

/// A number inside a type.
#[derive(Debug, PartialEq)]
pub(crate) struct Length {
    pub(crate) span: Range<usize>,
    /// `None`: too large for any type.
    pub(crate) value: Option<u32>,
}

/// Where a text stops being a type, and what should stand there.
#[derive(Debug, PartialEq)]
pub(crate) struct TypeSyntaxError {
    pub(crate) span: Range<usize>,
    pub(crate) expected: &'static str,
}

/// Reads the text of a type.
pub(crate) fn parse(text: &str) -> Result<TypeExpr, TypeSyntaxError> {
    let mut parser = Parser { text, at: 0 };
    let expr = parser.expr(0)?;
    if parser.rest().is_empty() { Ok(expr) } else { Err(parser.expected("the end of the type")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn expr(&mut self, depth: usize) -> Result<TypeExpr, TypeSyntaxError> {
        if depth >= TYPE_DEPTH_MAX {
            return Err(self.expected("a type that is nested less deep"));
        }
        let start = self.here();
        let shape = if self.eat('[') {
            let element = self.expr(depth + 1)?;
            self.require(';', "`;` and the number of elements")?;
            let length = self.length()?;
            self.require(']', "`]`")?;
            TypeShape::Array(Box::new(element), length)
        } else {
            let name = self.name()?;
            if self.eat('<') { self.argument(name, depth)? } else { TypeShape::Name(name) }
        };
        Ok(TypeExpr { span: start..self.at, shape })
    }

    fn argument(&mut self, name: String, depth: usize) -> Result<TypeShape, TypeSyntaxError> {
        let shape = if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            TypeShape::Sized(name, self.length()?)
        } else {
            TypeShape::Of(name, Box::new(self.expr(depth + 1)?))
        };
        self.require('>', "`>`")?;
        Ok(shape)
    }

    fn name(&mut self) -> Result<String, TypeSyntaxError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        match rest.get(..length) {
            Some(name) if !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) => {
                self.at += length;
                Ok(name.to_string())
            }
            _ => Err(self.expected("a type")),
        }
    }

    fn length(&mut self) -> Result<Length, TypeSyntaxError> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let start = self.at;
        self.at += digits;
        match self.text.get(start..self.at) {
            Some(text) if digits > 0 => Ok(Length { span: start..self.at, value: text.parse().ok() }),
            _ => Err(self.expected("a number")),
        }
    }

    fn require(&mut self, token: char, what: &'static str) -> Result<(), TypeSyntaxError> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn eat(&mut self, token: char) -> bool {
        let found = self.rest().starts_with(token);
        self.at += usize::from(found) * token.len_utf8();
        found
    }

    /// Skips white space; where the next token begins.
    fn here(&mut self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or("");
        self.at += rest.len() - rest.trim_start_matches(' ').len();
        self.at
    }

    fn rest(&mut self) -> &'a str {
        let at = self.here();
        self.text.get(at..).unwrap_or("")
    }

    fn expected(&mut self, expected: &'static str) -> TypeSyntaxError {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        TypeSyntaxError { span: self.at..self.at + width, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types() {
        let expr = parse(" list< [ u16 ;8] > ").unwrap();
        let TypeShape::Of(head, inner) = expr.shape else { panic!("{expr:?}") };
        assert_eq!(head, "list");
        assert_eq!(inner.span, 7..16);
        assert!(matches!(inner.shape, TypeShape::Array(_, Length { value: Some(8), .. })));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, span, expected) in [
            ("", 0..0, "a type"),
            ("list<u8", 7..7, "`>`"),
            ("[u8 4]", 4..5, "`;` and the number of elements"),
            ("[u8; n]", 5..6, "a number"),
            ("i32?", 3..4, "the end of the type"),
            ("größe", 2..4, "the end of the type"),
            ("8", 0..1, "a type"),
        ] {
            assert_eq!(parse(text), Err(TypeSyntaxError { span, expected }), "{text:?}");
        }
        assert!(parse(&"list<".repeat(100_000)).is_err());
        assert!(
            parse("str<99999999999999999999>")
                .is_ok_and(|expr| { matches!(expr.shape, TypeShape::Sized(_, Length { value: None, .. })) })
        );
    }
}
