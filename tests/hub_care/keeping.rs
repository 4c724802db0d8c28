//! What a hub holds, written out; how large it is; days that are dropped.

use stratum::hub::{history, keeping};
use stratum::market::time::Timestamp;

use super::evening::{SPORT, at};
use super::{Desk, runtime};

#[test]
fn what_the_hub_holds_is_written_and_old_days_go() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let mut a = desk.device("a", "one").await;
        desk.lease(&a, 1).await;
        // The evening of one day, and the one after it.
        a.looks(1400..1480);
        for minute in [1430, 1439, 1445, 1460, 1479] {
            assert!(at(minute) > 0);
        }
        a.tell(1).await.expect("told");
        a.follow().await;

        let files = desk.home.path().join("written");
        let dir = files.to_str().expect("text");
        let (code, text, errors) = desk.run("x", "ann", &["hub", "export", "--dir", dir]);
        assert_eq!(code, Some(0), "{text}{errors}");
        let lines = |kind: &str| -> Vec<serde_json::Value> {
            let text = std::fs::read_to_string(files.join(format!("{kind}.ndjson"))).expect("a file");
            text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
        };
        let there = |table: &str| desk.ask(&format!("SELECT count(*) FROM hub.{table}"));
        for (kind, table) in [
            ("looks", "look"),
            ("quotes", "change"),
            ("fair", "point"),
            ("signals", "signal"),
            ("opportunities", "opportunity"),
            ("closes", "close"),
            ("clv", "clv"),
            ("issues", "quality"),
            ("games", "event"),
        ] {
            assert_eq!(lines(kind).len().to_string(), there(table), "{kind}");
        }
        let quote = &lines("quotes")[0];
        assert_eq!((&quote["sport"], &quote["home"]), (&SPORT.into(), &"Boston Celtics".into()), "{quote}");
        assert!(quote["book"].is_string() && quote["market"].is_string() && quote["side"].is_string(), "{quote}");
        assert!(quote["price"].as_f64().is_some_and(|p| (1.1..5.0).contains(&p)), "{quote}");
        let at_midnight = Timestamp::from_millis(at(1440)).to_wire();
        let (code, text, _) =
            desk.run("x", "ann", &["hub", "export", "looks", "--sport", SPORT, "--from", &at_midnight]);
        let one: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        assert_eq!((code, text.lines().count(), &one["kind"]), (Some(0), 40, &"looks".into()));
        assert_eq!(desk.run("x", "ann", &["hub", "export", "--sport", "cricket"]).0, Some(3));
        assert_eq!(desk.run("x", "ann", &["hub", "export", "things"]).0, Some(2));
        assert_eq!(desk.run("x", "boss", &["hub", "export"]).0, Some(1));
        // A free login has nothing that is young, and then not everything.
        let (code, text, errors) = desk.run("x", "guest", &["hub", "export"]);
        assert!(code == Some(0) && text.is_empty() && errors.contains("closes: the hub withholds"), "{text}{errors}");
        desk.sql("UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'").await;
        let (code, text, _) = desk.run("x", "guest", &["hub", "export", "looks", "signals"]);
        assert!(code == Some(0) && text.contains("\"cost\":null") && !text.contains("\"books\""), "{text}");

        let (code, text, _) = desk.run("x", "boss", &["hub", "size", "--json"]);
        let sizes: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let change = sizes.iter().find(|t| t["table"] == "change").expect("the change log");
        let bytes = |name: &str| change[name].as_i64().expect("a number");
        assert_eq!((code, bytes("days")), (Some(0), 2), "{change}");
        assert!(bytes("index_bytes") > 0 && bytes("bytes") > bytes("index_bytes") && bytes("bytes_per_day") > 0);
        let first = Timestamp::from_millis(at(1400)).to_wire();
        assert_eq!(change["oldest"].as_str(), first.get(..10));
        assert_eq!(desk.run("x", "guest", &["hub", "size"]).0, Some(1));
        assert!(desk.run("x", "ann", &["hub", "size"]).1.contains("OLDEST"));

        // Of two days the first is to go.
        let keep = desk.ask(&format!(
            "SELECT (now() AT TIME ZONE 'UTC')::date - (to_timestamp({} / 1000) AT TIME ZONE 'UTC')::date",
            at(1440)
        ));
        let keep = format!("{keep}d");
        let (code, _, errors) = desk.run("x", "ann", &["hub", "retention", "--keep", &keep, "--reason", "not mine"]);
        assert!(code == Some(1) && errors.contains("withholds"), "{errors}");
        assert_eq!(desk.run("x", "boss", &["hub", "retention", "--keep", &keep]).0, Some(2), "without a reason");
        let (_, text, _) = desk.run("x", "boss", &["hub", "retention", "--keep", &keep, "--dry-run"]);
        assert!(text.contains("keeps everything") && text.contains("1 days would go"), "{text}");
        let (code, text, errors) =
            desk.run("x", "boss", &["hub", "retention", "--keep", &keep, "--reason", "a small server"]);
        assert!(code == Some(0) && text.contains("1 days go with the next run"), "{text}{errors}");
        assert!(desk.run("x", "boss", &["hub", "audit"]).1.contains("a small server"));
        // A game that is still on holds it.
        let now = "(extract(epoch FROM now()) * 1000)::bigint";
        desk.sql(&format!("UPDATE hub.event SET commence = {now}, forgotten = NULL")).await;
        let (_, text, _) = desk.run("x", "boss", &["hub", "retention", "--dry-run"]);
        assert!(text.contains("a game that is still on") && text.contains("0 days would go"), "{text}");
        let hub = a.hub.as_mut().expect("connected");
        assert_eq!(keeping::retain(hub, false).await.expect("nothing"), 0);
        desk.sql(&format!(
            "UPDATE hub.event SET commence = {now} - 864000000; DELETE FROM hub.meta WHERE key = 'kept_on'"
        ))
        .await;
        // So does a device that is just reading.
        let mut b = desk.device("b", "two").await;
        let hub = b.hub.as_mut().expect("connected");
        keeping::note_followed(hub, b.number, 0).await.expect("noted");
        let (_, text, _) = desk.run("x", "boss", &["hub", "retention", "--dry-run", "--json"]);
        assert!(text.contains("b, which has read up to"), "{text}");
        desk.sql("UPDATE hub.device SET seen_at = now() - interval '2 h'").await;
        let hub = a.hub.as_mut().expect("connected");
        assert_eq!(keeping::retain(hub, false).await.expect("a day"), 1);
        assert_eq!(keeping::retain(hub, false).await.expect("done today"), 0);
        assert_eq!(desk.ask("SELECT count(*) FROM hub.look"), "40");
        // What the hub keeps no more is not compared.
        let compared = a.compare().await;
        assert!(compared.is_same() && compared.dropped == 40 && compared.looks == 40, "{compared:?}");
        // Whoever begins, begins with what is left.
        b.follow().await;
        let compared = b.compare().await;
        assert!(compared.missing_here.is_empty() && compared.looks == 40, "{compared:?}");
    });
}

#[test]
fn whoever_is_behind_what_is_kept_is_told_so() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "ann").await);
        desk.lease(&a, 1).await;
        a.collect(1430..1435, 1).await;
        b.follow().await;
        a.collect(1435..1445, 1).await;
        let keep = desk.ask(&format!(
            "SELECT (now() AT TIME ZONE 'UTC')::date - (to_timestamp({} / 1000) AT TIME ZONE 'UTC')::date",
            at(1440)
        ));
        let (code, text, errors) =
            desk.run("x", "boss", &["hub", "retention", "--keep", &format!("{keep}d"), "--reason", "a test", "--now"]);
        assert!(code == Some(0) && text.contains("1 days were dropped"), "{text}{errors}");
        assert_eq!(desk.ask("SELECT min(seq) FROM hub.entry"), "11");
        let reader = b.store.reader().expect("reader");
        let link = reader.hub_link().expect("link").expect("linked");
        let hub = b.hub.as_mut().expect("connected");
        let behind = history::standing(hub, b.tier, &reader, &link).await.expect_err("behind");
        assert!(behind.to_string().contains("keeps nothing before entry 11"), "{behind}");
        assert_eq!(a.mend().await, None);
    });
}
