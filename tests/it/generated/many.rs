//! A database of more items than the compiler recurses into macros (128 levels), in a crate that asks for no more.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::Result;

macro_rules! database_of {
    ($($kind:ident)*) => {
        $(
            #[derive(Enumeration, Debug, Clone, Copy, PartialEq)]
            pub(crate) enum $kind {
                Only,
            }
        )*

        database! { name: Many, tables: [Thing], types: [$($kind),*] }
    };
}

#[derive(Table, Debug, Clone)]
pub(crate) struct Thing {
    #[field(unique)]
    pub(crate) number: u32,
    pub(crate) first: K0,
    pub(crate) last: K139,
}

database_of! {
    K0 K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 K12 K13 K14 K15 K16 K17 K18 K19 K20 K21 K22 K23 K24 K25 K26 K27 K28 K29 K30
    K31 K32 K33 K34 K35 K36 K37 K38 K39 K40 K41 K42 K43 K44 K45 K46 K47 K48 K49 K50 K51 K52 K53 K54 K55 K56 K57 K58
    K59 K60 K61 K62 K63 K64 K65 K66 K67 K68 K69 K70 K71 K72 K73 K74 K75 K76 K77 K78 K79 K80 K81 K82 K83 K84 K85 K86
    K87 K88 K89 K90 K91 K92 K93 K94 K95 K96 K97 K98 K99 K100 K101 K102 K103 K104 K105 K106 K107 K108 K109 K110 K111
    K112 K113 K114 K115 K116 K117 K118 K119 K120 K121 K122 K123 K124 K125 K126 K127 K128 K129 K130 K131 K132 K133
    K134 K135 K136 K137 K138 K139
}

#[test]
fn a_database_of_many_items_asks_for_no_deeper_recursion() -> Result<()> {
    let db = many::Many::builder().open()?;
    db.transact(|tx| tx.thing_mut().insert(Thing { last: K139::Only, ..Thing::new(7) }))?;
    assert_eq!(db.read().thing().by_number(7).map(|thing| thing.last()), Some(K139::Only));
    Ok(())
}
