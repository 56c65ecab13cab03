//! Tokens on one line: where a space belongs between two of them, in types and in expressions.
//!
//! This knows the Rust that the emitters write, and of that only what means one thing wherever it stands. Of all else it says
//! `None`, and whoever asked has it parsed.

use super::tokens::{Flat, Kind, Token};

/// What tokens are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Headers, signatures, fields and types: `<` opens generic arguments.
    Type,
    /// Expressions: `<` opens them after `::` alone.
    Expression,
}

/// What was written last, as far as it matters to what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// What nothing stands off from: an opened group, `::`, `&`, a space.
    Tight,
    Word,
    /// A word that everything stands off from.
    Keyword,
    /// `impl`, which only generic parameters follow at once.
    Impl,
    Tick,
    Lifetime,
    Colons,
    Close,
}

struct Words<'f> {
    flat: &'f Flat,
    out: &'f mut String,
    part: Part,
    last: Last,
    /// How many `<` are open.
    angles: usize,
    /// Between the `|` of a closure.
    closure: bool,
}

/// Appends tokens as they stand on one line.
pub(super) fn push(flat: &Flat, out: &mut String, tokens: &[Token], part: Part) -> Option<()> {
    let last = if out.ends_with([' ', '(', '&', '\n']) || out.is_empty() { Last::Tight } else { Last::Close };
    let mut words = Words { flat, out, part, last, angles: 0, closure: false };
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let taken = match token.kind {
            Kind::Word => words.word(*token),
            Kind::Literal => words.literal(*token),
            Kind::Open(open, _) => words.open(open),
            Kind::Close(close) => words.close(close),
            Kind::Mark(mark, joint) => words.mark(mark, after.first().filter(|_| joint).map(|next| next.kind)),
        }?;
        rest = after.get(taken..)?;
    }
    (words.angles == 0 && !words.closure).then_some(())
}

/// How many tokens more than the one that was asked about are written; `None` if it may mean several things.
type Taken = Option<usize>;

impl Words<'_> {
    fn is_type(&self) -> bool {
        self.part == Part::Type || self.angles > 0
    }

    fn write(&mut self, text: &str, last: Last) -> Taken {
        self.out.push_str(text);
        self.last = last;
        Some(0)
    }

    fn stand_off(&mut self) {
        if !matches!(self.last, Last::Tight | Last::Tick | Last::Colons) {
            self.out.push(' ');
        }
    }

    fn word(&mut self, token: Token) -> Taken {
        let flat = self.flat;
        let text = flat.text(token);
        self.stand_off();
        let last = match text {
            _ if self.last == Last::Tick => Last::Lifetime,
            "mut" | "dyn" | "as" => Last::Keyword,
            "impl" => Last::Impl,
            "for" | "const" | "fn" | "let" | "use" if self.is_type() || text == "let" => Last::Keyword,
            "async" | "await" | "break" | "const" | "continue" | "else" | "fn" | "for" | "if" | "in" | "loop"
            | "match" | "move" | "ref" | "return" | "static" | "unsafe" | "use" | "where" | "while" | "yield" => {
                return None;
            }
            _ => Last::Word,
        };
        self.write(text, last)
    }

    fn literal(&mut self, token: Token) -> Taken {
        let flat = self.flat;
        let text = flat.text(token);
        // `self.0.get()`: the lexer takes the position and the dot behind it for a number.
        if text.ends_with('.') {
            return if self.out.ends_with('.') { self.write(text, Last::Tight) } else { None };
        }
        if text.contains('\n') {
            return None;
        }
        self.stand_off();
        self.write(text, Last::Word)
    }

    fn open(&mut self, open: char) -> Taken {
        let is_pointer = self.last == Last::Keyword && self.out.ends_with("fn");
        if open == '{' || self.last == Last::Colons || is_pointer {
            return None;
        }
        if matches!(self.last, Last::Keyword | Last::Impl | Last::Lifetime) {
            self.out.push(' ');
        }
        self.write(if open == '(' { "(" } else { "[" }, Last::Tight)
    }

    fn close(&mut self, close: char) -> Taken {
        // What ends with a comma loses it, unless it is a tuple of one.
        if close == '}' || self.out.ends_with(", ") {
            return None;
        }
        self.write(if close == ')' { ")" } else { "]" }, Last::Close)
    }

    /// A mark, and what `joint` is the one that belongs to it.
    fn mark(&mut self, mark: char, joint: Option<Kind>) -> Taken {
        let ends_value = matches!(self.last, Last::Word | Last::Close);
        match (mark, joint) {
            (':', Some(Kind::Mark(':', _))) => {
                if matches!(self.last, Last::Keyword | Last::Impl) {
                    self.out.push(' ');
                }
                self.write("::", Last::Colons)?;
                Some(1)
            }
            ('-', Some(Kind::Mark('>', _))) if self.is_type() && ends_value => {
                self.write(" -> ", Last::Tight)?;
                Some(1)
            }
            ('\'', Some(Kind::Word)) => {
                self.stand_off();
                self.write("'", Last::Tick)
            }
            ('<', None) => self.open_angle(),
            ('>', _) if self.angles > 0 && !self.out.ends_with(", ") => {
                self.angles -= 1;
                self.write(">", Last::Close)
            }
            (',', _) => self.write(", ", Last::Tight),
            (';', None) if ends_value => self.write("; ", Last::Tight),
            ('&', _) => self.prefix("&"),
            ('=', None) if ends_value => self.write(" = ", Last::Tight),
            (':', None) if self.is_type() && self.last != Last::Colons => self.write(": ", Last::Tight),
            ('+', None) if self.is_type() && self.last != Last::Tight => self.write(" + ", Last::Tight),
            _ if self.is_type() => None,
            ('*', None) => self.prefix("*"),
            ('!', None) => self.prefix("!"),
            ('-', None) => self.prefix("-"),
            ('?', _) if ends_value => self.write("?", Last::Close),
            ('.', None) if ends_value => self.write(".", Last::Tight),
            ('|', None) => self.closure(),
            ('|', Some(Kind::Mark('|', _))) if self.last == Last::Tight && !self.closure => {
                self.write("|| ", Last::Tight)?;
                Some(1)
            }
            _ => None,
        }
    }

    fn open_angle(&mut self) -> Taken {
        let may = match self.last {
            Last::Word => self.is_type(),
            Last::Impl => true,
            Last::Colons => self.part == Part::Expression && self.angles == 0,
            _ => false,
        };
        if !may {
            return None;
        }
        self.angles += 1;
        self.write("<", Last::Tight)
    }

    /// What stands before a value. After one it would stand between two.
    fn prefix(&mut self, mark: &str) -> Taken {
        match self.last {
            Last::Tight => {}
            Last::Keyword | Last::Impl | Last::Lifetime => self.out.push(' '),
            Last::Word | Last::Close | Last::Tick | Last::Colons => return None,
        }
        self.write(mark, Last::Tight)
    }

    fn closure(&mut self) -> Taken {
        if !self.closure && self.last != Last::Tight {
            return None;
        }
        self.closure = !self.closure;
        self.write(if self.closure { "|" } else { "| " }, Last::Tight)
    }
}
