//! The lock file of a schema, as a build sees it: it gives the schema its ids, and is never written. Where the schema has
//! moved on since, whoever builds is told; where the two contradict each other, nothing is built.

use crate::Error;
use dbgen_schema::Schema;
use dbgen_schema::lock::{Drift, Lock};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a schema has moved on since its lock file was written. `Display` is a line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    lock: PathBuf,
    schema: PathBuf,
    drifts: Vec<Drift>,
}

/// Drifts that are shown one by one.
const SHOWN_MAX: usize = 3;

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.drifts.iter().take(SHOWN_MAX).map(Drift::to_string).collect::<Vec<_>>().join(", ");
        let more = match self.drifts.len().saturating_sub(SHOWN_MAX) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let (lock, schema) = (self.lock.display(), self.schema.display());
        write!(f, "{lock} is behind the schema: {shown}{more}; `dbgen lock {schema}` brings it up to date")
    }
}

/// Gives the schema of a file the ids of its lock file, which is the one beside it unless another is given. `None` if there is
/// none beside it, or if the two agree.
///
/// # Errors
/// [`Error::Schema`] with what is wrong with the lock file; [`Error::Locked`] if the two contradict each other.
pub fn lock(file: &Path, given: Option<&Path>, schema: &mut Schema) -> Result<Option<Behind>, Error> {
    let path = given.map_or_else(|| Lock::path_of(file), Path::to_owned);
    if given.is_none() && !path.exists() {
        return Ok(None);
    }
    let (conflicts, drifts): (Vec<Drift>, Vec<Drift>) =
        Lock::from_file(&path)?.assign(schema).into_iter().partition(Drift::is_conflict);
    if !conflicts.is_empty() {
        return Err(Error::Locked { lock: path, conflicts });
    }
    let behind = Behind { lock: path, schema: file.to_owned(), drifts };
    Ok((!behind.drifts.is_empty()).then_some(behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgen_schema::{Format, Source};

    fn schema(fields: &str) -> Schema {
        let text = format!(r#"{{ "name": "tiny", "version": "1", "tables": {{ "a": {{ "fields": [{fields}] }} }} }}"#);
        Schema::parse(&Source { name: "tiny.json".to_owned(), text, format: Format::Json }).expect("it is a schema")
    }

    const X: &str = r#"{ "name": "x", "type": "u8" }"#;
    const Y: &str = r#"{ "name": "y", "type": "u8" }"#;

    #[test]
    fn a_schema_takes_its_ids_from_the_lock_file_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tiny.json");
        let mut first = schema(&format!("{X}, {Y}"));
        assert_eq!(lock(&file, None, &mut first).expect("there is none"), None);
        let written = Lock::update(None, &mut first).expect("it is the first");
        std::fs::write(Lock::path_of(&file), written.to_json_pretty()).expect("it is written");

        let mut turned = schema(&format!("{Y}, {X}"));
        lock(&file, None, &mut turned).expect("they agree");
        let ids: Vec<_> = turned.tables[0].fields.iter().map(|field| (field.name.as_str(), field.id.0)).collect();
        assert_eq!(ids, [("y", 2), ("x", 1)]);

        let mut grown = schema(&format!("{X}, {Y}, {}", X.replace("\"x\"", "\"z\"")));
        let behind = lock(&file, None, &mut grown).expect("it has moved on").expect("and that is told").to_string();
        assert!(
            behind.contains("`a.z` is new; `dbgen lock ") && behind.contains("tiny.lock.json is behind"),
            "{behind}"
        );

        let mut reused = schema(&format!("{X}, {}", Y.replace("\"y\"", "\"y\", \"id\": 1")));
        let refused = lock(&file, None, &mut reused).expect_err("ids never change").to_string();
        assert!(refused.contains("tiny.lock.json"), "{refused}");
        assert!(
            lock(&file, Some(&folder.path().join("no.lock.json")), &mut reused).is_err(),
            "one that is given is there"
        );
    }
}
