//! Items as people write them, straight from their tokens.
//!
//! A formatter parses what it prints, and both take their time: two thirds of what a schema costs. But the emitters write a few
//! kinds of items, most lines of which fit where they stand: those are printed here, as the formatter would print them to the
//! letter. What is of another kind, or does not fit in a way that asks for judgement, is left to the formatter: a function, a
//! constant or a struct at a time (`by_parsing`).
//!
//! The formatter's rules, as far as they are needed: a line has [`WIDTH`] bytes; a group of what belongs together is broken
//! if what stands on its line up to the next possible break does not fit; a struct literal also if it is wider than
//! [`LITERAL_WIDTH`].

use super::marks::{documentation, push_arguments, push_attribute};
use super::tokens::{Flat, Kind, Token, find, split_commas, step};
use super::words::{self, Part};
use crate::Error;
use proc_macro2::TokenStream;

/// How many bytes a line has, its indentation included.
pub(super) const WIDTH: usize = 89;

/// How far the lines of a block are indented.
pub(super) const STEP: usize = 4;

/// How wide a struct literal may be on one line, without its last brace.
const LITERAL_WIDTH: usize = 34;

/// What lies deeper has lines of another width.
const DEPTH_MAX: usize = 6;

/// The items, formatted.
///
/// # Errors
/// [`Error::Bug`] if they are no Rust.
pub(super) fn formatted(tokens: TokenStream) -> Result<String, Error> {
    let flat = Flat::of(tokens);
    let mut printer = Printer { flat: &flat, out: String::with_capacity(4 << 10), depth: 0, parents: Vec::new() };
    printer.items(&flat.tokens)?;
    Ok(printer.out)
}

/// Begins a line.
pub(super) fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    indent(out, depth);
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("    ");
    }
}

struct Printer<'f> {
    flat: &'f Flat,
    out: String,
    depth: usize,
    /// The blocks that items stand in, as they begin.
    parents: Vec<&'static str>,
}

impl<'f> Printer<'f> {
    fn items(&mut self, mut tokens: &'f [Token]) -> Result<(), Error> {
        while !tokens.is_empty() {
            let (item, rest) = tokens.split_at(self.length_of_item(tokens));
            let (length, depth) = (self.out.len(), self.depth);
            if self.item(item).is_none() {
                self.out.truncate(length);
                self.depth = depth;
                self.parents.truncate(depth);
                self.by_parsing(item)?;
            }
            tokens = rest;
        }
        Ok(())
    }

    /// An item by way of the formatter, at its depth.
    fn by_parsing(&mut self, item: &[Token]) -> Result<(), Error> {
        let source = self.flat.source(item);
        let (before, after) = (self.parents.concat(), "}".repeat(self.parents.len()));
        let code = super::parsed(&format!("{before}{source}{after}"))?;
        let lines = code.lines().count();
        for line in code.lines().skip(self.depth).take(lines.saturating_sub(2 * self.depth)) {
            self.out.push_str(line);
            self.out.push('\n');
        }
        Ok(())
    }

    /// How many tokens the first item has: it ends with its block, or a semicolon.
    fn length_of_item(&self, tokens: &[Token]) -> usize {
        let constant = find(tokens, |kind| kind == Kind::Word)
            .filter(|_| self.kind_of_item(tokens) == Some("const"))
            .map(|_| find(tokens, |kind| matches!(kind, Kind::Mark(';', _))));
        let end = match constant {
            Some(end) => end,
            None => find(tokens, |kind| matches!(kind, Kind::Mark(';', _) | Kind::Open('{', _))),
        };
        end.map_or(tokens.len(), |end| end + step(&tokens[end..]))
    }

    /// The word that says what an item is; of a constant function `fn`.
    fn kind_of_item(&self, tokens: &[Token]) -> Option<&'f str> {
        let mut at = 0;
        loop {
            let token = *tokens.get(at)?;
            match token.kind {
                Kind::Word => match self.flat.text(token) {
                    "pub" => {}
                    "const" if tokens.get(at + 1).is_some_and(|next| self.flat.text(*next) == "fn") => {}
                    kind => return Some(kind),
                },
                Kind::Mark('#', _) | Kind::Open('(' | '[', _) => {}
                _ => return None,
            }
            at += step(&tokens[at..]);
        }
    }

    fn item(&mut self, tokens: &'f [Token]) -> Option<()> {
        let kind = self.kind_of_item(tokens)?;
        let rest = self.attributes(tokens)?;
        let block = find(rest, |kind| matches!(kind, Kind::Open('{', _)));
        match (kind, block) {
            ("impl", Some(open)) => self.block(rest, open, |printer, inner| printer.nested("impl X {", inner)),
            ("mod", Some(open)) => self.block(rest, open, |printer, inner| printer.nested("mod x {", inner)),
            ("struct" | "enum", Some(open)) => self.block(rest, open, Self::members),
            ("struct" | "type" | "use", None) => self.line(rest, Part::Type, ""),
            ("const", _) => self.constant(rest),
            ("fn", Some(open)) => self.function(rest, open),
            _ => self.macro_call(rest),
        }
    }

    fn nested(&mut self, parent: &'static str, items: &'f [Token]) -> Option<()> {
        self.parents.push(parent);
        self.items(items).ok()?;
        self.parents.pop();
        Some(())
    }

    /// Writes the attributes and gives what stands behind them.
    fn attributes(&mut self, mut tokens: &'f [Token]) -> Option<&'f [Token]> {
        while let [Token { kind: Kind::Mark('#', _), .. }, rest @ ..] = tokens {
            let &[Token { kind: Kind::Open('[', length), .. }, ..] = rest else { return None };
            let (inner, after) = (rest.get(1..length - 1)?, rest.get(length..)?);
            let start = self.begin();
            match inner {
                [name, equals, text]
                    if self.flat.text(*name) == "doc"
                        && self.flat.text(*equals) == "="
                        && text.kind == Kind::Literal =>
                {
                    self.out.push_str("///");
                    self.out.push_str(&documentation(self.flat.text(*text))?);
                }
                inner => {
                    if self.flat.text(*inner.first()?) == "doc" {
                        return None;
                    }
                    self.out.push_str("#[");
                    push_attribute(self.flat, &mut self.out, inner)?;
                    self.out.push(']');
                    self.fits(start)?;
                }
            }
            self.out.push('\n');
            tokens = after;
        }
        Some(tokens)
    }

    /// Begins a line and says where.
    fn begin(&mut self) -> usize {
        let start = self.out.len();
        indent(&mut self.out, self.depth);
        start
    }

    fn fits(&self, start: usize) -> Option<()> {
        (self.out.len() - start <= WIDTH).then_some(())
    }

    fn words(&mut self, tokens: &[Token], part: Part) -> Option<()> {
        words::push(self.flat, &mut self.out, tokens, part)
    }

    /// A line of its own, with `end` behind it. The semicolon of an item is among its tokens.
    fn line(&mut self, tokens: &[Token], part: Part, end: &str) -> Option<()> {
        let start = self.begin();
        match tokens.split_last() {
            Some((Token { kind: Kind::Mark(';', _), .. }, rest)) => {
                self.words(rest, part)?;
                self.out.push(';');
            }
            _ => self.words(tokens, part)?,
        }
        self.out.push_str(end);
        self.fits(start)?;
        self.out.push('\n');
        Some(())
    }

    /// A header, braces, and what stands between them.
    fn block(
        &mut self,
        tokens: &'f [Token],
        open: usize,
        body: impl FnOnce(&mut Self, &'f [Token]) -> Option<()>,
    ) -> Option<()> {
        let (header, inner) = (tokens.get(..open)?, tokens.get(open + 1..tokens.len() - 1)?);
        self.line(header, Part::Type, if inner.is_empty() { " {}" } else { " {" })?;
        if inner.is_empty() { Some(()) } else { self.inside(|printer| body(printer, inner), "}") }
    }

    /// Lines one step further in, and the line that closes them.
    fn inside(&mut self, body: impl FnOnce(&mut Self) -> Option<()>, close: &str) -> Option<()> {
        if self.depth >= DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        body(self)?;
        self.depth -= 1;
        self.begin();
        self.out.push_str(close);
        self.out.push('\n');
        Some(())
    }

    /// The fields of a struct, the variants of an enum.
    fn members(&mut self, tokens: &'f [Token]) -> Option<()> {
        for member in split_commas(tokens) {
            let member = self.attributes(member)?;
            self.line(member, Part::Type, ",")?;
        }
        Some(())
    }

    /// A function. If its header does not fit, each parameter has a line.
    fn function(&mut self, tokens: &'f [Token], open: usize) -> Option<()> {
        let (header, body) = (tokens.get(..open)?, tokens.get(open + 1..tokens.len() - 1)?);
        if body.is_empty() {
            return self.line(header, Part::Type, " {}");
        }
        let length = self.out.len();
        let start = self.begin();
        self.words(header, Part::Type)?;
        self.out.push_str(" {");
        if self.fits(start).is_none() {
            self.out.truncate(length);
            self.tall_header(header)?;
        }
        self.out.push('\n');
        self.inside(|printer| printer.statements(body), "}")
    }

    fn tall_header(&mut self, header: &'f [Token]) -> Option<()> {
        let name = find(header, |kind| kind == Kind::Word).and_then(|_| {
            let is_fn = |at: &usize| self.flat.text(header[*at]) == "fn";
            (0..header.len()).find(is_fn)
        })?;
        let open = name + find(header.get(name..)?, |kind| matches!(kind, Kind::Open('(', _)))?;
        let length = step(header.get(open..)?);
        let (head, parameters) = (header.get(..=open)?, header.get(open + 1..open + length - 1)?);
        let returned = header.get(open + length..)?;
        if parameters.is_empty() {
            return None;
        }
        self.line(head, Part::Type, "")?;
        self.inside_parts(&split_commas(parameters), Self::parameter)?;
        let start = self.begin();
        self.out.push(')');
        self.words(returned, Part::Type)?;
        self.out.push_str(" {");
        self.fits(start)
    }

    fn parameter(&mut self, tokens: &'f [Token], end: usize) -> Option<()> {
        self.words(tokens, Part::Type)?;
        (self.out.len() <= end).then_some(())
    }

    fn statements(&mut self, mut tokens: &'f [Token]) -> Option<()> {
        while !tokens.is_empty() {
            let end = find(tokens, |kind| matches!(kind, Kind::Mark(';', _)));
            let (statement, rest) = tokens.split_at(end.map_or(tokens.len(), |end| end + 1));
            self.statement(statement, end.is_some())?;
            tokens = rest;
        }
        Some(())
    }

    fn statement(&mut self, tokens: &'f [Token], is_ended: bool) -> Option<()> {
        let length = self.out.len();
        if is_ended && self.macro_call(tokens).is_some() {
            return Some(());
        }
        self.out.truncate(length);
        let (value, end) = if is_ended { (tokens.split_last()?.1, ";") } else { (tokens, "") };
        if value.is_empty() {
            return None;
        }
        let Some(open) = find(value, |kind| matches!(kind, Kind::Open('{', _))) else {
            return self.line(value, Part::Expression, end);
        };
        let start = self.begin();
        self.literal(value, open, start, end)
    }

    /// A constant: a type, and a value that may be a struct.
    fn constant(&mut self, tokens: &'f [Token]) -> Option<()> {
        let (_, tokens) = tokens.split_last()?;
        let equals = find(tokens, |kind| kind == Kind::Mark('=', false))?;
        let (head, value) = (tokens.get(..=equals)?, tokens.get(equals + 1..)?);
        let start = self.begin();
        self.words(head, Part::Type)?;
        match find(value, |kind| matches!(kind, Kind::Open('{', _))) {
            Some(open) => self.literal(value, open, start, ";"),
            None => {
                self.words(value, Part::Expression)?;
                self.out.push(';');
                self.fits(start)?;
                self.out.push('\n');
                Some(())
            }
        }
    }

    /// A struct literal, and what stands before its name, on the line that began at `start`.
    fn literal(&mut self, tokens: &'f [Token], open: usize, start: usize, end: &str) -> Option<()> {
        let (head, fields) = (tokens.get(..open)?, tokens.get(open + 1..tokens.len() - 1)?);
        let ends_here = open + step(tokens.get(open..)?) == tokens.len();
        if !ends_here || fields.is_empty() || !matches!(head.last()?.kind, Kind::Word) {
            return None;
        }
        self.words(head, Part::Expression)?;
        let line = self.out.get(start..)?;
        let name = start + line.rfind([' ', '&']).map_or(0, |at| at + 1);
        self.out.push_str(" {");
        let (length, fields) = (self.out.len(), split_commas(fields));
        let is_narrow = self.narrow_fields(&fields, name).is_some();
        if is_narrow {
            self.out.push('}');
            self.out.push_str(end);
            self.fits(start)?;
            self.out.push('\n');
            return Some(());
        }
        self.out.truncate(length);
        self.fits(start)?;
        self.out.push('\n');
        self.inside_parts(&fields, Self::field)?;
        self.begin();
        self.out.push('}');
        self.out.push_str(end);
        self.out.push('\n');
        Some(())
    }

    /// Parts that each have a line and a comma, one step further in. The formatter adds the last comma when it has broken the
    /// line, and so has not asked whether it fits.
    fn inside_parts(
        &mut self,
        parts: &[&'f [Token]],
        mut write: impl FnMut(&mut Self, &'f [Token], usize) -> Option<()>,
    ) -> Option<()> {
        if self.depth >= DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        for (at, part) in parts.iter().enumerate() {
            let start = self.begin();
            let room = if at + 1 == parts.len() { WIDTH } else { WIDTH - 1 };
            write(self, part, start + room)?;
            self.out.push_str(",\n");
        }
        self.depth -= 1;
        Some(())
    }

    /// The fields of a literal on the line of its name, if that is narrow enough.
    fn narrow_fields(&mut self, fields: &[&'f [Token]], name: usize) -> Option<()> {
        for (at, field) in fields.iter().enumerate() {
            self.out.push_str(if at == 0 { " " } else { ", " });
            match field {
                [_] => self.words(field, Part::Expression)?,
                [member, colon, value @ ..] if colon.kind == Kind::Mark(':', false) => {
                    self.out.push_str(self.flat.text(*member));
                    self.out.push_str(": ");
                    self.words(value, Part::Expression)?;
                }
                _ => return None,
            }
        }
        self.out.push(' ');
        (self.out.len() - name <= LITERAL_WIDTH).then_some(())
    }

    /// A field of a literal, whose line may go until `end`.
    fn field(&mut self, tokens: &'f [Token], end: usize) -> Option<()> {
        match tokens {
            [_] => self.value(tokens, end),
            [member, colon, value @ ..] if member.kind == Kind::Word && colon.kind == Kind::Mark(':', false) => {
                self.out.push_str(self.flat.text(*member));
                self.out.push_str(": ");
                self.value(value, end)
            }
            _ => None,
        }
    }

    /// A value, whose line may go until `end`; a list that does not fit has a line for each of its items.
    fn value(&mut self, tokens: &'f [Token], end: usize) -> Option<()> {
        let length = self.out.len();
        self.words(tokens, Part::Expression)?;
        if self.out.len() <= end {
            return Some(());
        }
        self.out.truncate(length);
        let open = find(tokens, |kind| matches!(kind, Kind::Open(..)))?;
        let (head, group) = (tokens.get(..open)?, tokens.get(open..)?);
        let inner = group.get(1..group.len() - 1).filter(|_| step(group) == group.len())?;
        let parts = split_commas(inner);
        let may_break = match group.first()?.kind {
            // Numbers are filled into lines.
            Kind::Open('[', _) => {
                matches!(head, [Token { kind: Kind::Mark('&', _), .. }])
                    && !inner.iter().all(|token| matches!(token.kind, Kind::Literal | Kind::Mark(',', _)))
            }
            // One argument may be such that it is broken, and not the call.
            Kind::Open('(', _) => is_path(head) && parts.len() > 1,
            _ => false,
        };
        if !may_break {
            return None;
        }
        head.iter().chain(group.first()).for_each(|token| self.out.push_str(self.flat.text(*token)));
        self.out.push('\n');
        self.inside_parts(&parts, Self::value)?;
        self.begin();
        self.out.push_str(self.flat.text(*group.last()?));
        Some(())
    }

    /// `path!(..);`
    fn macro_call(&mut self, tokens: &'f [Token]) -> Option<()> {
        let bang = find(tokens, |kind| matches!(kind, Kind::Open(..) | Kind::Mark('!', _)))?;
        let (path, call) = (tokens.get(..bang)?, tokens.get(bang + 1..)?);
        let &[Token { kind: Kind::Open('(', length), .. }, ..] = call else { return None };
        let is_whole = length + 1 == call.len() && matches!(call.last()?.kind, Kind::Mark(';', _));
        if tokens.get(bang)?.kind != Kind::Mark('!', false) || !is_path(path) || !is_whole {
            return None;
        }
        let start = self.begin();
        path.iter().for_each(|token| self.out.push_str(self.flat.text(*token)));
        self.out.push_str("!(");
        let room = WIDTH.checked_sub(self.out.len() - start)?;
        push_arguments(self.flat, &mut self.out, call.get(1..length - 1)?, room, self.depth, ");")?;
        self.out.push_str(");\n");
        Some(())
    }
}

/// Whether tokens are names, with `::` between them.
fn is_path(tokens: &[Token]) -> bool {
    !tokens.is_empty() && tokens.iter().all(|token| matches!(token.kind, Kind::Word | Kind::Mark(':', _)))
}
