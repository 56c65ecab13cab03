//! The text of a type becomes a [`Type`]: its names exist, its lengths are possible.

use crate::diagnostic::{Finding, code};
use crate::field_type::{SCALARS, Scalar, Type};
use crate::limits::RECORD_BYTES_MAX;
use crate::source::{At, Span, shown};
use crate::type_expr::{self, Length, TypeExpr, TypeShape};

use super::{Checker, TypeName, foreign};

/// Where a type stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// The type of a table's field.
    Field,
    /// Inside a composite, a payload, a list or an array.
    Inside,
}

/// Types that are no types of the language itself, beside scalars.
const BUILT_IN: &[&str] = &["str", "text", "bytes", "list", "ref"];

impl Checker<'_> {
    /// The type that a text names.
    pub(super) fn resolve(&mut self, text: &At<String>, place: Place) -> Option<Type> {
        match type_expr::parse(&text.value) {
            Ok(expr) => self.resolve_expr(text, &expr, place),
            Err(error) => {
                let message = format!("`{}` is not how a type is written", shown(&text.value));
                let finding = Finding::error(code::MALFORMED_TYPE, &part(text, &error.span), message);
                let finding = finding.label(format!("expected {}", error.expected));
                self.report.push(finding.help_if(foreign::help(&text.value)));
                None
            }
        }
    }

    fn resolve_expr(&mut self, text: &At<String>, expr: &TypeExpr, place: Place) -> Option<Type> {
        let span = part(text, &expr.span);
        match &expr.shape {
            TypeShape::Name(name) => self.resolve_name(name, &span),
            TypeShape::Sized(head, length) => {
                let n = self.length(text, length, u16::MAX.into(), "65,535");
                match head.as_str() {
                    "str" => Some(Type::Str(n? as u16)),
                    "bytes" => Some(Type::FixedBytes(n? as u16)),
                    "list" => {
                        self.not_generic(head, &span, "any number of a type is `list<u8>`, five of it are `[u8; 5]`")
                    }
                    _ => self.not_generic(head, &span, "only `str<16>` and `bytes<16>` take a number"),
                }
            }
            TypeShape::Of(head, inner) => match head.as_str() {
                "list" => Some(Type::List(Box::new(self.resolve_expr(text, inner, Place::Inside)?))),
                "ref" => self.resolve_ref(text, inner, &span, place),
                "str" | "bytes" => {
                    let message = format!("`{head}<...>` takes a number");
                    let finding = Finding::error(code::MALFORMED_TYPE, &part(text, &inner.span), message);
                    self.report.push(finding.label("not a number").help(format!("for example `{head}<16>`")));
                    None
                }
                _ => self.not_generic(head, &span, "only `list<...>` and `ref<...>` take a type"),
            },
            TypeShape::Array(element, length) => {
                let element = self.resolve_expr(text, element, Place::Inside);
                let n = self.length(text, length, RECORD_BYTES_MAX as u32, "65,536");
                Some(Type::Array(Box::new(element?), n?))
            }
        }
    }

    fn resolve_name(&mut self, name: &str, span: &Span) -> Option<Type> {
        if let Some(scalar) = Scalar::from_name(name) {
            return Some(Type::Scalar(scalar));
        }
        match (name, self.types.get(name)) {
            ("text", _) => return Some(Type::Text),
            ("bytes", _) => return Some(Type::Bytes),
            (_, Some(TypeName::Composite(idx))) => return Some(Type::Composite(*idx)),
            (_, Some(TypeName::Enum(idx))) => return Some(Type::Enum(*idx)),
            _ => {}
        }
        let help = match name {
            "str" => Some("say how many bytes it has: `str<16>`; or use `text`".to_string()),
            "list" => Some("say what it is a list of: `list<u16>`".to_string()),
            "ref" => Some("say which table it refers to: `ref<player>`".to_string()),
            _ => self.suggest_type(name),
        };
        let message = format!("unknown type `{}`", shown(name));
        let finding = Finding::error(code::UNKNOWN_TYPE, span, message).label("not a type of this schema");
        self.report.push(finding.help_if(help));
        None
    }

    fn suggest_type(&mut self, name: &str) -> Option<String> {
        if let Some(table) = self.tables.keys().find(|table| table.eq_ignore_ascii_case(name)) {
            return Some(format!("to refer to a record of that table: `ref<{table}>`"));
        }
        if let Some(instead) = foreign::instead(name) {
            return Some(format!("use {instead}"));
        }
        let built_in = SCALARS.iter().map(|desc| desc.name).chain(BUILT_IN.iter().copied());
        self.report.did_you_mean(name, built_in.chain(self.types.keys().copied()))
    }

    fn not_generic(&mut self, head: &str, span: &Span, rule: &str) -> Option<Type> {
        let help = foreign::instead(head).map_or_else(|| rule.to_string(), |instead| format!("use {instead}"));
        let message = format!("unknown type `{}<...>`", shown(head));
        self.report.push(Finding::error(code::UNKNOWN_TYPE, span, message).label("not a type").help(help));
        None
    }

    fn resolve_ref(&mut self, text: &At<String>, inner: &TypeExpr, span: &Span, place: Place) -> Option<Type> {
        let TypeShape::Name(name) = &inner.shape else {
            let message = "`ref<...>` takes the name of a table";
            self.report.push(Finding::error(code::MALFORMED_TYPE, &part(text, &inner.span), message));
            return None;
        };
        let table = self.table_named(&At { value: name.clone(), span: part(text, &inner.span) });
        if place == Place::Inside {
            let message = "a reference must be the whole type of a table's field";
            let finding = Finding::error(code::NESTED_REF, span, message).label("inside another type");
            let help = "the engine keeps references whole through an index on the field: use a table of its own with a \
                        `ref` to each side, or store the id as `u64`";
            self.report.push(finding.help(help));
            return None;
        }
        table.map(Type::Ref)
    }

    fn length(&mut self, text: &At<String>, length: &Length, max: u32, max_text: &str) -> Option<u32> {
        let span = part(text, &length.span);
        match length.value {
            Some(0) => {
                let finding = Finding::error(code::ZERO_LENGTH, &span, "a length of 0").label("at least 1");
                self.report.push(finding);
                None
            }
            Some(n) if n <= max => Some(n),
            _ => {
                let finding = Finding::error(code::LENGTH_TOO_LARGE, &span, "this length is too large");
                let finding = finding.label(format!("at most {max_text}"));
                self.report.push(finding.help("`text`, `bytes` and `list<...>` have no fixed length"));
                None
            }
        }
    }
}

/// Where a part of a type's text stands in the file; the whole literal if the part is all of it, or if escapes in the
/// literal hide where it is.
fn part(text: &At<String>, range: &Span) -> Span {
    let whole = range.start == 0 && range.end >= text.value.len();
    if whole || text.span.len() != text.value.len() + 2 {
        return text.span.clone();
    }
    let start = text.span.start + 1;
    start + range.start..start + range.end
}
