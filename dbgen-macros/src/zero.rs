//! `#[field(default)]`: the value of a type that nobody gave, as the schema writes it.

use crate::ast::{Item, Kind, Member};
use crate::attr::{self, Value};
use crate::text::Json;
use crate::types::{self, Names};
use crate::value;
use quote::{ToTokens, quote};
use syn::Result;

/// The zero of a type, given as the schema writes it: `list<u16>`. `None` for a reference, which has none.
///
/// # Errors
/// If a composite's own default is not a plain value.
pub(crate) fn zero(ty: &str, items: &[Item], names: &dyn Names, at: &dyn ToTokens) -> Result<Option<Json>> {
    let raw = |text: &str| Ok(Some(Json::raw(text, at)));
    if let Some((element, count)) = ty.strip_prefix('[').and_then(|it| it.strip_suffix(']')?.rsplit_once("; ")) {
        let count = count.parse::<usize>().unwrap_or_default().min(value::REPEATED_MAX);
        let element = zero(element, items, names, at)?;
        return Ok(element.map(|element| Json::list(vec![element; count], at)));
    }
    if let Some(count) = ty.strip_prefix("bytes<").and_then(|it| it.strip_suffix('>')) {
        let count = count.parse::<u16>().unwrap_or_default();
        return Ok(Some(Json::text(value::base64(&vec![0; count.into()]), at)));
    }
    match ty {
        "bool" => raw("false"),
        "timestamp" => raw("\"1970-01-01T00:00:00Z\""),
        "uuid" => raw("\"00000000-0000-0000-0000-000000000000\""),
        "text" | "bytes" => raw("\"\""),
        _ if ty.starts_with("str<") => raw("\"\""),
        _ if ty.starts_with("list<") => raw("[]"),
        _ if ty.starts_with("ref<") => Ok(None),
        _ => match items.iter().find(|item| item.kind != Kind::Table && item.name() == ty) {
            Some(item) if item.kind == Kind::Composite => composite(item, items, names, at),
            Some(item) => enumeration(item, items, names, at),
            None => raw("0"),
        },
    }
}

fn composite(item: &Item, items: &[Item], names: &dyn Names, at: &dyn ToTokens) -> Result<Option<Json>> {
    let mut object = Json::object(at);
    for member in &item.members {
        let default = attr::find(&member.settings, "default");
        let value = match default.map(|setting| &setting.value) {
            Some(Value::Expr(expr)) => Some(value::json(expr, items)?),
            _ => of_member(item, member, items, names, at)?,
        };
        let Some(value) = value else { return Ok(None) };
        object.add(member.name(Kind::Composite), at, value);
    }
    Ok(Some(object))
}

fn enumeration(item: &Item, items: &[Item], names: &dyn Names, at: &dyn ToTokens) -> Result<Option<Json>> {
    let Some(first) = item.members.first() else { return Ok(None) };
    let name = first.name(Kind::Enumeration);
    if first.ty.is_none() {
        return Ok(Some(Json::text(name, at)));
    }
    let payload = of_member(item, first, items, names, at)?;
    let mut object = Json::object(at);
    object.add_some(&name, quote!(), payload);
    Ok(Some(object))
}

fn of_member(
    item: &Item,
    member: &Member,
    items: &[Item],
    names: &dyn Names,
    at: &dyn ToTokens,
) -> Result<Option<Json>> {
    let Some(ty) = &member.ty else { return Ok(None) };
    let (is_nullable, inner) = types::nullable(ty);
    if is_nullable {
        return Ok(Some(Json::raw("null", at)));
    }
    let pieces = types::pieces(inner, item.is_cells(), names)?;
    let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    zero(&text, items, names, at)
}
