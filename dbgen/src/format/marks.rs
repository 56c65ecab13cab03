//! What is no Rust of its own but a macro's: attributes, and calls of the runtime's macros.

use super::tokens::{Flat, Kind, Token};

/// A place where a line of a macro's tokens may end: where in the text, and whether a space stands there if it does not.
struct Break {
    at: usize,
    is_space: bool,
}

/// The tokens of a macro call on one line, and where it may be broken.
#[derive(Default)]
struct Chunks {
    text: String,
    breaks: Vec<Break>,
}

/// What was written last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Start,
    Name,
    Bang,
    Group,
    Dot,
    Colon,
    Colons,
    Other,
}

impl Chunks {
    fn may_break(&mut self, is_space: bool) {
        self.breaks.push(Break { at: self.text.len(), is_space });
        if is_space {
            self.text.push(' ');
        }
    }

    fn push(&mut self, flat: &Flat, tokens: &[Token]) -> Option<()> {
        let (mut last, mut glued, mut at) = (Last::Start, true, 0);
        while let Some(token) = tokens.get(at) {
            let (stands_off, next) = follows(flat, last, *token)?;
            if !glued && stands_off {
                self.may_break(true);
            } else if !glued && matches!(token.kind, Kind::Mark('.', _)) {
                self.may_break(false);
            }
            glued = matches!(token.kind, Kind::Mark(_, true));
            self.text.push_str(flat.text(*token));
            if let Kind::Open(open, length) = token.kind {
                let inner = tokens.get(at + 1..at + length - 1)?;
                let is_wide = open == '{' && !inner.is_empty();
                if is_wide {
                    self.may_break(true);
                }
                self.push(flat, inner)?;
                if is_wide {
                    self.may_break(true);
                }
                at += length - 1;
                self.text.push_str(flat.text(*tokens.get(at)?));
            }
            (at, last) = (at + 1, next);
        }
        Some(())
    }
}

/// Whether a token stands off from what was written last, and what it is to the next.
fn follows(flat: &Flat, last: Last, token: Token) -> Option<(bool, Last)> {
    Some(match token.kind {
        Kind::Open('{', _) => (true, Last::Other),
        Kind::Open(..) => match last {
            Last::Name => (false, Last::Group),
            Last::Bang => (false, Last::Other),
            _ => (true, Last::Group),
        },
        Kind::Close(_) => return None,
        Kind::Literal if flat.text(token).contains('\n') || flat.text(token).ends_with('.') => return None,
        Kind::Literal => (last != Last::Dot, Last::Name),
        Kind::Word if is_keyword(flat.text(token)) => (true, Last::Other),
        Kind::Word => (last != Last::Dot && last != Last::Colons, Last::Name),
        Kind::Mark('$' | '#', _) => return None,
        Kind::Mark('!', false) if last == Last::Name => (false, Last::Bang),
        Kind::Mark(':', _) if last == Last::Colon => (false, Last::Colons),
        Kind::Mark(',' | ';', _) => (false, Last::Other),
        Kind::Mark('.', _) => (last != Last::Name && last != Last::Group, Last::Dot),
        Kind::Mark(':', true) => (last != Last::Name, Last::Colon),
        Kind::Mark(..) => (true, Last::Other),
    })
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "as", "async", "await", "box", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn",
        "for", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "pub", "ref", "return",
        "static", "struct", "trait", "type", "unsafe", "use", "where", "while", "yield",
    ];
    KEYWORDS.contains(&word)
}

/// Appends what stands between a macro's parentheses: on the line if `room` bytes are left of it for this and `end`,
/// otherwise on lines of their own that take what fits.
pub(super) fn push_arguments(
    flat: &Flat,
    out: &mut String,
    tokens: &[Token],
    room: usize,
    depth: usize,
    end: &str,
) -> Option<()> {
    let mut chunks = Chunks::default();
    chunks.push(flat, tokens)?;
    if chunks.text.len() + end.len() <= room {
        out.push_str(&chunks.text);
        return Some(());
    }
    let width = super::items::WIDTH - super::items::STEP * (depth + 1);
    super::items::new_line(out, depth + 1);
    let (mut start, mut left) = (0, width);
    for (index, line_end) in chunks.breaks.iter().enumerate() {
        let piece = chunks.text.get(start..line_end.at)?;
        out.push_str(piece);
        left = left.checked_sub(piece.len())?;
        start = line_end.at + usize::from(line_end.is_space);
        let next_end = chunks.breaks.get(index + 1).map_or(chunks.text.len(), |next| next.at);
        if next_end - line_end.at > left {
            super::items::new_line(out, depth + 1);
            left = width;
        } else if line_end.is_space {
            out.push(' ');
            left -= 1;
        }
    }
    let piece = chunks.text.get(start..)?;
    left.checked_sub(piece.len())?;
    out.push_str(piece);
    super::items::new_line(out, depth);
    Some(())
}

/// Appends what an attribute holds, which is one of a few kinds: words, literals, paths, `=` and commas.
pub(super) fn push_attribute(flat: &Flat, out: &mut String, tokens: &[Token]) -> Option<()> {
    let mut after_word = false;
    for (at, token) in tokens.iter().enumerate() {
        let text = flat.text(*token);
        match token.kind {
            Kind::Word | Kind::Literal if after_word || text.contains('\n') => return None,
            Kind::Word | Kind::Literal => out.push_str(text),
            Kind::Mark('=', false) => out.push_str(if after_word { " = " } else { return None }),
            Kind::Mark(',', false) if at + 2 < tokens.len() => out.push_str(", "),
            // The last comma goes.
            Kind::Mark(',', false) => {}
            Kind::Mark(':', _) => out.push(':'),
            Kind::Open('(', _) if after_word => out.push('('),
            Kind::Close(')') => out.push(')'),
            _ => return None,
        }
        after_word = matches!(token.kind, Kind::Word | Kind::Literal);
    }
    Some(())
}

/// The line of documentation that a literal holds, if it is one that stays on its line.
pub(super) fn documentation(literal: &str) -> Option<String> {
    let raw = literal.strip_prefix("r\"").and_then(|text| text.strip_suffix('"'));
    let text = match raw {
        Some(raw) => raw.to_owned(),
        None => unescaped(literal.strip_prefix('"')?.strip_suffix('"')?)?,
    };
    let is_plain = !text.contains('\n') && !text.contains('\r') && !text.starts_with('/');
    is_plain.then(|| text.trim_end_matches(' ').to_owned())
}

fn unescaped(text: &str) -> Option<String> {
    let (mut out, mut letters) = (String::with_capacity(text.len()), text.chars());
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => letters.next().filter(|escaped| matches!(escaped, '\\' | '"' | '\''))?,
            letter => letter,
        });
    }
    Some(out)
}
