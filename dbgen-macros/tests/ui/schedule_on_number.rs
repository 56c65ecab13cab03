//! A timer falls due at a time.

use dbgen_macros::{Table, database};

#[derive(Table)]
#[table(schedule(at = fires_at, procedure = "despawn"))]
pub struct Timer {
    pub fires_at: u64,
}

database! { name: Arena, tables: [Timer] }

fn main() {
    let _ = arena::Arena::builder().open();
}
