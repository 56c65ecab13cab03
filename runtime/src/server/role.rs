//! Who may do what.

use super::problem::{Kind, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use std::convert::Infallible;

/// What the holder of a token may do: each may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Reader,
    /// Writes records and calls procedures.
    Writer,
    /// Edits the schema.
    Schema,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Role; 4] = [Role::Reader, Role::Writer, Role::Schema, Role::Admin];

    /// Its name: `reader`, `writer`, `schema`, `admin`.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Writer => "writer",
            Role::Schema => "schema",
            Role::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What a request needs. JSON-RPC is let through: its methods need what they need.
    pub(crate) fn needed(method: &Method, uri: &Uri) -> Role {
        let path = uri.path();
        let mut steps = path.split('/').skip(1);
        let (first, third) = (steps.next().unwrap_or_default(), steps.nth(1).unwrap_or_default());
        match (first, third) {
            _ if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) => Role::Reader,
            ("rpc", _) | ("table", "query") => Role::Reader,
            ("batch", _) | ("table", "record" | "records") => Role::Writer,
            ("table" | "relation" | "schema", _) => Role::Schema,
            _ => Role::Admin,
        }
    }

    /// That the holder of this role may do what needs another.
    pub(crate) fn check(self, needed: Role) -> Result<(), Problem> {
        if self >= needed {
            return Ok(());
        }
        let detail = format!("this needs the role `{}`, and the token has `{}`", needed.name(), self.name());
        Err(Problem::new(Kind::Forbidden, detail).member("role", self.name()).member("needed", needed.name()))
    }
}

/// The role of who asks, which the guard has found out.
impl<S: Send + Sync> FromRequestParts<S> for Role {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Role>().copied().unwrap_or(Role::Reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_needs() {
        for (method, path, role) in [
            (Method::GET, "/table/t/record/1", Role::Reader),
            (Method::POST, "/table/t/query", Role::Reader),
            (Method::POST, "/rpc", Role::Reader),
            (Method::POST, "/table/t/record", Role::Writer),
            (Method::DELETE, "/table/t/records", Role::Writer),
            (Method::PATCH, "/table/t/record/1", Role::Writer),
            (Method::POST, "/batch", Role::Writer),
            (Method::POST, "/table", Role::Schema),
            (Method::DELETE, "/table/record", Role::Schema),
            (Method::POST, "/table/t/field", Role::Schema),
            (Method::PUT, "/schema", Role::Schema),
            (Method::DELETE, "/relation/r", Role::Schema),
            (Method::POST, "/snapshot", Role::Admin),
        ] {
            assert_eq!(Role::needed(&method, &path.parse().unwrap()), role, "{method} {path}");
        }
        assert!(Role::Admin.check(Role::Schema).is_ok() && Role::Writer.check(Role::Schema).is_err());
        assert_eq!(Role::from_name("writer"), Some(Role::Writer));
    }
}
