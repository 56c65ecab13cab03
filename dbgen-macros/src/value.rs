//! Values: from Rust expressions to the schema's JSON. Literals and what is built of them alone; a schema is made before any
//! code runs.

use crate::ast::{Comma, Item, Kind, Member};
use crate::text::Json;
use dbgen::names::{snake, unraw};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, Expr, ExprCall, ExprLit, ExprPath, ExprStruct, ExprUnary, Lit, Member as FieldName, Result, UnOp};

/// A value, in the language of the schema. `items` are those of the database.
///
/// # Errors
/// The first part of it that is not a plain value.
pub(crate) fn json(expr: &Expr, items: &[Item]) -> Result<Json> {
    match expr {
        Expr::Lit(lit) => literal(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr: inner, .. }) => negative(expr, inner),
        Expr::Paren(inner) => json(&inner.expr, items),
        Expr::Group(inner) => json(&inner.expr, items),
        Expr::Array(array) => list(expr, array.elems.iter(), items),
        Expr::Macro(it) if it.mac.path.is_ident("vec") => {
            let elements = it.mac.parse_body_with(Comma::<Expr>::parse_terminated)?;
            list(expr, elements.iter(), items)
        }
        Expr::Repeat(repeat) => repeated(expr, &repeat.expr, &repeat.len, items),
        Expr::Struct(it) => structure(it, items),
        Expr::Path(path) => variant(path, items),
        Expr::Call(call) => called(call, items),
        Expr::MethodCall(call) if PASSED_THROUGH.iter().any(|it| call.method == it) && call.args.is_empty() => {
            json(&call.receiver, items)
        }
        _ => Err(no_value(expr)),
    }
}

/// Methods that turn a literal into what a field holds.
const PASSED_THROUGH: &[&str] = &["into", "to_string", "to_owned", "to_vec"];

fn no_value(expr: &Expr) -> Error {
    let message = "write the value itself, such as `100`, `\"none\"`, `[0; 8]` or `Class::Mage`: the schema is made before \
                   code runs";
    Error::new_spanned(expr, message)
}

fn literal(lit: &ExprLit) -> Result<Json> {
    Ok(match &lit.lit {
        Lit::Int(number) => Json::raw(number.base10_digits(), lit),
        Lit::Float(number) => Json::raw(float(number.base10_digits()), lit),
        Lit::Bool(flag) => Json::raw(flag.value.to_string(), lit),
        Lit::Str(text) => Json::text(text.value(), lit),
        Lit::Char(c) => Json::text(c.value(), lit),
        Lit::Byte(byte) => Json::raw(byte.value().to_string(), lit),
        Lit::ByteStr(bytes) => Json::text(base64(&bytes.value()), lit),
        _ => return Err(Error::new_spanned(lit, "no value of a schema")),
    })
}

/// A float as JSON has it: a digit on both sides of the point.
fn float(digits: &str) -> String {
    match digits.split_once('.') {
        Some((whole, rest)) if rest.is_empty() || rest.starts_with(['e', 'E']) => format!("{whole}.0{rest}"),
        _ => digits.to_owned(),
    }
}

fn negative(whole: &Expr, inner: &Expr) -> Result<Json> {
    match inner {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(number) => Ok(Json::raw(format!("-{}", number.base10_digits()), whole)),
            Lit::Float(number) => Ok(Json::raw(format!("-{}", float(number.base10_digits())), whole)),
            _ => Err(no_value(whole)),
        },
        Expr::Group(inner) => negative(whole, &inner.expr),
        Expr::Paren(inner) => negative(whole, &inner.expr),
        _ => Err(no_value(whole)),
    }
}

fn list<'a>(whole: &Expr, elements: impl Iterator<Item = &'a Expr>, items: &[Item]) -> Result<Json> {
    let elements = elements.map(|element| json(element, items)).collect::<Result<_>>()?;
    Ok(Json::list(elements, whole))
}

/// A list longer than any record has room for is a mistake, and would take its time.
pub(crate) const REPEATED_MAX: usize = 65_536;

fn repeated(whole: &Expr, element: &Expr, length: &Expr, items: &[Item]) -> Result<Json> {
    let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = length else { return Err(no_value(length)) };
    let count = number.base10_parse::<usize>().ok().filter(|count| *count <= REPEATED_MAX);
    let Some(count) = count else { return Err(Error::new_spanned(length, "a record has no room for so many")) };
    Ok(Json::list(vec![json(element, items)?; count], whole))
}

fn structure(it: &ExprStruct, items: &[Item]) -> Result<Json> {
    if let Some(rest) = &it.rest {
        return Err(Error::new_spanned(rest, "name every field: the schema is made before code runs"));
    }
    let composite = it.path.segments.last().and_then(|last| find(items, &last.ident));
    let mut object = Json::object(it);
    for field in &it.fields {
        let FieldName::Named(ident) = &field.member else {
            return Err(Error::new_spanned(field, "a field has a name"));
        };
        let plain = unraw(ident);
        let name = composite.and_then(|it| it.member(&plain)).map_or(plain, |member| member.name(Kind::Composite));
        object.add(name, ident, json(&field.expr, items)?);
    }
    Ok(object)
}

/// `Class::Mage`, or `Mage` where the field's type says of what.
fn variant(path: &ExprPath, items: &[Item]) -> Result<Json> {
    let Some(last) = path.path.segments.last() else { return Err(no_value(&Expr::Path(path.clone()))) };
    if last.ident == "None" && path.path.segments.len() == 1 {
        return Ok(Json::raw("null", path));
    }
    let is_constant = last.ident.to_string().chars().all(|c| !c.is_lowercase()) && last.ident.to_string().len() > 1;
    if is_constant && variant_of(path, items).is_none() {
        return Err(no_value(&Expr::Path(path.clone())));
    }
    Ok(Json::text(variant_name(path, items), path))
}

fn variant_of<'a>(path: &ExprPath, items: &'a [Item]) -> Option<&'a Member> {
    let mut from_end = path.path.segments.iter().rev();
    let (last, before) = (from_end.next()?, from_end.next()?);
    find(items, &before.ident)?.member(&unraw(&last.ident))
}

fn variant_name(path: &ExprPath, items: &[Item]) -> String {
    let last = path.path.segments.last().map(|last| unraw(&last.ident)).unwrap_or_default();
    variant_of(path, items).map_or_else(|| snake(&last), |member| member.name(Kind::Enumeration))
}

/// `Some(5)`, `Act::Say("hu")`, `Vec3::new(0.0, 0.0, 0.0)`, `String::from("x")`.
fn called(call: &ExprCall, items: &[Item]) -> Result<Json> {
    let whole = Expr::Call(call.clone());
    let Expr::Path(path) = &*call.func else { return Err(no_value(&whole)) };
    let mut from_end = path.path.segments.iter().rev().map(|part| &part.ident);
    let (Some(last), of) = (from_end.next(), from_end.next()) else { return Err(no_value(&whole)) };
    match (of, call.args.first()) {
        (None, Some(inner)) if last == "Some" && call.args.len() == 1 => json(inner, items),
        (Some(ty), Some(inner)) if ty == "String" && last == "from" => json(inner, items),
        (Some(ty), _) if last == "new" => new(call, ty, items),
        (Some(ty), Some(payload)) if call.args.len() == 1 && find(items, ty).is_some() => {
            let mut object = Json::object(call);
            object.add(variant_name(path, items), path, json(payload, items)?);
            Ok(object)
        }
        _ => Err(no_value(&whole)),
    }
}

fn new(call: &ExprCall, ty: &Ident, items: &[Item]) -> Result<Json> {
    let composite = find(items, ty).filter(|item| item.kind == Kind::Composite);
    let Some(composite) = composite else { return Err(no_value(&Expr::Call(call.clone()))) };
    if call.args.len() != composite.members.len() {
        let message = format!("`{ty}` has {} fields", composite.members.len());
        return Err(Error::new_spanned(call.to_token_stream(), message));
    }
    let mut object = Json::object(call);
    for (member, argument) in composite.members.iter().zip(&call.args) {
        object.add(member.name(Kind::Composite), argument, json(argument, items)?);
    }
    Ok(object)
}

fn find<'a>(items: &'a [Item], ident: &Ident) -> Option<&'a Item> {
    items.iter().find(|item| item.ident == *ident)
}

/// Bytes as the schema language writes them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| group.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    fn written(text: &str) -> Option<String> {
        let expr: Expr = syn::parse_str(text).expect("an expression");
        json(&expr, &[]).ok().map(|json| Text::of(&json).text)
    }

    #[test]
    fn literals_are_values() {
        for (rust, expected) in [
            ("1_000u32", "1000"),
            ("-0x10", "-16"),
            ("1.", "1.0"),
            ("-1.5e3", "-1.5e3"),
            ("true", "true"),
            ("\"a\\\"b\"", "\"a\\\"b\""),
            ("[0; 3]", "[0, 0, 0]"),
            ("vec![1, 2]", "[1, 2]"),
            ("Tile { x: 1, y: 2 }", "{\"x\": 1,\n\"y\": 2}"),
            ("Class::BigMage", "\"big_mage\""),
            ("None", "null"),
            ("Some(3)", "3"),
            ("\"x\".into()", "\"x\""),
            ("b\"ab\"", "\"YWI=\""),
            ("b\"abc\"", "\"YWJj\""),
        ] {
            assert_eq!(written(rust).as_deref(), Some(expected), "{rust}");
        }
    }

    #[test]
    fn code_is_no_value() {
        for rust in
            ["f()", "1 + 1", "f32::MAX", "LIMIT", "Tile { x: 1, ..Tile::default() }", "[0; N]", "-x", "[0; 99999]"]
        {
            assert_eq!(written(rust), None, "{rust}");
        }
    }
}
