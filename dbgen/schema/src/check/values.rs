//! Defaults and bounds: values that fit their fields.

use crate::diagnostic::{Code, Finding, code};
use crate::field_type::{ScalarKind, Type};
use crate::json::{self, Problem, decode, decode_field};
use crate::model::{CompositeIdx, Field, FieldIdx, Schema, TableIdx};
use crate::raw::RawField;
use crate::tree::Node;
use crate::value::Value;

use super::Checker;

/// Whose field it is.
#[derive(Clone, Copy)]
enum Owner {
    Composite(CompositeIdx),
    Table(TableIdx),
}

impl Checker<'_> {
    /// Gives every field its `min`, `max` and `default`; those of composites first, since a table's default may leave
    /// fields of a composite to theirs.
    pub(super) fn values(&mut self) {
        let raw = self.raw;
        for idx in self.composites_in_order.clone() {
            for (at, field) in raw.composites[idx.at()].fields.iter().enumerate() {
                self.field_values(field, Owner::Composite(idx), FieldIdx(at as u32));
            }
        }
        for (table_at, table) in raw.tables.iter().enumerate() {
            let idx = TableIdx(table_at as u32);
            for (at, field) in table.fields.iter().enumerate() {
                let field_idx = FieldIdx(at as u32);
                if self.sound.field(idx, field_idx) {
                    self.field_values(field, Owner::Table(idx), field_idx);
                }
            }
        }
    }

    fn field_mut(&mut self, owner: Owner, field: FieldIdx) -> &mut Field {
        match owner {
            Owner::Composite(idx) => &mut self.schema.composites[idx.at()].fields[field.at()],
            Owner::Table(idx) => &mut self.schema.tables[idx.at()].fields[field.at()],
        }
    }

    fn field_values(&mut self, raw: &RawField, owner: Owner, idx: FieldIdx) {
        let field = self.field_mut(owner, idx).clone();
        if !self.sound.ty(&field.ty) {
            return;
        }
        let min = raw.min.as_ref().and_then(|node| self.bound(node, "min", &field.ty));
        let max = raw.max.as_ref().and_then(|node| self.bound(node, "max", &field.ty));
        if let (Some(min), Some(max)) = (&min, &max)
            && min > max
            && let (Some(min_node), Some(max_node)) = (&raw.min, &raw.max)
        {
            let finding = Finding::error(code::BOUNDS_REVERSED, &max_node.span, "`max` is smaller than `min`");
            self.report.push(finding.related(&min_node.span, "the minimum"));
            return;
        }
        let field = Field { min, max, ..field };
        let default = raw.default.as_ref().and_then(|node| self.default(node, &field));
        *self.field_mut(owner, idx) = Field { default, ..field };
    }

    fn bound(&mut self, node: &Node, key: &str, ty: &Type) -> Option<Value> {
        let ordered =
            matches!(ty, Type::Scalar(scalar) if !matches!(scalar.desc().kind, ScalarKind::Bool | ScalarKind::Uuid));
        if !ordered {
            let message = format!("`{key}` is for numbers and times");
            let finding = Finding::error(code::BOUND_NOT_ALLOWED, &node.span, message).label("this field is neither");
            let help = matches!(ty, Type::Str(_) | Type::Text).then_some("`str<N>` bounds the length of a text");
            self.report.push(finding.help_if(help));
            return None;
        }
        self.decoded(node, key, |schema, json, problems| decode(schema, ty, false, json, problems, ""))
    }

    fn default(&mut self, node: &Node, field: &Field) -> Option<Value> {
        if matches!(field.ty, Type::Ref(_)) {
            let message = "a reference has no default";
            let finding = Finding::error(code::DEFAULT_NOT_ALLOWED, &node.span, message);
            self.report.push(finding.label("no record is known yet").help("use `\"nullable\": true`"));
            return None;
        }
        let value =
            self.decoded(node, "default", |schema, json, problems| decode_field(schema, field, json, problems, ""))?;
        if field.unique || field.primary_key {
            let message = format!("`{}` is unique, so its default serves one record only", field.name);
            self.report.push(Finding::warning(code::DEFAULT_OF_UNIQUE, &node.span, message));
        }
        // A null is what a nullable field holds anyway.
        (!value.is_null()).then_some(value)
    }

    fn decoded(
        &mut self,
        node: &Node,
        key: &str,
        decode: impl FnOnce(&Schema, &serde_json::Value, &mut Vec<Problem>) -> Option<Value>,
    ) -> Option<Value> {
        let mut problems = Vec::new();
        let value = decode(&self.schema, &node.to_json(), &mut problems);
        for problem in problems {
            let span = node.span_at(&problem.pointer, problem.code == json::code::UNKNOWN_FIELD);
            let message = format!("the `{key}` does not fit: {}", problem.detail);
            let mut finding = Finding::error(code_of(&problem), &span, message);
            if let Some(expected) = problem.expected {
                finding = finding.label(format!("expected {expected}"));
            }
            // An unknown field says it in its detail already.
            let suggestion = problem.suggestion.filter(|_| problem.code != json::code::UNKNOWN_FIELD);
            self.report.push(finding.help_if(suggestion.map(|name| format!("did you mean `{name}`?"))));
        }
        value
    }
}

fn code_of(problem: &Problem) -> Code {
    match problem.code {
        json::code::OUT_OF_RANGE => code::VALUE_OUT_OF_RANGE,
        json::code::TOO_LONG | json::code::WRONG_LENGTH => code::VALUE_TOO_LONG,
        json::code::UNKNOWN_VARIANT => code::UNKNOWN_VARIANT,
        json::code::UNKNOWN_FIELD => code::UNKNOWN_FIELD,
        json::code::NOT_NULLABLE => code::NULL_VALUE,
        _ => code::INVALID_VALUE,
    }
}
