//! Which tables need which: parents without end, records that nobody could ever insert, references that outlive what
//! they refer to.

use crate::diagnostic::{Finding, code};
use crate::model::{Durability, OnDelete, TableIdx};
use crate::source::{At, Span, shown};

use super::Checker;
use super::graph::Graph;

/// Why a record of one table needs a record of another.
struct Need<'a> {
    from: TableIdx,
    to: TableIdx,
    /// The referring field; `None`: the parent.
    field: Option<&'a str>,
    span: &'a Span,
}

impl<'a> Checker<'a> {
    pub(super) fn table_order(&mut self) {
        let needs = self.needs();
        let mut graph = Graph::new(self.raw.tables.len());
        for need in &needs {
            graph.add(need.from.at(), need.to.at());
        }
        for cycle in graph.order().cycles {
            let links: Vec<&Need<'_>> = (0..cycle.len())
                .filter_map(|at| {
                    let (from, to) = (cycle[at], cycle[(at + 1) % cycle.len()]);
                    needs.iter().find(|need| need.from.at() == from && need.to.at() == to)
                })
                .collect();
            self.report_cycle(&links);
        }
        self.check_durability();
    }

    /// A record needs its parent, and what its references name if they are never null. A reference by value may name its
    /// own record, so one to its own table needs nobody.
    fn needs(&self) -> Vec<Need<'a>> {
        let raw = self.raw;
        let parents = self.schema.tables.iter().zip(&raw.tables).enumerate().filter_map(|(at, (table, raw))| {
            Some(Need { from: TableIdx(at as u32), to: table.parent?, field: None, span: &raw.parent.as_ref()?.span })
        });
        let references = self.schema.relations.iter().filter_map(|relation| {
            let field = &raw.tables[relation.from_table.at()].fields[relation.from_field.at()];
            let own = relation.to_field.is_some() && relation.from_table == relation.to_table;
            let needed = !field.nullable.is_set() && !own;
            let (from, to) = (relation.from_table, relation.to_table);
            needed.then_some(Need { from, to, field: Some(&field.name.value), span: &field.name.span })
        });
        parents.chain(references).collect()
    }

    fn report_cycle(&mut self, links: &[&Need<'_>]) {
        let Some((first, others)) = links.split_first() else { return };
        let name = |idx: TableIdx| shown(&self.raw.tables[idx.at()].name.value);
        let path: Vec<_> = links.iter().map(|need| name(need.from)).chain([name(first.from)]).collect();
        let path = path.join(" > ");
        let mut finding = if links.iter().all(|need| need.field.is_none()) {
            Finding::error(code::PARENT_CYCLE, first.span, format!("a table is its own parent: {path}"))
        } else {
            let message = format!("no record could ever be inserted: each needs another first ({path})");
            let help = "make one of these fields `\"nullable\": true`, and set it when both records are there";
            Finding::error(code::REFERENCE_CYCLE, first.span, message).label(need_label(first)).help(help)
        };
        for need in others.iter().take(4) {
            finding = finding.related(need.span, need_label(need));
        }
        self.report.push(finding);
    }

    /// A reference that restricts deletion promises that what it names is there, also after a restart.
    fn check_durability(&mut self) {
        let rank = |durability| match durability {
            Durability::None => 0,
            Durability::Snapshot => 1,
            Durability::Log => 2,
        };
        for relation in &self.schema.relations {
            let (from, to) =
                (&self.schema.tables[relation.from_table.at()], &self.schema.tables[relation.to_table.at()]);
            if relation.on_delete != OnDelete::Restrict || rank(from.durability) <= rank(to.durability) {
                continue;
            }
            let field: &At<String> = &self.raw.tables[relation.from_table.at()].fields[relation.from_field.at()].name;
            let message =
                format!("records of `{}` outlive what `{}` refers to", shown(&from.name), shown(&field.value));
            let (kept, lost) = (from.durability.as_str(), to.durability.as_str());
            let finding = Finding::error(code::DURABILITY, &field.span, message);
            let finding = finding.label(format!("`{kept}` refers to `{lost}`"));
            let finding = finding.related(&self.raw.tables[relation.to_table.at()].name.span, "lost at a restart");
            let help = "say what then happens: `\"on_delete\": \"set_null\"` or `\"cascade\"`; or make the tables equally durable";
            self.report.push(finding.help(help));
        }
    }
}

fn need_label(need: &Need<'_>) -> &'static str {
    if need.field.is_some() { "never null" } else { "its parent" }
}
