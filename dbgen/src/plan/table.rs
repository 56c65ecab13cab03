//! A table: the names of everything that is generated for it.

use super::{FieldPlan, IndexPlan, Plan};
use crate::WrittenType;
use crate::names::{Scope, pascal, plural, snake, unraw};
use dbgen_schema::layout::{GroupLayout, TableLayout, table_layout};
use dbgen_schema::{Scalar, Table, Type};
use proc_macro2::Ident;

/// A table, planned.
#[derive(Debug)]
pub(crate) struct TablePlan<'s> {
    /// What is planned.
    pub table: &'s Table,
    /// Its position in the schema: how the engine names it.
    pub index: usize,
    /// The method of views and transactions that reads it: `player`.
    pub reads: Ident,
    /// The method of transactions that writes it: `player_mut`.
    pub writes: Ident,
    /// The module of its rows: `player`.
    pub module: Ident,
    /// The record: `Player`.
    pub record: Ident,
    /// The patch: `PlayerPatch`.
    pub patch: Ident,
    /// A record read in place: `PlayerRef`.
    pub record_ref: Ident,
    /// A record written in place: `PlayerMut`.
    pub record_mut: Ident,
    /// The table, read: `Players`.
    pub reader: Ident,
    /// The table, written: `PlayersMut`.
    pub writer: Ident,
    /// The table beside others: `PlayerSlices`.
    pub slices: Ident,
    /// Its column groups side by side: `PlayerGroups`.
    pub all_groups: Ident,
    /// The bitmap at the head of its rows, in groups that need one.
    pub nulls: Ident,
    /// What a record read in place can tell of itself.
    pub system: SystemNames,
    /// One per field.
    pub fields: Vec<FieldPlan<'s>>,
    /// One per column group.
    pub groups: Vec<GroupPlan<'s>>,
    /// One per index.
    pub indexes: Vec<IndexPlan<'s>>,
    /// Set if the record struct is written already.
    pub written: Option<&'s WrittenType>,
}

/// Methods of a record read in place that are no fields of it.
#[derive(Debug)]
pub(crate) struct SystemNames {
    /// The record id: `id`, or `record_id` if a field is called so.
    pub id: Ident,
    /// The commit that wrote it last: `version`, or `record_version`.
    pub version: Ident,
    /// The record as an owned struct: `to_record`.
    pub to_record: Ident,
    /// The proof that its bytes are values of their types: `check`, or `check_record`.
    pub check: Ident,
}

/// A column group, planned.
#[derive(Debug)]
pub(crate) struct GroupPlan<'s> {
    /// Its name in the schema.
    pub name: &'s str,
    /// Its position: how the engine names it.
    pub index: usize,
    /// The struct of its rows, in the table's module: `Row`.
    pub row: Ident,
    /// The method of a record that gives its row: `row`.
    pub of_record: Ident,
    /// The method of the table that gives all rows: `rows`.
    pub of_table: Ident,
    /// The method of the table that gives all rows to be changed, if any bit pattern may stand in them.
    pub of_table_mut: Option<Ident>,
    /// The method of the table that makes all rows anew from what they were, for the same groups: `motion_next`.
    pub of_table_next: Option<Ident>,
    /// Where its fields lie.
    pub layout: GroupLayout,
    /// The one number that it is made of.
    pub lanes: Option<Scalar>,
}

/// Methods of `TableRef` and `TableMut`, which the generated handles dereference to.
const HANDLE_METHODS: &[&str] = &[
    "as_mut",
    "as_ref",
    "attach",
    "attach_many",
    "clone",
    "contains",
    "delete",
    "deref",
    "deref_mut",
    "detach",
    "detach_many",
    "find",
    "find_all",
    "find_range",
    "find_between",
    "find_id",
    "find_many",
    "first",
    "for_each_mut",
    "get",
    "get_mut",
    "group",
    "group_mut",
    "group_next",
    "groups",
    "ids",
    "insert",
    "insert_many",
    "is_empty",
    "iter",
    "last",
    "len",
    "of",
    "of_mut",
    "par_iter",
    "patch",
    "read",
    "record",
    "replace",
    "update",
    "upsert",
];

impl<'s> TablePlan<'s> {
    pub(super) fn new(
        plan: &Plan<'s>,
        index: usize,
        table: &'s Table,
        types: &mut Scope,
        methods: &mut Scope,
    ) -> TablePlan<'s> {
        let layout = table_layout(plan.schema, table);
        let written = plan.written.and_then(|written| written.tables.get(index));
        let record = plan.records[index].clone();
        let name = unraw(&record);
        let many = plural(&name);
        let reader = types.claim(&[&many, &format!("{name}Table")]);
        let writer = types.claim(&[&format!("{reader}Mut"), &format!("{name}TableMut")]);
        let mut derived = |suffix: &str| types.claim(&[&format!("{name}{suffix}"), &format!("{name}Record{suffix}")]);
        let (record_ref, record_mut, patch) = (derived("Ref"), derived("Mut"), derived("Patch"));
        let (slices, all_groups) = (derived("Slices"), derived("Groups"));
        let method = snake(&table.name);
        let module = types.claim(&[&method, &format!("{method}_rows")]);

        let mut getters = Scope::default();
        let fields = (0..table.fields.len()).zip(&layout.fields);
        let fields = fields.map(|(at, layout)| FieldPlan::new(plan, table, written, at, *layout, &mut getters));
        let fields: Vec<FieldPlan<'s>> = fields.collect();
        let nulls = getters.claim(&["nulls", "null_bits"]);
        let system = SystemNames::new(&mut getters);
        let mut handle = Scope::with_taken(HANDLE_METHODS);
        let groups = group_plans(plan, table, &layout, &fields, &mut getters, &mut handle);
        let indexes = 0..table.indexes.len();
        let indexes = indexes.map(|number| IndexPlan::new(plan, table, number, &fields, &mut handle)).collect();
        TablePlan {
            table,
            index,
            reads: methods.claim(&[&method]),
            writes: methods.claim(&[&format!("{method}_mut"), &format!("{method}_table_mut")]),
            module,
            record,
            patch,
            record_ref,
            record_mut,
            reader,
            writer,
            slices,
            all_groups,
            nulls,
            system,
            fields,
            groups,
            indexes,
            written,
        }
    }

    /// The fields of a group, in the order in which they lie.
    pub(crate) fn fields_of(&self, group: usize) -> impl Iterator<Item = &FieldPlan<'s>> {
        self.fields.iter().filter(move |field| field.layout.group == group)
    }

    /// The group of a field.
    pub(crate) fn group_of(&self, field: &FieldPlan<'_>) -> &GroupPlan<'s> {
        &self.groups[field.layout.group]
    }
}

impl SystemNames {
    fn new(getters: &mut Scope) -> SystemNames {
        SystemNames {
            id: getters.claim(&["id", "record_id"]),
            version: getters.claim(&["version", "record_version"]),
            to_record: getters.claim(&["to_record", "to_owned_record"]),
            check: getters.claim(&["check", "check_record"]),
        }
    }
}

fn group_plans<'s>(
    plan: &Plan<'s>,
    table: &'s Table,
    layout: &TableLayout,
    fields: &[FieldPlan<'s>],
    getters: &mut Scope,
    handle: &mut Scope,
) -> Vec<GroupPlan<'s>> {
    let mut rows = Scope::with_taken(&["Self"]);
    let mut group = |(index, layout): (usize, &GroupLayout)| {
        let name = table.groups[index].as_str();
        let snake = snake(name);
        let members = || fields.iter().filter(move |field| field.layout.group == index);
        let of_table = if index == 0 { "rows".to_owned() } else { snake.clone() };
        let is_free = members().next().is_some() && members().all(|field| field.is_free);
        GroupPlan {
            name,
            index,
            row: rows.claim(&[&pascal(name), &format!("{}Row", pascal(name))]),
            of_record: getters.claim(&[&snake, &format!("{snake}_row"), &format!("{snake}_cells")]),
            of_table: handle.claim(&[&of_table, &format!("{snake}_rows")]),
            of_table_mut: is_free.then(|| handle.claim(&[&format!("{of_table}_mut"), &format!("{snake}_rows_mut")])),
            of_table_next: is_free.then(|| handle.claim(&[&format!("{of_table}_next"), &format!("{snake}_rows_next")])),
            layout: layout.clone(),
            lanes: lanes(plan, members()),
        }
    };
    layout.groups.iter().enumerate().map(&mut group).collect()
}

/// The one number that all of these fields are made of, if it is one.
fn lanes<'p, 's: 'p>(plan: &Plan<'s>, members: impl Iterator<Item = &'p FieldPlan<'s>>) -> Option<Scalar> {
    let mut lane = None;
    for field in members {
        let of_field = lane_of(plan, &field.field.ty).filter(|_| !field.field.nullable)?;
        if *lane.get_or_insert(of_field) != of_field {
            return None;
        }
    }
    lane
}

fn lane_of(plan: &Plan<'_>, ty: &Type) -> Option<Scalar> {
    use dbgen_schema::field_type::ScalarKind::{Float, Int};
    match ty {
        Type::Scalar(scalar) => matches!(scalar.desc().kind, Int { .. } | Float { .. }).then_some(*scalar),
        Type::Composite(idx) => plan.composites[idx.at()].vector_of,
        Type::Array(element, _) => lane_of(plan, element),
        _ => None,
    }
}
