//! A schema file's text, and places in it.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::limits::SOURCE_BYTES_MAX;

/// Bytes of a source's text, from the first to behind the last.
pub type Span = Range<usize>;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// How a schema is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Strict JSON: no comments, no trailing commas.
    Json,
    /// TOML 1.0.
    Toml,
}

impl Format {
    /// The format that a file name's extension stands for.
    pub fn of_path(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "toml" => Some(Format::Toml),
            _ => None,
        }
    }
}

/// A schema file, read but not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that diagnostics show: a path, as the user gave it.
    pub name: String,
    /// The text.
    pub text: String,
    /// How it is written.
    pub format: Format,
}

/// Why a file could not become a [`Source`].
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The extension is neither `.json` nor `.toml`.
    UnknownFormat,
    /// The file system refused.
    Io(std::io::Error),
    /// Not UTF-8 from this byte on.
    NotUtf8 { lossy: String, at: usize },
}

impl Source {
    /// Reads a file; its extension says the format.
    pub(crate) fn read(path: &Path) -> Result<Source, ReadError> {
        let format = Format::of_path(path).ok_or(ReadError::UnknownFormat)?;
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(ReadError::Io)?;
        // One byte more than allowed: enough for `parse` to see that it is too large, whatever the file is.
        file.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            // Some editors begin a file with a byte order mark.
            Ok(text) => Ok(Source { name, text: text.trim_start_matches('\u{feff}').to_string(), format }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err(ReadError::NotUtf8 { lossy: String::from_utf8_lossy(error.as_bytes()).into_owned(), at })
            }
        }
    }
}

/// Turns byte offsets into lines and columns. Made once per text, so that a thousand look-ups read the text once.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Lines {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// 1-based line of a byte offset.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// 1-based line, and column in characters, of a byte offset of the text this was made of.
    pub(crate) fn position(&self, text: &str, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.starts.get(line as usize - 1).copied().unwrap_or(0);
        let before = text.get(start..offset).unwrap_or("");
        (line, before.chars().count() as u32 + 1)
    }
}

/// A name or value of the user's, fit to stand in a sentence: control characters escaped, the far end of a long one cut.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    const SHOWN_CHARS_MAX: usize = 60;
    let long = text.char_indices().nth(SHOWN_CHARS_MAX);
    if long.is_none() && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let kept = long.map_or(text, |(at, _)| &text[..at]);
    let mut escaped = String::with_capacity(kept.len());
    for c in kept.chars() {
        if c.is_control() {
            escaped.extend(c.escape_debug());
        } else {
            escaped.push(c);
        }
    }
    if long.is_some() {
        escaped.push('…');
    }
    Cow::Owned(escaped)
}

/// The sentence with a small letter at its beginning, for the middle of another one.
pub(crate) fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
