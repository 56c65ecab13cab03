//! The arena, through its generated face.

use super::golden::arena::{Arena, Class, Guild, Player, PlayerPatch, Vec3};
use dbgen_runtime::typed::Found;
use dbgen_runtime::{Error, Id, Result};

/// A guild and three of its members.
fn filled() -> (Arena, Id<Guild>, [Id<Player>; 3]) {
    let db = Arena::builder().open().expect("a database in memory opens");
    let made = db.transact(|tx| {
        let guild = tx.guild_mut().insert(Guild { motto: Some("We see".into()), ..Guild::new("Night Watch") })?;
        let mut member = |name: &str, class, hp| {
            tx.player_mut().insert(Player { class, hp, guild: Some(guild), ..Player::new(name) })
        };
        let players =
            [member("Ayla", Class::Mage, 100)?, member("Bo", Class::Mage, 40)?, member("Cem", Class::Rogue, 70)?];
        Ok((guild, players))
    });
    let (guild, players) = made.expect("nothing in it breaks a rule");
    (db, guild, players)
}

#[test]
fn what_is_written_is_read_in_place() {
    let (db, guild, [ayla, ..]) = filled();
    let view = db.read();
    let player = view.player().get(ayla).expect("she was inserted");
    assert_eq!((player.id(), player.name(), player.class(), player.hp()), (ayla, "Ayla", Class::Mage, 100));
    assert_eq!((player.guild(), player.bag(), player.kills()), (Some(guild), [0; 8], 0));
    assert_eq!(*player.pos(), Vec3::default());
    assert_eq!(view.guild().get(guild).expect("it was inserted").motto(), Some("We see"));
    let expected = Player { class: Class::Mage, guild: Some(guild), ..Player::new("Ayla") };
    assert_eq!(player.to_record(), expected);
    assert!(format!("{player:?}").contains("name: \"Ayla\", class: Mage"));
}

#[test]
fn indexes_find_and_order() {
    let (db, guild, [ayla, bo, cem]) = filled();
    let view = db.read();
    let ids = |found: Found<'_, Player>| found.map(|player| player.id()).collect::<Vec<_>>();
    assert_eq!(view.player().by_name("Bo").map(|it| it.id()), Some(bo));
    assert!(view.player().by_name("Nobody").is_none());
    assert!(view.player().by_name("A name longer than any").is_none());
    assert_eq!(view.player().by_guild(guild).count(), 3);
    assert_eq!(view.player().by_guild(None).count(), 0);
    assert_eq!(ids(view.player().by_class_hp(Class::Rogue, 70)), [cem]);
    assert_eq!(ids(view.player().range_class_hp(Class::Mage, ..)), [bo, ayla]);
    assert_eq!(ids(view.player().range_class_hp(Class::Mage, 41..)), [ayla]);
    assert_eq!(ids(view.player().range_class_hp(Class::Mage, 40..100)), [bo]);
    assert_eq!(ids(view.player().range_name("B"..)), [bo, cem]);
    assert_eq!(view.player().range_name("B"..).next_back().map(|it| it.id()), Some(cem));
}

#[test]
fn setters_check_what_they_must() -> Result<()> {
    let (db, guild, [ayla, ..]) = filled();
    db.transact(|tx| {
        let mut players = tx.player_mut();
        let mut player = players.get_mut(ayla)?;
        player.set_pos(Vec3::new(1.0, 2.0, 3.0));
        player.set_hp(9999)?;
        player.set_name("Ayla the Old")?;
        player.set_guild(None)?;
        assert_eq!((player.view().name(), player.view().hp()), ("Ayla the Old", 9999));
        for refused in [player.set_hp(-1), player.set_name("longer than 16 bytes"), player.set_name("Bo")] {
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        Ok(())
    })?;
    db.transact(|tx| tx.guild_mut().get_mut(guild)?.set_motto(None))?;
    let view = db.read();
    let player = view.player().get(ayla)?;
    assert_eq!((player.name(), player.hp(), player.guild()), ("Ayla the Old", 9999, None));
    assert_eq!(*player.pos(), Vec3::new(1.0, 2.0, 3.0));
    assert_eq!(view.guild().get(guild)?.motto(), None);
    Ok(())
}

#[test]
fn a_patch_changes_what_it_names() -> Result<()> {
    let (db, _, [ayla, ..]) = filled();
    let patch = PlayerPatch { hp: Some(1), guild: Some(None), ..PlayerPatch::default() };
    db.transact(|tx| tx.player_mut().patch(ayla, patch))?;
    let player = db.read().player().get(ayla)?.to_record();
    assert_eq!((player.hp, player.guild, player.name.as_str()), (1, None, "Ayla"));
    Ok(())
}

#[test]
fn a_group_is_a_slice_of_vectors_and_of_lanes() -> Result<()> {
    use dbgen_runtime::cell::Lanes;
    let (db, ..) = filled();
    db.transact(|tx| {
        for motion in tx.player_mut().motion_mut() {
            motion.vel = Vec3::new(1.0, 0.0, -1.0);
            motion.pos += motion.vel * 0.5;
        }
        for lane in Lanes::as_lanes_mut(tx.player_mut().motion_mut()) {
            *lane *= 2.0;
        }
        Ok(())
    })?;
    let view = db.read();
    assert!(view.player().motion().iter().all(|motion| motion.pos == Vec3::new(1.0, 0.0, -1.0)));
    assert_eq!(view.player().rows()[1].name, "Bo");
    Ok(())
}

#[test]
fn a_nested_part_can_fail_alone() -> Result<()> {
    let (db, _, [ayla, ..]) = filled();
    db.transact(|tx| {
        tx.player_mut().update(ayla, |player| player.hp = 50)?;
        let failed = tx.nested(|tx| {
            tx.player_mut().update(ayla, |player| player.hp = 60)?;
            tx.player_mut().insert(Player::new("Ayla"))
        });
        assert!(matches!(failed, Err(Error::Invalid(_))));
        assert_eq!(tx.player().get(ayla)?.hp(), 50);
        Ok(())
    })
}

#[test]
fn a_savepoint_of_the_typed_face_is_gone_back_to() -> Result<()> {
    let (db, guild, [ayla, bo, _]) = filled();
    let before = db.read();
    db.transact(|tx| {
        tx.player_mut().update(ayla, |player| player.hp = 50)?;
        let at_50 = tx.savepoint();
        tx.player_mut().motion_mut()[0].pos = Vec3::new(9.0, 9.0, 9.0);
        tx.guild_mut().delete(guild)?;
        let without_guild = tx.savepoint();
        tx.player_mut().delete(bo)?;
        tx.rollback_to(&without_guild);
        assert_eq!((tx.player().len(), tx.guild().len()), (3, 0));
        tx.rollback_to(&at_50);
        tx.rollback_to(&at_50);
        let player = tx.player().get(ayla)?;
        assert_eq!((player.hp(), player.guild(), player.pos().x.get()), (50, Some(guild), 0.0));
        Ok(())
    })?;
    db.read().check().expect("every table is whole");
    before.check().expect("what was held is what it was");
    assert_eq!((before.player().get(ayla)?.hp(), db.read().player().get(ayla)?.hp()), (100, 50));
    assert_eq!(db.read().player().by_guild(guild).count(), 3);
    Ok(())
}

#[test]
fn enums_have_names() {
    assert_eq!("rogue".parse(), Ok(Class::Rogue));
    assert_eq!(Class::ALL.map(|class| class.to_string()), ["warrior", "mage", "rogue"]);
    let error = "bard".parse::<Class>().expect_err("no such class");
    assert_eq!(error.to_string(), "`bard` is not a variant of `Class`: expected `warrior`, `mage` or `rogue`");
}

#[test]
fn a_group_is_made_anew_from_what_it_was() -> Result<()> {
    let (db, _, [ayla, ..]) = filled();
    db.transact(|tx| {
        for motion in tx.player_mut().motion_mut() {
            motion.vel = Vec3::new(2.0, 0.0, 0.0);
        }
        Ok(())
    })?;
    let before = db.read();
    let largest = db.transact(|tx| {
        Ok(tx.player_mut().motion_next(|old, new| {
            for (old, new) in old.iter().zip(new.iter_mut()) {
                *new = *old;
                new.pos += old.vel * 0.5;
            }
            new.len()
        }))
    })?;
    assert_eq!(largest, 3);
    assert_eq!(*before.player().get(ayla)?.pos(), Vec3::default(), "a view never changes");
    let view = db.read();
    assert!(view.player().iter().all(|player| *player.pos() == Vec3::new(1.0, 0.0, 0.0)));
    assert!(view.player().iter().all(|player| *player.vel() == Vec3::new(2.0, 0.0, 0.0)));
    assert_eq!(view.check(), Ok(()));

    // One that fails is undone like everything else.
    let failed: Result<()> = db.transact(|tx| {
        tx.player_mut().motion_next(|_, new| new.fill(at_rest()));
        tx.guild_mut().insert(Guild::new("Night Watch")).map(drop)
    });
    assert!(matches!(failed, Err(Error::Invalid(_))), "{failed:?}");
    assert_eq!(*db.read().player().get(ayla)?.pos(), Vec3::new(1.0, 0.0, 0.0));
    Ok(())
}

#[test]
fn nothing_is_left_behind_the_rows_of_a_group_that_was_made_anew() -> Result<()> {
    let buffers_of = |anew: bool| {
        let (db, _, [ayla, bo, cem]) = filled();
        db.transact(|tx| {
            tx.player_mut()
                .motion_mut()
                .fill(super::golden::arena::player::Motion { vel: Vec3::new(2.0, 0.0, 0.0), ..at_rest() });
            Ok(())
        })?;
        // The version that is written next still has their rows.
        db.transact(|tx| tx.player_mut().delete(bo).and(tx.player_mut().delete(cem)))?;
        db.transact(|tx| {
            if anew {
                tx.player_mut().motion_next(|old, new| new.copy_from_slice(old));
            } else {
                tx.player_mut().motion_mut();
            }
            Ok(())
        })?;
        assert_eq!(*db.read().player().get(ayla)?.vel(), Vec3::new(2.0, 0.0, 0.0));
        dbgen_runtime::__private::buffers(&db.as_dynamic())
    };
    assert!(buffers_of(true)? == buffers_of(false)?);
    Ok(())
}

/// A row at rest.
fn at_rest() -> super::golden::arena::player::Motion {
    super::golden::arena::player::Motion { pos: Vec3::default(), vel: Vec3::default() }
}

#[test]
fn handles_write_many_and_read_side_by_side() -> Result<()> {
    use rayon::iter::ParallelIterator;
    let (db, guild, [ayla, bo, cem]) = filled();
    let made = db.transact(|tx| tx.player_mut().insert_many((0..5000).map(|at| Player::new(format!("bot {at}")))))?;
    assert_eq!(made.len(), 5000);
    let twice = db.transact(|tx| tx.player_mut().insert_many([Player::new("Dee"), Player::new("Ayla")]));
    assert!(matches!(twice, Err(Error::Invalid(_))));
    db.transact(|tx| {
        tx.player_mut().for_each_mut(|mut player| {
            let hp = player.view().hp();
            player.set_hp(hp / 2)
        })
    })?;
    let view = db.read();
    assert_eq!((view.player().len(), view.player().is_empty()), (5003, false));
    assert_eq!(view.player().par_iter().map(|player| i64::from(player.hp())).sum::<i64>(), 5000 * 50 + 50 + 20 + 35);
    assert_eq!(view.player().iter().rev().count(), 5003);
    assert!(view.player().by_name("Dee").is_none(), "all or none");
    db.transact(|tx| tx.player_mut().delete(bo))?;
    assert!(matches!(db.read().player().get(bo), Err(Error::NotFound { .. })));
    db.transact(|tx| tx.guild_mut().delete(guild))?;
    assert_eq!([ayla, cem].map(|id| db.read().player().get(id).map(|it| it.guild()).ok()), [Some(None); 2]);
    Ok(())
}

#[test]
fn a_table_is_described_by_constants() {
    use dbgen_runtime::Table;
    use dbgen_runtime::typed::FieldDesc;
    assert_eq!((Player::NAME, Player::INDEX), ("player", 1));
    assert_eq!(Player::DESC.groups, [("row", 50), ("motion", 24)]);
    assert_eq!(Player::DESC.field("vel"), Some(&FieldDesc::required("vel", "Vec3", 1, 12)));
    assert_eq!(Player::DESC.field("guild").map(|field| (field.ty, field.is_nullable)), Some(("ref<guild>", true)));
    let indexes = Player::DESC.indexes.iter().map(|index| (index.name, index.is_unique)).collect::<Vec<_>>();
    assert_eq!(indexes, [("by_class_hp", false), ("by_name", true), ("by_guild", false)]);
}
