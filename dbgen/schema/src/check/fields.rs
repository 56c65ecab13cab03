//! Fields of tables and composites: their types, and attributes that fit the type and each other.

use crate::diagnostic::{Finding, code};
use crate::field_type::{Scalar, ScalarKind, Type};
use crate::model::{Field, Schema, StableId};
use crate::raw::RawField;
use crate::source::Span;

use super::Checker;
use super::resolve::Place;

/// What stands for a type that could not be understood; nobody looks at it, the field is marked unsound.
const UNKNOWN: Type = Type::Scalar(Scalar::U8);

impl Checker<'_> {
    /// A field without its group and its values, and whether its type was understood.
    pub(super) fn field(&mut self, raw: &RawField, place: Place) -> (Field, bool) {
        let ty = raw.ty.as_ref().and_then(|text| self.resolve(text, place));
        let sound = ty.is_some();
        let field = Field {
            id: StableId(raw.id.as_ref().map_or(0, |id| id.value)),
            name: raw.name.value.clone(),
            description: raw.description.clone(),
            ty: ty.unwrap_or(UNKNOWN),
            nullable: raw.nullable.is_set(),
            default: None,
            min: None,
            max: None,
            unique: raw.unique.is_set(),
            primary_key: raw.primary_key.is_set(),
            indexed: raw.indexed.is_set(),
            auto_increment: raw.auto_increment.is_set(),
            allow_nan: raw.allow_nan.is_set(),
            group: 0,
            renamed_from: raw.renamed_from.as_ref().map(|name| name.value.clone()),
            line: self.lines.line(raw.name.span.start),
        };
        self.check_nullable(raw);
        if sound {
            self.check_attributes(raw, &field.ty);
        }
        (field, sound)
    }

    fn check_nullable(&mut self, raw: &RawField) {
        let Some(nullable) = raw.nullable.span() else { return };
        if let Some(primary_key) = raw.primary_key.span() {
            let finding = Finding::error(code::NULLABLE_PRIMARY_KEY, nullable, "a primary key is never null");
            self.report.push(
                finding.related(primary_key, "the primary key").help("use `unique` for a value that may be missing"),
            );
        }
        if let Some(auto) = raw.auto_increment.span() {
            let finding = Finding::error(code::AUTO_INCREMENT, nullable, "a numbered field is never null");
            self.report.push(finding.related(auto, "numbered here"));
        }
    }

    fn check_attributes(&mut self, raw: &RawField, ty: &Type) {
        if let Some(span) = raw.auto_increment.span() {
            let is_int = matches!(ty, Type::Scalar(scalar) if matches!(scalar.desc().kind, ScalarKind::Int { .. }));
            if !is_int {
                let finding = Finding::error(code::AUTO_INCREMENT, span, "only an integer can be numbered");
                self.report.push(finding.help("use `u32` or `u64`"));
            }
            if let Some(default) = &raw.default {
                let finding = Finding::error(code::AUTO_INCREMENT, &default.span, "a numbered field has no default");
                self.report.push(finding.related(span, "numbered here"));
            }
        }
        if let Some(span) = raw.allow_nan.span().filter(|_| !holds_float(ty)) {
            let message = "`allow_nan` is for floats";
            self.report.push(Finding::error(code::ALLOW_NAN, span, message).label("this field holds none"));
        }
    }

    /// Reports the attributes of a table's field that need an index on a type that can have none.
    pub(super) fn check_indexable(&mut self, raw: &RawField, ty: &Type) {
        let asked_by =
            [("unique", raw.unique.span()), ("primary_key", raw.primary_key.span()), ("indexed", raw.indexed.span())];
        let Some(reason) = not_indexable(&self.schema, ty) else { return };
        for (attribute, span) in asked_by {
            if let Some(span) = span {
                self.report.push(
                    not_indexable_finding(span, &raw.name.value, reason).label(format!("`{attribute}` needs one")),
                );
                return;
            }
        }
    }

    /// Every primary key but the first of a table.
    pub(super) fn check_primary_keys(&mut self, fields: &[RawField]) {
        let mut keys = fields.iter().filter_map(|field| field.primary_key.span());
        let Some(first) = keys.next() else { return };
        for other in keys {
            let finding =
                Finding::error(code::PRIMARY_KEYS, other, "a second primary key").related(first, "the first one");
            let help = "for a key of several fields write a unique index: \
                        `\"indexes\": [{ \"fields\": [\"a\", \"b\"], \"unique\": true }]`";
            self.report.push(finding.help(help));
        }
    }
}

pub(super) fn not_indexable_finding(span: &Span, field: &str, reason: &str) -> Finding {
    Finding::error(code::NOT_INDEXABLE, span, format!("`{field}` cannot have an index: {reason}"))
}

/// Why values of this type cannot be ordered and found; `None` if they can.
pub(super) fn not_indexable(schema: &Schema, ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(_) | Type::Array(..) => Some("it is a list"),
        Type::Composite(_) => Some("it is a composite; index its parts as fields of their own"),
        Type::Enum(idx) if schema.enums[idx.at()].variants.iter().any(|variant| variant.payload.is_some()) => {
            Some("its variants have payloads")
        }
        _ => None,
    }
}

fn holds_float(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => matches!(scalar.desc().kind, ScalarKind::Float { .. }),
        Type::Array(element, _) | Type::List(element) => holds_float(element),
        _ => false,
    }
}
