//! What a table is, as constants of the program: for code that is generic over records and has no database at hand. The
//! engine itself goes by the schema, from which the same numbers follow.

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDesc {
    /// Its position in the schema.
    pub index: usize,
    /// Its name.
    pub name: &'static str,
    /// Its column groups, and the bytes of a row in each.
    pub groups: &'static [(&'static str, usize)],
    /// Its fields, in the order of the schema.
    pub fields: &'static [FieldDesc],
    /// Its indexes.
    pub indexes: &'static [IndexDesc],
}

impl TableDesc {
    /// Bytes of a record, as far as generated code knows its fields.
    pub(crate) const fn image_bytes(&self) -> usize {
        let (mut bytes, mut at) = (0, 0);
        while at < self.groups.len() {
            bytes += self.groups[at].1;
            at += 1;
        }
        bytes
    }
}

/// A field of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDesc {
    /// Its name.
    pub name: &'static str,
    /// Its type, as in the schema: `str<16>`.
    pub ty: &'static str,
    /// Whether it may hold nothing.
    pub is_nullable: bool,
    /// Position of its column group in [`TableDesc::groups`].
    pub group: usize,
    /// Where it begins in a row of the group, in bytes.
    pub offset: usize,
}

/// An index of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexDesc {
    /// Its name.
    pub name: &'static str,
    /// Positions of its fields in [`TableDesc::fields`], most significant first.
    pub fields: &'static [usize],
    /// Whether no two records may have the same key.
    pub is_unique: bool,
}

impl TableDesc {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static FieldDesc> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldDesc {
    /// A field that always holds something.
    pub const fn required(name: &'static str, ty: &'static str, group: usize, offset: usize) -> FieldDesc {
        FieldDesc { name, ty, is_nullable: false, group, offset }
    }

    /// A field that may hold nothing.
    pub const fn nullable(name: &'static str, ty: &'static str, group: usize, offset: usize) -> FieldDesc {
        FieldDesc { name, ty, is_nullable: true, group, offset }
    }
}

impl IndexDesc {
    /// An index that finds any number of records.
    pub const fn of(name: &'static str, fields: &'static [usize]) -> IndexDesc {
        IndexDesc { name, fields, is_unique: false }
    }

    /// An index that finds one record at most.
    pub const fn unique(name: &'static str, fields: &'static [usize]) -> IndexDesc {
        IndexDesc { name, fields, is_unique: true }
    }
}
