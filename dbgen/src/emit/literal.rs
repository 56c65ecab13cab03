//! Values of a schema as Rust expressions: the defaults.

use super::value::{Place, count, encode, record_type, str_cell};
use crate::plan::Plan;
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::{Field, Scalar, Type, Value};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// What a record's field holds unless its author says otherwise: the schema's default, nothing, or zero.
pub(super) fn default_of_field(plan: &Plan<'_>, field: &Field) -> TokenStream {
    match &field.default {
        Some(value) if !value.is_null() => {
            let value = literal(plan, &field.ty, value);
            if field.nullable { quote!(Some(#value)) } else { value }
        }
        _ if field.nullable => quote!(None),
        _ => zero(plan, &field.ty),
    }
}

/// The value of a type that nobody gave: zero, empty, the first variant.
pub(super) fn zero(plan: &Plan<'_>, ty: &Type) -> TokenStream {
    match ty {
        Type::Scalar(scalar) => scalar_zero(*scalar),
        Type::Str(_) | Type::Text => quote!(String::new()),
        Type::Bytes | Type::List(_) => quote!(Vec::new()),
        Type::FixedBytes(n) => {
            let n = count(*n);
            quote!([0; #n])
        }
        Type::Array(element, n) => repeated(plan, element, *n),
        Type::Enum(_) | Type::Composite(_) => {
            let name = record_type(plan, ty);
            quote!(#name::default())
        }
        // An id that no record has, so that the engine refuses what nobody filled in.
        Type::Ref(_) => quote!(rt::cell::Ref::default().id()),
    }
}

fn repeated(plan: &Plan<'_>, element: &Type, n: u32) -> TokenStream {
    let (zero, n) = (zero(plan, element), count(n));
    if plan.is_copy(element) && !ends_in_enum(element) {
        quote!([#zero; #n])
    } else {
        quote!(::core::array::from_fn(|_| #zero))
    }
}

/// Whether these are enums, or arrays of them. Generated code copies no enum by itself: of one that its author forgot to make
/// `Copy` the compiler then says so once, and not at every use.
fn ends_in_enum(ty: &Type) -> bool {
    match ty {
        Type::Array(element, _) => ends_in_enum(element),
        ty => matches!(ty, Type::Enum(_)),
    }
}

fn scalar_zero(scalar: Scalar) -> TokenStream {
    match scalar.desc().kind {
        ScalarKind::Int { .. } => quote!(0),
        ScalarKind::Float { .. } => quote!(0.0),
        ScalarKind::Bool => quote!(false),
        ScalarKind::Timestamp => quote!(rt::Timestamp::ZERO),
        ScalarKind::Duration => quote!(rt::Duration::ZERO),
        ScalarKind::Uuid => quote!(rt::Uuid::NIL),
    }
}

/// A value of a type, as it stands in a record. The checker has made sure that it is of the type; where it is not, the
/// type's zero stands instead of a panic.
pub(super) fn literal(plan: &Plan<'_>, ty: &Type, value: &Value) -> TokenStream {
    match (ty, value) {
        (Type::Scalar(scalar), value) => scalar_literal(*scalar, value),
        (Type::Str(_) | Type::Text, Value::Text(text)) => quote!(String::from(#text)),
        (Type::FixedBytes(_), Value::Bytes(bytes)) => {
            let bytes = byte_string(bytes);
            quote!(*#bytes)
        }
        (Type::Bytes, Value::Bytes(bytes)) => {
            let bytes = byte_string(bytes);
            quote!(#bytes.to_vec())
        }
        (Type::Array(element, n), Value::List(values)) if values.len() == *n as usize => {
            if let [first, rest @ ..] = values.as_slice()
                && plan.is_copy(element)
                && !ends_in_enum(element)
                && rest.iter().all(|value| value == first)
            {
                let (value, n) = (literal(plan, element, first), count(*n));
                return quote!([#value; #n]);
            }
            let values = values.iter().map(|value| literal(plan, element, value));
            quote!([#(#values),*])
        }
        (Type::List(element), Value::List(values)) if !values.is_empty() => {
            let values = values.iter().map(|value| literal(plan, element, value));
            quote!(vec![#(#values),*])
        }
        (Type::Enum(idx), Value::Enum(number, payload)) => {
            let it = &plan.enums[idx.at()];
            let Some((variant, of)) = it.variants.iter().find(|(_, variant)| variant.number == *number) else {
                return zero(plan, ty);
            };
            let name = &it.name;
            match (&of.payload, payload) {
                (Some(ty), Some(value)) => {
                    let value = literal(plan, ty, value);
                    quote!(#name::#variant(#value))
                }
                (Some(ty), None) => {
                    let value = zero(plan, ty);
                    quote!(#name::#variant(#value))
                }
                (None, _) => quote!(#name::#variant),
            }
        }
        (Type::Composite(idx), Value::Struct(values)) => composite_literal(plan, idx.at(), values),
        (ty, _) => zero(plan, ty),
    }
}

fn composite_literal(plan: &Plan<'_>, idx: usize, values: &[Value]) -> TokenStream {
    let it = &plan.composites[idx];
    let (name, names) = (&it.name, &it.fields);
    let fields = it.composite.fields.iter().zip(values).map(|(field, value)| member_literal(plan, field, value));
    if !it.is_cells() {
        return quote!(#name { #(#names: #fields),* });
    }
    let arguments = fields.zip(values).zip(&it.composite.fields).map(|((literal, value), field)| match &field.ty {
        ty if plan.is_value(ty) => literal,
        ty => cell_literal(plan, ty, Some(value)),
    });
    quote!(#name::new(#(#arguments),*))
}

/// A value as it stands in a composite of cells; without one, the zero of the type.
pub(super) fn cell_literal(plan: &Plan<'_>, ty: &Type, value: Option<&Value>) -> TokenStream {
    match (ty, value) {
        (Type::Str(n), Some(Value::Text(text))) => {
            let (cell, n) = (str_cell(*n), count(*n));
            quote!(rt::cell::#cell::<#n>::try_new(#text).unwrap_or_default())
        }
        (Type::Array(element, _), Some(Value::List(values))) if !plan.is_value(ty) => {
            let values = values.iter().map(|value| cell_literal(plan, element, Some(value)));
            quote!(rt::cell::Array::of([#(#values),*]))
        }
        (Type::Str(_) | Type::Array(..), None) => quote!(Default::default()),
        (Type::Composite(_), None) => zero(plan, ty),
        (Type::Composite(_), Some(value)) => literal(plan, ty, value),
        (ty, value) => {
            let value = value.map_or_else(|| zero(plan, ty), |value| literal(plan, ty, value));
            encode(plan, ty, &quote!(0), &Place::Field(&value))
        }
    }
}

fn member_literal(plan: &Plan<'_>, field: &Field, value: &Value) -> TokenStream {
    match (field.nullable, value) {
        (true, Value::Null) => quote!(None),
        (true, value) => {
            let value = literal(plan, &field.ty, value);
            quote!(Some(#value))
        }
        (false, value) => literal(plan, &field.ty, value),
    }
}

fn scalar_literal(scalar: Scalar, value: &Value) -> TokenStream {
    match (scalar.desc().kind, value) {
        (ScalarKind::Int { .. }, Value::Int(value)) => integer(*value),
        (ScalarKind::Float { .. }, Value::Int(value)) => float(scalar, *value as f64),
        (ScalarKind::Float { .. }, Value::Float(value)) => float(scalar, *value),
        (ScalarKind::Bool, Value::Bool(value)) => quote!(#value),
        (ScalarKind::Timestamp, Value::Int(micros)) => {
            let micros = integer(*micros);
            quote!(rt::Timestamp::from_micros(#micros))
        }
        (ScalarKind::Duration, Value::Int(micros)) => {
            let micros = integer(*micros);
            quote!(rt::Duration::from_micros(#micros))
        }
        (ScalarKind::Uuid, Value::Bytes(bytes)) if bytes.len() == 16 => {
            let bytes = byte_string(bytes);
            quote!(rt::Uuid::from_bytes(*#bytes))
        }
        _ => scalar_zero(scalar),
    }
}

/// An integer without a suffix.
pub(super) fn integer(value: i128) -> TokenStream {
    let magnitude = Literal::u128_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#magnitude) } else { quote!(#magnitude) }
}

/// A float without a suffix: the shortest text that reads as the same number.
fn float(scalar: Scalar, value: f64) -> TokenStream {
    let is_f32 = scalar == Scalar::F32;
    let ty = if is_f32 { quote!(f32) } else { quote!(f64) };
    if value.is_nan() {
        return quote!(#ty::NAN);
    }
    if value.is_infinite() || (is_f32 && (value as f32).is_infinite()) {
        return if value > 0.0 { quote!(#ty::INFINITY) } else { quote!(#ty::NEG_INFINITY) };
    }
    let magnitude =
        if is_f32 { Literal::f32_unsuffixed((value as f32).abs()) } else { Literal::f64_unsuffixed(value.abs()) };
    if value.is_sign_negative() { quote!(-#magnitude) } else { quote!(#magnitude) }
}

fn byte_string(bytes: &[u8]) -> Literal {
    Literal::byte_string(bytes)
}
