//! Many keys looked for at once are found as each by itself.

use dbgen_macros::{Table, database};
use dbgen_runtime::{Error, Result, Str, Text, Value};

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

    // And by the dynamic face, of which every column is asked for as a value.
    let table = view.as_ref().open_table("site")?;
    let keys = |key: fn(&Site) -> Vec<Value>| wanted.iter().map(key).collect::<Vec<_>>();
    for (index, keys) in [
        ("by_name", keys(|site| vec![site.name.as_str().into()])),
        ("by_label", keys(|site| vec![Value::from(&*site.label)])),
        ("by_tag", keys(|site| vec![site.tag.as_str().into()])),
        ("by_x_y", keys(|site| vec![site.x.into(), site.y.into()])),
    ] {
        let found = table.find_many(index, keys.iter().map(Vec::as_slice))?;
        assert_eq!(found.len(), wanted.len());
        let mut both = found.iter().zip(&names);
        assert!(both.all(|(found, name)| found.map(|it| it.id()) == name.map(|it| it.id().into())), "{index}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_looked_for_together_is_told() -> Result<()> {
    let db = dbgen_runtime::Database::builder()
        .schema_json(
            r#"{ "name": "w", "version": "1", "tables": { "t": { "fields": [
                {"name":"x","type":"u8"}, {"name":"y","type":"u8"}, {"name":"z","type":"u8","indexed":true} ],
                "indexes": [ {"name":"by_x_y","fields":["x","y"],"unique":true} ] } } }"#,
        )
        .open()?;
    let view = db.read();
    let table = view.open_table("t")?;
    let told = |index: &str, key: &[Value]| table.find_many(index, [key]).expect_err("it cannot be").to_string();
    let several = told("by_z", &[1_u8.into()]);
    assert!(
        several.starts_with("one record for each key of the index `by_z`, which is not unique, of table `t`"),
        "{several}"
    );
    let part = told("by_x_y", &[1_u8.into()]);
    assert!(part.starts_with("a key of 1 of the 2 columns of the index `by_x_y` of table `t`"), "{part}");
    assert!(matches!(table.find_many("by_y", []), Err(Error::UnknownField { .. })));
    assert!(matches!(table.find_many("by_x_y", [&[1_u8.into(), "two".into()][..]]), Err(Error::Invalid(_))));
    assert!(table.find_many("by_x_y", [])?.is_empty());
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
