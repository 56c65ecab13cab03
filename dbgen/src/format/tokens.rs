//! The tokens of a piece side by side, their letters in one text: what is looked at often and moved never.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::fmt::Write;

/// What a token is. A group is what it opens with, what is inside, and what it closes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Literal,
    /// A mark; `true` if the next one belongs to it, as in `::`.
    Mark(char, bool),
    /// `(`, `[` or `{`, and how many tokens it and its group have.
    Open(char, usize),
    Close(char),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: usize,
    end: usize,
}

/// A piece, flat.
#[derive(Debug, Default)]
pub(super) struct Flat {
    letters: String,
    pub(super) tokens: Vec<Token>,
}

impl Flat {
    pub(super) fn of(tokens: TokenStream) -> Flat {
        let mut flat = Flat::default();
        flat.extend(tokens);
        flat
    }

    fn extend(&mut self, tokens: TokenStream) {
        for token in tokens {
            let start = self.letters.len();
            let kind = match token {
                TokenTree::Ident(word) => self.write(&word, Kind::Word),
                TokenTree::Literal(literal) => self.write(&literal, Kind::Literal),
                TokenTree::Punct(mark) => {
                    self.letters.push(mark.as_char());
                    Kind::Mark(mark.as_char(), mark.spacing() == Spacing::Joint)
                }
                TokenTree::Group(group) => {
                    let (delimiter, inner) = (group.delimiter(), group.stream());
                    // Whoever holds the tokens alone gets them without a copy.
                    drop(group);
                    self.group(delimiter, inner);
                    continue;
                }
            };
            self.tokens.push(Token { kind, start, end: self.letters.len() });
        }
    }

    /// A group. One without delimiters only holds together what is together here anyway.
    fn group(&mut self, delimiter: Delimiter, inner: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ('(', ')'),
            Delimiter::Bracket => ('[', ']'),
            Delimiter::Brace => ('{', '}'),
            Delimiter::None => return self.extend(inner),
        };
        let at = self.tokens.len();
        self.delimiter(open, Kind::Open(open, 0));
        self.extend(inner);
        self.delimiter(close, Kind::Close(close));
        self.tokens[at].kind = Kind::Open(open, self.tokens.len() - at);
    }

    fn delimiter(&mut self, letter: char, kind: Kind) {
        let start = self.letters.len();
        self.letters.push(letter);
        self.tokens.push(Token { kind, start, end: self.letters.len() });
    }

    fn write(&mut self, what: &dyn std::fmt::Display, kind: Kind) -> Kind {
        // A string takes whatever is written to it.
        let _ = write!(self.letters, "{what}");
        kind
    }

    pub(super) fn text(&self, token: Token) -> &str {
        &self.letters[token.start..token.end]
    }

    /// Tokens as Rust that means the same, not as anybody would write it.
    pub(super) fn source(&self, tokens: &[Token]) -> String {
        let mut out = String::new();
        for token in tokens {
            out.push_str(self.text(*token));
            if !matches!(token.kind, Kind::Mark(_, true)) {
                out.push(' ');
            }
        }
        out
    }
}

/// How many tokens the first of these and its group have.
pub(super) fn step(tokens: &[Token]) -> usize {
    match tokens.first().map(|token| token.kind) {
        Some(Kind::Open(_, length)) => length,
        _ => 1,
    }
}

/// Where the first token of this kind is that lies in no group.
pub(super) fn find(tokens: &[Token], is: impl Fn(Kind) -> bool) -> Option<usize> {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is(token.kind) {
            return Some(at);
        }
        at += step(&tokens[at..]);
    }
    None
}

/// What lies between commas, of generic arguments none: `a, b::<c, d>, e` are three. An empty end is none.
pub(super) fn split_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut at, mut depth, mut arrow) = (Vec::new(), 0, 0, 0_usize, false);
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Mark('<', _) => depth += 1,
            Kind::Mark('>', _) if !arrow => depth = depth.saturating_sub(1),
            Kind::Mark(',', _) if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        arrow = matches!(token.kind, Kind::Mark('-' | '=', true));
        at += step(&tokens[at..]);
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}
