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

/// What the holder of a token may do, and with the records of which tables.
///
/// One that is for some tables reads and writes their records and no others'. It may see the schema and the figures of all;
/// it edits no schema and calls no procedures, whatever its role. References may name records of other tables, and what a
/// deletion does to others it does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    role: Role,
    /// `None` = all.
    tables: Option<Vec<String>>,
}

impl Grant {
    /// For the records of these tables alone.
    pub fn for_tables(role: Role, tables: impl IntoIterator<Item = impl Into<String>>) -> Grant {
        Grant { role, tables: Some(tables.into_iter().map(Into::into).collect()) }
    }

    /// All of it in words: two that differ in anything differ in these.
    pub(crate) fn words(&self) -> String {
        match &self.tables {
            None => self.role.name().to_owned(),
            Some(tables) => format!("{} {}", self.role.name(), tables.join(" ")),
        }
    }

    /// Its role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// That it allows a request; gives what the request needs.
    pub(crate) fn check_request(&self, method: &Method, uri: &Uri) -> Result<Role, Problem> {
        let needed = Role::needed(method, uri);
        self.check(needed)?;
        let mut steps = uri.path().split('/').skip(1);
        if let (Some("table"), Some(table), Some("record" | "records" | "query" | "by")) =
            (steps.next(), steps.next(), steps.next())
        {
            self.check_table(table)?;
        }
        Ok(needed)
    }

    /// That it allows what needs this role. What concerns more than records is not for who has some tables.
    pub(crate) fn check(&self, needed: Role) -> Result<(), Problem> {
        self.role.check(needed)?;
        if self.tables.is_some() && needed >= Role::Schema {
            return Err(self.refusal("the token is for the records of some tables alone".to_owned()));
        }
        Ok(())
    }

    /// That it allows to use the records of this table.
    pub(crate) fn check_table(&self, table: &str) -> Result<(), Problem> {
        match &self.tables {
            Some(tables) if !tables.iter().any(|allowed| allowed == table) => {
                Err(self.refusal(format!("the token is not for the table `{table}`")))
            }
            _ => Ok(()),
        }
    }

    /// That it allows to call the game's procedures, which may do anything.
    pub(crate) fn check_procedure(&self) -> Result<(), Problem> {
        match self.tables {
            Some(_) => {
                Err(self
                    .refusal("the token is for the records of some tables alone: it calls no procedures".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn refusal(&self, detail: String) -> Problem {
        let tables = self.tables.clone().unwrap_or_default();
        Problem::new(Kind::Forbidden, detail).member("role", self.role.name()).member("tables", tables)
    }
}

/// A role, for all tables.
impl From<Role> for Grant {
    fn from(role: Role) -> Grant {
        Grant { role, tables: None }
    }
}

/// That of who asks, which the guard has found out.
impl<S: Send + Sync> FromRequestParts<S> for Grant {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Grant>().cloned().unwrap_or(Grant::for_tables(Role::Reader, [""; 0])))
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
