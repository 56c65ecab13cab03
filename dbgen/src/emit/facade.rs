//! What stands for the whole database: the schema as a type, the database, a view, a transaction.

use super::docs::described;
use crate::plan::{Plan, TablePlan};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The facade.
pub(super) fn facade(plan: &Plan<'_>) -> TokenStream {
    let (schema_type, view, transaction, slices) = (schema_type(plan), view(plan), transaction(plan), slices(plan));
    quote!(#schema_type #view #transaction #slices)
}

/// The doc comment of the module.
pub(super) fn module_docs(plan: &Plan<'_>) -> TokenStream {
    let title = format!("The database `{}`, version {}.", plan.schema.name, plan.schema.version);
    let (database, view, tx) = (&plan.facade.database, &plan.facade.view, &plan.facade.tx);
    let opened = format!(
        "`{database}::builder().open()` opens it; `db.read()` gives a `{view}`, `db.transact(..)` a `{tx}`, and both give the tables."
    );
    let more: Vec<String> =
        plan.schema.description.iter().flat_map(|_| [title.clone(), String::new()]).chain([opened]).collect();
    described(plan.schema.description.as_deref(), &title, &more)
}

fn schema_type(plan: &Plan<'_>) -> TokenStream {
    let names = &plan.facade;
    let (schema, database, tick, view, tx) = (&names.schema, &names.database, &names.tick, &names.view, &names.tx);
    let schema_docs = format!(" The schema as a type; [`{database}`] is its database.");
    let database_docs = format!(" The database: `{database}::builder()` opens it.");
    let fingerprint = fingerprint_literal(dbgen_schema::write::fingerprint(plan.schema));
    quote! {
        #[doc = #schema_docs]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum #schema {}

        impl rt::Facade for #schema {
            const SCHEMA_JSON: &'static str = SCHEMA_JSON;
            const FINGERPRINT: u64 = #fingerprint;
            type View = #view;
            type Tx = #tx;
        }

        #[doc = #database_docs]
        pub type #database = rt::Db<#schema>;

        /// What a system works with: a transaction with a clock.
        pub type #tick = rt::Tick<#schema>;
    }
}

/// A fingerprint as people compare it: in hexadecimal.
fn fingerprint_literal(fingerprint: u64) -> TokenStream {
    let text = format!("{fingerprint:#018x}");
    text.parse::<Literal>().map_or_else(|_| quote!(#fingerprint), |literal| quote!(#literal))
}

fn view(plan: &Plan<'_>) -> TokenStream {
    let (name, check) = (&plan.facade.view, &plan.facade.check);
    let (tables, join) = (plan.tables.iter().map(reads), join(plan));
    quote! {
        /// All tables at one commit.
        #[derive(Debug, Clone)]
        pub struct #name(rt::View);

        impl #name {
            #(#tables)*
            #join

            /// Proves from the bytes alone that every table is whole: values are of their types, texts are UTF-8, indexes
            /// and references agree with the records.
            ///
            /// # Errors
            /// The first fault of each table that has one.
            pub fn #check(&self) -> Result<(), Vec<rt::Fault>> {
                self.0.verify()
            }
        }

        impl From<rt::View> for #name {
            fn from(view: rt::View) -> #name {
                #name(view)
            }
        }

        impl AsRef<rt::View> for #name {
            fn as_ref(&self) -> &rt::View {
                &self.0
            }
        }
    }
}

fn transaction(plan: &Plan<'_>) -> TokenStream {
    let (name, nested) = (&plan.facade.tx, &plan.facade.nested);
    let [savepoint, rollback_to] = &plan.facade.savepoints;
    let (slices, takes_slices) = (&plan.facade.slices, &plan.facade.takes_slices);
    let (join, join_mut) = (join(plan), join_mut(plan));
    let each = plan.tables.iter().map(|table| (&table.reads, &table.slices));
    let each = each.map(|(name, slices)| quote!(#name: #slices(tables.table())));
    let tables = plan.tables.iter().map(|table| {
        let (reads, writes) = (reads(table), writes(table));
        quote!(#reads #writes)
    });
    quote! {
        /// A transaction: it reads its own writes, and all of it happens or nothing.
        #[derive(Debug)]
        pub struct #name(rt::Transaction);

        impl #name {
            #(#tables)*

            #join
            #join_mut

            /// All tables side by side: their column groups as slices that live at the same time.
            pub fn #takes_slices(&mut self) -> #slices<'_> {
                let mut tables = self.0.slices();
                #slices { #(#each),* }
            }

            /// Runs `body` as a part of the transaction that can fail by itself: on `Err` what it did is undone, and the
            /// transaction goes on.
            ///
            /// # Errors
            /// What `body` returns.
            pub fn #nested<R>(&mut self, body: impl FnOnce(&mut #name) -> rt::Result<R>) -> rt::Result<R> {
                rt::nested(self, body)
            }

            /// A moment of the transaction, to be gone back to.
            pub fn #savepoint(&mut self) -> rt::Savepoint {
                self.0.savepoint()
            }

            /// Undoes what came after the savepoint, which can be gone back to again.
            ///
            /// # Panics
            /// If the savepoint is none of this transaction's, or was itself undone.
            pub fn #rollback_to(&mut self, savepoint: &rt::Savepoint) {
                self.0.rollback_to(savepoint);
            }
        }

        impl From<rt::Transaction> for #name {
            fn from(tx: rt::Transaction) -> #name {
                #name(tx)
            }
        }

        impl From<#name> for rt::Transaction {
            fn from(tx: #name) -> rt::Transaction {
                tx.0
            }
        }

        impl AsRef<rt::Transaction> for #name {
            fn as_ref(&self) -> &rt::Transaction {
                &self.0
            }
        }

        impl AsMut<rt::Transaction> for #name {
            fn as_mut(&mut self) -> &mut rt::Transaction {
                &mut self.0
            }
        }
    }
}

/// The tables of a transaction side by side.
fn slices(plan: &Plan<'_>) -> TokenStream {
    let name = &plan.facade.slices;
    let tables = plan.tables.iter().map(|table| {
        let (name, slices) = (&table.reads, &table.slices);
        let docs = format!(" The table `{}`.", table.table.name);
        quote!(#[doc = #docs] pub #name: #slices<'t>)
    });
    quote! {
        /// All tables of a transaction side by side. What a table gives, it gives once.
        #[derive(Debug)]
        pub struct #name<'t> { #(#tables),* }
    }
}

fn join(plan: &Plan<'_>) -> Option<TokenStream> {
    let [join, _] = plan.facade.joins.as_ref()?;
    Some(quote! {
        /// The entities that have what the members of the tuple `M` ask for, with their components.
        pub fn #join<'v, M: rt::Members + 'v>(&'v self) -> rt::Join<'v, M> {
            self.0.join()
        }
    })
}

fn join_mut(plan: &Plan<'_>) -> Option<TokenStream> {
    let [_, join_mut] = plan.facade.joins.as_ref()?;
    Some(quote! {
        /// The entities that have what the members of the tuple `M` ask for, with their components to be written.
        pub fn #join_mut<M: rt::MembersMut>(&mut self) -> rt::JoinMut<'_, M> {
            self.0.join_mut()
        }
    })
}

fn reads(table: &TablePlan<'_>) -> TokenStream {
    let (name, reader) = (&table.reads, &table.reader);
    let docs = format!(" The table `{}`.", table.table.name);
    quote! {
        #[doc = #docs]
        pub fn #name(&self) -> #reader<'_> {
            #reader(self.0.table())
        }
    }
}

fn writes(table: &TablePlan<'_>) -> TokenStream {
    let (name, writer) = (&table.writes, &table.writer);
    let docs = format!(" The table `{}`, to be written.", table.table.name);
    quote! {
        #[doc = #docs]
        pub fn #name(&mut self) -> #writer<'_> {
            #writer(self.0.table_mut())
        }
    }
}

/// The item that holds the schema in its canonical form, as a raw string that people can read.
pub(crate) fn schema_json(plan: &Plan<'_>) -> String {
    let json = dbgen_schema::write::to_json_pretty(plan.schema);
    let mut fence = String::from("#");
    while json.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("const SCHEMA_JSON: &str = r{fence}\"{json}\"{fence};")
}
