//! THE table of rules: every kind of change, its class, and what a migration does about it.

use super::Class::{self, Compatible, Migrated, NeedsAllow, Refused};

/// One kind of change.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its code: `field_removed`.
    pub code: &'static str,
    /// What it means for stored data.
    pub class: Class,
    /// What a migration does, or why none can.
    pub what: &'static str,
    /// The breaking-change rules of buf, for Protobuf, that ask the same.
    pub buf: &'static [&'static str],
}

macro_rules! rules {
    ($($constant:ident = $code:literal $class:ident [$($buf:literal),*] $what:literal;)*) => {
        $(
            #[doc = $what]
            pub static $constant: Rule = Rule { code: $code, class: $class, what: $what, buf: &[$($buf),*] };
        )*

        /// All rules, from the harmless to the impossible.
        pub static RULES: &[&Rule] = &[$(&$constant),*];
    };
}

rules! {
    TABLE_ADDED = "table_added" Compatible []
        "The table begins empty.";
    FIELD_ADDED = "field_added" Compatible []
        "Records that are there get the default now, for good, or null.";
    VARIANT_ADDED = "variant_added" Compatible []
        "No stored value is of the new variant.";
    TYPE_ADDED = "type_added" Compatible []
        "No stored value is of the new type.";
    TYPE_REMOVED = "type_removed" Compatible ["ENUM_NO_DELETE", "PACKAGE_ENUM_NO_DELETE", "ONEOF_NO_DELETE"]
        "No field is of the type any more.";
    INDEX_ADDED = "index_added" Compatible []
        "The index is built when the database opens.";
    INDEX_REMOVED = "index_removed" Compatible []
        "The index is dropped; code that asked it no longer compiles.";
    INDEX_RENAMED = "index_renamed" Compatible []
        "Only names in generated code change.";
    RELATION_RENAMED = "relation_renamed" Compatible []
        "Only a name changes.";
    RELATION_REMOVED = "relation_removed" Compatible []
        "The values stay; nothing keeps them whole any more.";
    CONSTRAINT_LOOSENED = "constraint_loosened" Compatible []
        "Every stored value obeys the new rule too.";
    DEFAULT_CHANGED = "default_changed" Compatible ["FIELD_SAME_DEFAULT"]
        "Records that are there keep what they have.";
    AUTO_INCREMENT_CHANGED = "auto_increment_changed" Compatible []
        "Numbers go on after the largest one that is stored.";
    PRIMARY_KEY_CHANGED = "primary_key_changed" Compatible []
        "Whether the value may change later; stored ones stay.";
    SCHEDULE_CHANGED = "schedule_changed" Compatible []
        "Timers fall due as the schema now says.";
    CAPACITY_CHANGED = "capacity_changed" Compatible []
        "Another amount of room is made when the database opens.";
    IF_MATCH_CHANGED = "if_match_changed" Compatible []
        "Clients over HTTP must, or need not, name the state that they change.";
    DURABILITY_RAISED = "durability_raised" Compatible []
        "From now on more survives a restart.";
    FIELDS_REORDERED = "fields_reordered" Compatible []
        "Fields are found by their ids.";
    DOCS_CHANGED = "docs_changed" Compatible []
        "Only documentation changes.";

    TABLE_RENAMED = "table_renamed" Migrated ["MESSAGE_NO_DELETE"]
        "The records are found by the table's id, or its former name.";
    FIELD_RENAMED = "field_renamed" Migrated ["FIELD_SAME_NAME", "FIELD_SAME_JSON_NAME"]
        "The values are found by the field's id, or its former name.";
    VARIANT_RENAMED = "variant_renamed" Migrated ["ENUM_VALUE_SAME_NAME"]
        "The number stays, and so do stored values.";
    TYPE_RENAMED = "type_renamed" Migrated []
        "Both types are made of the same, so values are taken over.";
    FIELD_WIDENED = "field_widened" Migrated ["FIELD_WIRE_COMPATIBLE_TYPE", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"]
        "Every stored value fits the wider type.";
    FIELD_GREW = "field_grew" Migrated []
        "Every stored value fits the larger type; new elements of an array are zero.";
    FIELD_NULLABLE = "field_nullable" Migrated ["FIELD_SAME_CARDINALITY", "FIELD_WIRE_COMPATIBLE_CARDINALITY"]
        "Stored values stay; none is null.";
    GROUP_CHANGED = "group_changed" Migrated []
        "The values move to the other column group.";
    ENUM_RESIZED = "enum_resized" Migrated []
        "Stored numbers take another number of bytes.";

    TABLE_REMOVED = "table_removed" NeedsAllow ["MESSAGE_NO_DELETE", "PACKAGE_MESSAGE_NO_DELETE"]
        "Its records are deleted.";
    FIELD_REMOVED = "field_removed" NeedsAllow ["FIELD_NO_DELETE", "FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"]
        "Its values are deleted.";
    VARIANT_REMOVED = "variant_removed" NeedsAllow ["ENUM_VALUE_NO_DELETE", "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED"]
        "Opening fails if a stored value is of this variant.";
    FIELD_REQUIRED = "field_required" NeedsAllow ["MESSAGE_SAME_REQUIRED_FIELDS"]
        "Works only while the table is empty: give the field a `default`, or make it nullable.";
    FIELD_NARROWED = "field_narrowed" NeedsAllow ["FIELD_SAME_TYPE"]
        "Opening fails if a stored value does not fit; doubles are rounded to floats.";
    FIELD_SHRANK = "field_shrank" NeedsAllow ["FIELD_SAME_TYPE"]
        "Opening fails if a stored value is too long; nothing is cut.";
    FIELD_NOT_NULL = "field_not_null" NeedsAllow ["FIELD_SAME_CARDINALITY", "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"]
        "Opening fails if a stored value is null and the field has no default.";
    UNIQUE_ADDED = "unique_added" NeedsAllow []
        "Opening fails if two records have the same value.";
    BOUNDS_TIGHTENED = "bounds_tightened" NeedsAllow []
        "Opening fails if a stored value is out of the new bounds.";
    NAN_FORBIDDEN = "nan_forbidden" NeedsAllow []
        "Opening fails if a stored value is not finite.";
    REFERENCE_ADDED = "reference_added" NeedsAllow []
        "Opening fails if a stored value names no record.";
    REFERENCE_RETARGETED = "reference_retargeted" NeedsAllow []
        "Opening fails if a stored value names no record of the other table.";
    ON_DELETE_CHANGED = "on_delete_changed" NeedsAllow []
        "Deletions that were refused may now delete more, or the other way round.";
    DURABILITY_LOWERED = "durability_lowered" NeedsAllow []
        "Less than before survives a restart.";
    DATABASE_RENAMED = "database_renamed" NeedsAllow ["FILE_SAME_PACKAGE", "PACKAGE_NO_DELETE"]
        "A data folder belongs to a database of one name.";
    PAYLOAD_REMOVED = "payload_removed" NeedsAllow []
        "The payloads of stored values are deleted.";

    ID_REUSED = "id_reused" Refused ["RESERVED_MESSAGE_NO_DELETE", "RESERVED_ENUM_NO_DELETE"]
        "Old data under the id would be read as the new thing: leave the id out, a new one is given.";
    TYPE_CHANGED = "type_changed" Refused ["FIELD_SAME_TYPE"]
        "Stored values are of another kind: add a field under another name, and remove this one later.";
    VARIANT_RENUMBERED = "variant_renumbered" Refused ["ENUM_VALUE_SAME_NAME"]
        "Stored values would change their meaning: write the variant's old `number` beside it.";
    PAYLOAD_ADDED = "payload_added" Refused ["FIELD_SAME_ONEOF"]
        "Stored values of the variant have no payload: add a variant under another name.";
    PARENT_CHANGED = "parent_changed" Refused []
        "Records of a component table are addressed by their parent's: add a table under another name.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_their_classes_under_names_of_their_own() {
        assert!(RULES.is_sorted_by_key(|rule| rule.class));
        let mut codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), RULES.len());
    }
}
