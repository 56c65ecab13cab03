//! Parameters of a method: by name, or by place in the order that the method lists them.

use crate::id::RecordId;
use crate::server::batch::id_of_json;
use crate::server::json;
use crate::server::params::{invalid_parameter, unknown_parameter};
use crate::server::problem::{Kind, Mistakes, Problem};
use crate::server::role::Grant;
use serde_json::{Map, Value as Json};

/// A parameter of a method.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    /// Its JSON type, as JSON Schema names it.
    pub(super) json_type: &'static str,
    pub(super) required: bool,
}

/// A parameter that must be given.
pub(super) const fn required(name: &'static str, json_type: &'static str) -> Param {
    Param { name, json_type, required: true }
}

/// A parameter that may be left out.
pub(super) const fn optional(name: &'static str, json_type: &'static str) -> Param {
    Param { name, json_type, required: false }
}

/// The parameters that were given, and what who gave them may do.
#[derive(Debug)]
pub(super) struct Args(Map<String, Json>, Grant);

impl Args {
    /// Sorts them by name, and refuses what the method does not take. A null is as good as nothing.
    pub(super) fn read(params: Option<Json>, known: &[Param], grant: Grant) -> Result<Args, Problem> {
        let mut given = match params {
            None => Map::new(),
            Some(Json::Object(members)) => members,
            Some(Json::Array(list)) if list.len() > known.len() => {
                let detail = format!("the method takes {} parameters, not {}", known.len(), list.len());
                return Err(Problem::new(Kind::UnknownParameter, detail));
            }
            Some(Json::Array(list)) => known.iter().map(|param| param.name.to_owned()).zip(list).collect(),
            Some(other) => return Err(wrong_type("params", "a list or an object", &other)),
        };
        let mut mistakes = Mistakes::default();
        for name in given.keys().filter(|name| known.iter().all(|param| param.name != **name)) {
            mistakes.push(unknown_parameter(name, known.iter().map(|param| param.name)));
        }
        given.retain(|_, value| !value.is_null());
        for param in known.iter().filter(|param| param.required && !given.contains_key(param.name)) {
            let detail = format!("the parameter `{}` is missing", param.name);
            mistakes.push(Problem::new(Kind::MissingParameter, detail).member("param", param.name));
        }
        // Who mistypes a name that is needed leaves it out too: the name is what is wrong.
        mistakes.check(Kind::UnknownParameter)?;
        Ok(Args(given, grant))
    }

    /// What who calls may do.
    pub(super) fn grant(&self) -> Grant {
        self.1.clone()
    }

    /// A parameter, if it is a text.
    pub(super) fn peek_text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Problem> {
        Ok(self.optional_text(name)?.unwrap_or_default())
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(name, "a string", &other)),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(given) = self.optional_text(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| Some(*meaning));
        found.ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            invalid_parameter(name, &given, &format!("one of {}", known.join(", ")))
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.0.remove(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(flag),
            Some(other) => Err(wrong_type(name, "true or false", &other)),
        }
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<usize>, Problem> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(json) => match json.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => Ok(Some(count)),
                None => Err(wrong_type(name, "a whole number", &json)),
            },
        }
    }

    pub(super) fn id(&mut self, table: &str) -> Result<RecordId, Problem> {
        id_of_json(&self.0.remove("id").unwrap_or(Json::Null), table)
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Map<String, Json>, Problem> {
        match self.0.remove(name) {
            None => Ok(Map::new()),
            Some(Json::Object(object)) => Ok(object),
            Some(other) => Err(wrong_type(name, "an object", &other)),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Json>, Problem> {
        match self.0.remove(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(list)) => Ok(list),
            Some(other) => Err(wrong_type(name, "a list", &other)),
        }
    }

    /// What is left, as an object.
    pub(super) fn rest(self) -> Map<String, Json> {
        self.0
    }
}

fn wrong_type(name: &str, expected: &str, got: &Json) -> Problem {
    let detail = format!("`{name}` must be {expected}, not {}", json::describe(got));
    Problem::new(Kind::InvalidParameter, detail).member("param", name).member("expected", expected)
}
