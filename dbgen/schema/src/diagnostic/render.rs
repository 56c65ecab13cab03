//! Diagnostics as text for people.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::limits::{DIAGNOSTICS_SHOWN, SOURCE_BYTES_MAX};
use crate::source::{Source, Span};

use super::{Color, Diagnostic, Mistake, Severity};

/// Renders the first of them; `total` counts all diagnostics, also those that are not in the list.
pub(super) fn render(source: &Source, mistakes: &[Mistake<'_>], total: usize, color: Color) -> String {
    let renderer = match color {
        Color::Never => Renderer::plain(),
        Color::Always => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    let mut told = 0;
    for mistake in mistakes.iter().take(DIAGNOSTICS_SHOWN) {
        let (elsewhere, diagnostic) = (mistake.elsewhere(), mistake.first);
        let mut group = group(source, diagnostic);
        if let Some(elsewhere) = &elsewhere {
            group = group.element(Level::NOTE.message(elsewhere.as_str()));
        }
        text.push_str(&renderer.render(&[with_help(group, diagnostic)]));
        text.push_str("\n\n");
        told += mistake.count();
    }
    if total > told {
        text.push_str(&format!("... and {} more\n", total - told));
    }
    text
}

fn group<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(format!("dbgen::{}", diagnostic.code));
    if source.text.is_empty() || source.text.len() > SOURCE_BYTES_MAX {
        return title.element(Origin::path(source.name.as_str()));
    }
    let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
    let primary = AnnotationKind::Primary.span(within(&source.text, &diagnostic.span));
    snippet = snippet.annotation(if diagnostic.label.is_empty() {
        primary
    } else {
        primary.label(diagnostic.label.as_str())
    });
    for related in &diagnostic.related {
        let context = AnnotationKind::Context.span(within(&source.text, &related.span));
        snippet = snippet.annotation(context.label(related.label.as_str()));
    }
    title.element(snippet)
}

fn with_help<'a>(group: Group<'a>, diagnostic: &'a Diagnostic) -> Group<'a> {
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The span, made to lie on the text's characters whatever a parser said, and shortened to its first line: a caret under a
/// whole table shows less than one under its head.
fn within(text: &str, span: &Span) -> Span {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let first_line = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..first_line.max(start)
}
