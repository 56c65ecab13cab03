//! Many keys looked for at once are found as each by itself.

use dbgen_macros::{Table, database};
use dbgen_runtime::{Result, Str, Text};

#[derive(Table, Debug, Clone)]
#[table(index(x, y, kind = "hash", unique = true))]
struct Site {
    /// Found in a tree, and most of it in the heap.
    #[field(unique)]
    label: Text,
    #[field(unique)]
    name: Str<8>,
    #[field(unique)]
    tag: Str<20>,
    x: i32,
    y: i32,
}

database! { name: Sites, tables: [Site] }

const SITES: i32 = 300;

fn site(n: i32) -> Site {
    Site {
        label: format!("the label of a site, which is longer than a key: {n}").as_str().into(),
        name: format!("s{n}").as_str().into(),
        tag: format!("tag {n}").as_str().into(),
        x: n % 17,
        y: n / 17,
    }
}

/// As many as no multiple of what is looked for at once; every third site is gone, so that others lie in their rows.
#[test]
fn keys_looked_for_together_are_found_as_one_by_one() -> Result<()> {
    let db = sites::Sites::builder().open()?;
    let ids = db.transact(|tx| tx.site_mut().insert_many((0..SITES).map(site)))?;
    db.transact(|tx| ids.iter().step_by(3).try_for_each(|id| tx.site_mut().delete(*id).map(drop)))?;
    let view = db.read();
    let sites = view.site();
    let wanted: Vec<Site> = (-2..SITES + 3).rev().map(site).collect();

    let names: Vec<_> = sites.by_name_many(wanted.iter().map(|site| site.name.as_str())).collect();
    let labels = sites.by_label_many(wanted.iter().map(|site| &*site.label));
    let tags = sites.by_tag_many(wanted.iter().map(|site| site.tag.as_str()));
    let places = sites.by_x_y_many(wanted.iter().map(|site| (site.x, site.y)));
    assert_eq!(names.iter().flatten().count(), 200);
    let mut all = names.iter().zip(labels).zip(tags).zip(places).zip(&wanted);
    assert!(all.all(|((((name, label), tag), place), wanted)| {
        let id = sites.by_name(wanted.name.as_str()).map(|site| site.id());
        [*name, label, tag, place].map(|site| site.map(|site| site.id())) == [id; 4]
    }));
    Ok(())
}

#[test]
fn keys_that_no_record_can_have_are_in_their_places() -> Result<()> {
    let db = sites::Sites::builder().open()?;
    let id = db.transact(|tx| tx.site_mut().insert(site(7)))?;
    let view = db.read();
    let found = view.site().by_name_many(["longer than eight", "s7", "", "s7"]);
    assert_eq!(found.size_hint(), (4, Some(4)));
    let ids: Vec<_> = found.map(|site| site.map(|site| site.id())).collect();
    assert_eq!(ids, [None, Some(id), None, Some(id)]);
    let tags = view.site().by_tag_many(["longer than twenty characters", "tag 7"]);
    assert!(tags.map(|site| site.map(|site| site.id())).eq([None, Some(id)]));
    assert_eq!(view.site().by_name_many([]).count(), 0);
    Ok(())
}

/// As with an iterator over the table: what was found is given though more is asked for than there is.
#[test]
fn an_exhausted_iterator_stays_exhausted() -> Result<()> {
    let db = sites::Sites::builder().open()?;
    let view = db.read();
    let mut found = view.site().by_name_many(["nobody"]);
    assert!(matches!(found.next(), Some(None)));
    assert!(found.next().is_none() && found.next().is_none());
    Ok(())
}
