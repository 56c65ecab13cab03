//! The plan: every generated name and every decision, made once, before a token is written.
//!
//! Emitters read it and decide nothing. Names are claimed in the order of who may insist on theirs: what the author of
//! the schema named (enums, composites, tables) first, then what is derived from it (`PlayerRef`, `Players`), then the
//! facade (`View`, `Tx`). Where a name is taken the next best one is used, so that every schema that passes the checks
//! becomes Rust that compiles.

mod field;
mod index;
mod shape;
mod table;

pub(crate) use field::{FieldPlan, Setter};
pub(crate) use index::{Column, IndexPlan};
pub(crate) use shape::{CompositePlan, EnumPlan, PayloadPlan};
pub(crate) use table::{GroupPlan, TablePlan};

use crate::names::{Scope, ident, pascal, snake};
use crate::{Options, Written};
use dbgen_schema::{Schema, Type};
use proc_macro2::Ident;

/// Everything the emitters need.
#[derive(Debug)]
pub(crate) struct Plan<'s> {
    /// What is compiled.
    pub schema: &'s Schema,
    /// How.
    pub options: &'s Options,
    /// What is not to be declared, because its author did.
    pub written: Option<&'s Written>,
    /// The facade's names.
    pub facade: FacadePlan,
    /// One per enum of the schema.
    pub enums: Vec<EnumPlan<'s>>,
    /// One per composite of the schema.
    pub composites: Vec<CompositePlan<'s>>,
    /// The record of every table, by the table's position.
    pub records: Vec<Ident>,
    /// One per table of the schema.
    pub tables: Vec<TablePlan<'s>>,
}

/// The names of what stands for the whole database.
#[derive(Debug)]
pub(crate) struct FacadePlan {
    /// The module: `arena`.
    pub module: Ident,
    /// The schema as a type: `ArenaSchema`.
    pub schema: Ident,
    /// The database: `Arena`.
    pub database: Ident,
    /// The transaction with a clock: `Tick`.
    pub tick: Ident,
    /// All tables at one commit: `View`.
    pub view: Ident,
    /// The transaction: `Tx`.
    pub tx: Ident,
    /// Its method for a part that can fail by itself: `nested`.
    pub nested: Ident,
    /// Its methods for a moment that can be gone back to: `savepoint`, `rollback_to`.
    pub savepoints: [Ident; 2],
    /// The view's method that proves its tables whole: `check`.
    pub check: Ident,
    /// The tables of a transaction side by side: `Slices`.
    pub slices: Ident,
    /// The method that gives them: `slices`.
    pub takes_slices: Ident,
    /// The methods that join components, to be read and to be written, if there are any: `join`, `join_mut`.
    pub joins: Option<[Ident; 2]>,
}

/// What generated code says without a path, and what a module must therefore not be called.
const TAKEN: &[&str] = &[
    "rt",
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "AsMut",
    "AsRef",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Err",
    "From",
    "Hash",
    "Into",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];

impl<'s> Plan<'s> {
    /// Decides everything.
    pub(crate) fn new(schema: &'s Schema, options: &'s Options, written: Option<&'s Written>) -> Plan<'s> {
        let mut types = Scope::with_taken(TAKEN);
        let mut claim_own = |name: &str, kind: &str| {
            let name = pascal(name);
            types.claim(&[&name, &format!("{name}{kind}")])
        };
        let enums: Vec<Ident> = schema.enums.iter().map(|it| claim_own(&it.name, "Enum")).collect();
        let composites: Vec<Ident> = schema.composites.iter().map(|it| claim_own(&it.name, "Type")).collect();
        let records: Vec<Ident> = schema.tables.iter().map(|it| claim_own(&it.name, "Record")).collect();

        let forms = shape::forms(schema, written);
        let enums = enums.into_iter().enumerate();
        let enums = enums.map(|(at, name)| EnumPlan::new(schema, at, name, written, &mut types)).collect();
        let composites = composites.into_iter().enumerate().zip(&forms);
        let composites =
            composites.map(|((at, name), form)| CompositePlan::new(schema, at, name, *form, written, &mut types));
        let composites = composites.collect();
        let facade = FacadePlan::new(schema, &mut types);
        let mut plan = Plan { schema, options, written, facade, enums, composites, records, tables: Vec::new() };
        let mut methods = Scope::default();
        for (index, table) in schema.tables.iter().enumerate() {
            let table = TablePlan::new(&plan, index, table, &mut types, &mut methods);
            plan.tables.push(table);
        }
        plan.facade.check = methods.claim(&["check", "check_tables"]);
        plan.facade.nested = methods.claim(&["nested", "nested_transaction"]);
        plan.facade.savepoints =
            [methods.claim(&["savepoint", "take_savepoint"]), methods.claim(&["rollback_to", "rollback_to_savepoint"])];
        plan.facade.takes_slices = methods.claim(&["slices", "table_slices"]);
        let has_components = schema.tables.iter().any(|table| table.parent.is_some());
        plan.facade.joins = has_components.then(|| {
            [methods.claim(&["join", "join_components"]), methods.claim(&["join_mut", "join_components_mut"])]
        });
        plan
    }

    /// Whether a cell of this type is all there is to a value: nothing of it is null, lies in a heap or depends on a
    /// variant. Such a cell can be shown as it is.
    pub(crate) fn is_cells(&self, ty: &Type) -> bool {
        match ty {
            Type::Scalar(_) | Type::Str(_) | Type::FixedBytes(_) | Type::Ref(_) => true,
            Type::Enum(idx) => self.enums[idx.at()].payload.is_none(),
            Type::Composite(idx) => self.composites[idx.at()].is_cells(),
            Type::Array(element, _) => self.is_cells(element),
            Type::Text | Type::Bytes | Type::List(_) => false,
        }
    }

    /// Whether a value of this type is `Copy` and goes in and out of its cell by value: numbers, plain enums, ids, bytes,
    /// and arrays of those.
    pub(crate) fn is_value(&self, ty: &Type) -> bool {
        match ty {
            Type::Scalar(_) | Type::FixedBytes(_) | Type::Ref(_) => true,
            Type::Enum(idx) => self.enums[idx.at()].payload.is_none(),
            Type::Array(element, _) => self.is_value(element),
            Type::Str(_) | Type::Composite(_) | Type::Text | Type::Bytes | Type::List(_) => false,
        }
    }

    /// Whether the record's form of this type is `Copy`.
    pub(crate) fn is_copy(&self, ty: &Type) -> bool {
        match ty {
            Type::Composite(_) => self.is_cells(ty),
            Type::Array(element, _) => self.is_copy(element),
            ty => self.is_value(ty),
        }
    }
}

impl FacadePlan {
    fn new(schema: &Schema, types: &mut Scope) -> FacadePlan {
        let name = pascal(&schema.name);
        let mut claim = |wish: &str, instead: &str| types.claim(&[wish, &format!("{name}{instead}")]);
        FacadePlan {
            module: ident(&snake(&schema.name)),
            view: claim("View", "View"),
            tx: claim("Tx", "Tx"),
            tick: claim("Tick", "Tick"),
            schema: claim(&format!("{name}Schema"), "DatabaseSchema"),
            database: claim(&name, "Database"),
            nested: ident("nested"),
            savepoints: [ident("savepoint"), ident("rollback_to")],
            check: ident("check"),
            slices: claim("Slices", "Slices"),
            takes_slices: ident("slices"),
            joins: None,
        }
    }
}
