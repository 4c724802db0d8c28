//! Rows that were spoilt here or there.

use stratum::engine::EngineSettings;
use stratum::hub::repair::{Deed, repair};
use stratum::hub::verify::Compared;

use super::evening::told;
use super::{Desk, assert_all_same, runtime};

#[test]
fn what_differs_is_fetched_again() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "ann").await);
        desk.lease(&a, 1).await;
        a.looks(0..140);
        // A good evening has no issues.
        let issues = rusqlite::Connection::open(a.path()).expect("store");
        issues
            .execute_batch(
                "INSERT INTO quality (look, at, event, book, market, reason, severity, detail, cleared)
                 SELECT id, received_at, (SELECT min(id) FROM event), 1, 1, 2, 'warning', 'the ' || n.column1 || '.',
                 CASE WHEN n.column1 > 1 THEN id + 10 END
                 FROM look JOIN (VALUES (1), (2), (3)) AS n WHERE id IN (20, 30) ORDER BY id, n.column1",
            )
            .expect("issues");
        drop(issues);
        a.tell(1).await.expect("told");
        a.follow().await;
        b.follow().await;
        assert_all_same(&desk, &mut [&mut a, &mut b], 140).await;
        let whole = told(&b.path());
        let rows = |kind: &str| whole.iter().filter(|l| l.starts_with(&format!("Text(\"{kind}\")"))).count();
        for kind in ["change", "point", "signal", "issue", "tally", "keyframe"] {
            assert!(rows(kind) > 0, "{kind}");
        }
        // Changed, missing and additional rows.
        let spoilt = rusqlite::Connection::open(b.path()).expect("store");
        spoilt
            .execute_batch(
                "UPDATE change SET price = price + 2 WHERE (event, look, slot) IN
                    (SELECT event, look, slot FROM change ORDER BY look LIMIT 3 OFFSET 40);
                 UPDATE change SET price = price + 2 WHERE (event, look, slot) IN
                    (SELECT event, look, slot FROM change ORDER BY look DESC LIMIT 3);
                 DELETE FROM change WHERE (event, look, slot) IN
                    (SELECT event, look, slot FROM change ORDER BY look LIMIT 2);
                 INSERT INTO change SELECT event, look + 1, 900, line, price, status, last_seen, provider_update FROM change
                    ORDER BY look LIMIT 1 OFFSET 100;
                 DELETE FROM point WHERE (event, look) IN (SELECT event, look FROM point ORDER BY look DESC LIMIT 1);
                 UPDATE point SET fair1 = 0.123 WHERE (event, look) IN (SELECT event, look FROM point ORDER BY look LIMIT 1);
                 UPDATE signal SET look = look + 1, strength = strength + 1 WHERE rowid IN (SELECT rowid FROM signal LIMIT 1);
                 DELETE FROM signal WHERE rowid IN (SELECT rowid FROM signal ORDER BY look DESC LIMIT 1);
                 DELETE FROM quality WHERE id IN (SELECT id FROM quality ORDER BY id LIMIT 1 OFFSET 1);
                 UPDATE quality SET cleared = NULL WHERE id IN (SELECT id FROM quality WHERE cleared IS NOT NULL LIMIT 1);
                 INSERT INTO tally SELECT look, 99, 1, 1, 1, 1, 1 FROM tally LIMIT 1;
                 UPDATE event_start SET commence = commence + 60000;
                 UPDATE quote SET book = 1 WHERE (event, slot) IN (SELECT event, slot FROM quote LIMIT 1);
                 UPDATE look SET cost = 99 WHERE id IN (SELECT id FROM look LIMIT 1 OFFSET 7);
                 DELETE FROM look_seen WHERE look IN (SELECT look FROM look_seen LIMIT 1);",
            )
            .expect("spoilt");
        drop(spoilt);
        let compared = b.compare().await;
        assert!(!compared.is_same());
        let tables: Vec<&str> = compared.differing.iter().map(|d| d.table).collect();
        for table in ["look", "change", "point", "signal", "quality", "tally", "event_start", "slot", "look_seen"] {
            assert!(tables.contains(&table), "{table}: {compared:#?}");
        }
        // Two or three looks each, and not the day.
        assert!(compared.differing.iter().all(|d| d.looks.len() <= 10), "{compared:#?}");
        drop(b.store);

        let (code, text, _) = desk.run("b", "ann", &["hub", "repair", "--dry-run"]);
        assert!(code == Some(0) && text.contains("nothing was changed"), "{text}");
        let (code, text, _) = desk.run("b", "ann", &["hub", "verify"]);
        assert!(code == Some(1) && text.contains("stratum hub repair"), "{text}");
        let (code, text, errors) = desk.run("b", "ann", &["hub", "repair", "--json"]);
        assert_eq!(code, Some(0), "{text}{errors}");
        let deeds: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        assert!(deeds.iter().all(|d| d["what"] == "replaced" && d["done"] == true && d["collected_here"] == 0), "{text}");
        let (code, text, _) = desk.run("b", "ann", &["hub", "repair"]);
        assert!(code == Some(0) && text.contains("nothing to mend"), "{text}");
        let (code, text, _) = desk.run("b", "ann", &["hub", "verify"]);
        assert!(code == Some(0) && text.contains("basketball_nba: the same, 140 looks"), "{text}");
        let mended = told(&desk.home.path().join("b/stratum.db"));
        let apart = whole.iter().zip(&mended).find(|(a, b)| a != b);
        assert!(apart.is_none() && whole.len() == mended.len(), "{apart:?}");
        let (code, _, errors) = desk.run("a", "one", &["hub", "repair"]);
        assert_eq!(code, Some(4), "a store that somebody writes: {errors}");
    });
}

#[test]
fn the_hub_is_right_about_looks_that_it_holds_and_others_stay() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "ann").await);
        desk.lease(&a, 1).await;
        a.looks(0..40);
        a.tell(1).await.expect("told");
        a.looks(40..45);
        a.follow().await;
        b.follow().await;
        let settings = EngineSettings::default();
        // The hub has another price, and has lost a row: those who collected it take over what the desk has.
        desk.sql(
            "UPDATE hub.change SET price = price + 2 WHERE (look, event, slot) IN
                (SELECT look, event, slot FROM hub.change ORDER BY look DESC LIMIT 1);
             DELETE FROM hub.signal WHERE (id, version) IN (SELECT id, version FROM hub.signal ORDER BY look LIMIT 1)",
        )
        .await;
        let tier = a.tier;
        let hub = a.hub.as_mut().expect("connected");
        let repaired = repair(hub, tier, &mut a.store, &settings, false).await.expect("repaired");
        let own: u64 = repaired
            .deeds
            .iter()
            .map(|d| match d {
                Deed::Replaced(r) => r.collected_here,
                other => panic!("{other:?}"),
            })
            .sum();
        assert_eq!(own, 2);
        let after = a.compare().await;
        assert!(after.is_same() && after.only_here == 5, "{after:?}");
        assert_eq!(a.tell(1).await.expect("told"), 5);

        // Looks that are missing here are read again, and what the hub has lost whole stays here.
        let spoilt = rusqlite::Connection::open(b.path()).expect("store");
        spoilt
            .execute_batch(
                "DELETE FROM hub_look WHERE look IN (SELECT id FROM look ORDER BY id LIMIT 1 OFFSET 20);
                 DELETE FROM look WHERE id IN (SELECT id FROM look ORDER BY id LIMIT 1 OFFSET 20)",
            )
            .expect("spoilt");
        drop(spoilt);
        let compared = b.compare().await;
        assert_eq!(compared.missing_here.len(), 1, "{compared:?}");
        let tier = b.tier;
        let hub = b.hub.as_mut().expect("connected");
        let repaired = repair(hub, tier, &mut b.store, &settings, false).await.expect("repaired");
        let read = |d: &Deed| matches!(d, Deed::Read { looks: 1, .. });
        assert!(repaired.deeds.iter().any(read), "{repaired:?}");
        b.assert_same().await;
        desk.sql("DELETE FROM hub.look WHERE id = (SELECT max(id) FROM hub.look)").await;
        let hub = b.hub.as_mut().expect("connected");
        let repaired = repair(hub, tier, &mut b.store, &settings, false).await.expect("repaired");
        assert!(matches!(repaired.deeds.first(), Some(Deed::Disowned { looks: 1, .. })), "{repaired:?}");
        assert!(repaired.compared.iter().all(Compared::is_same), "{repaired:#?}");
        assert_eq!(repaired.compared[0].only_here, 1);
        // And it stays, whatever comes.
        let hub = a.hub.as_mut().expect("connected");
        repair(hub, a.tier, &mut a.store, &settings, false).await.expect("repaired");
        a.collect(45..50, 1).await;
        b.follow().await;
        for d in [&mut a, &mut b] {
            let compared = d.compare().await;
            assert!(compared.is_same() && compared.only_here == 1 && compared.looks == 49, "{}: {compared:?}", d.name);
        }
    });
}
