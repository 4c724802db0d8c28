//! Two stores and a hub: what one tells the other takes in, whole and once, through a real PostgreSQL.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/evening.rs"]
mod evening;
#[path = "common/hub_pair.rs"]
mod hub_pair;
#[path = "common/postgres.rs"]
mod postgres;

use std::path::Path;

use evening::{SPORT, answer, at, look, told};
use hub_pair::{Two, engine_of, follow, join, lease, runtime, tell};
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::answers;
use stratum::hub::connect::Tier;
use stratum::hub::error::HubError;
use stratum::hub::link;
use stratum::hub::live::Live;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{PushError, Pusher, Step};
use stratum::hub::recent::{self, First};
use stratum::market::time::Timestamp;
use stratum::store::Store;
use uuid::Uuid;

#[test]
fn what_one_tells_another_takes_in() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 7).await;
        assert!(two.tell_a(7).await > 0);
        assert_eq!(two.tell_a(7).await, 0, "nothing twice");
        assert_eq!(two.follow_b().await, 20);
        // One by one, as it happens live; games end and are let go of.
        for minute in 20..140 {
            look(&mut engine, &mut two.a, minute);
            if minute % 7 == 0 || minute > 130 {
                two.tell_a(7).await;
                two.follow_b().await;
            }
        }
        two.tell_a(7).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "140");
        // What was pulled is what would have been judged here.
        drop(two.b);
        let checked = assert_cmd::Command::new(env!("CARGO_BIN_EXE_stratum"))
            .arg("--data-dir")
            .arg(two.home.path().join("b"))
            .args(["replay", "--check"])
            .env("HOME", two.home.path())
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    });
}

/// A stretch in words that do not depend on the order of rows of one look.
fn words(stretch: &pull::Stretch) -> Vec<String> {
    let incoming = &stretch.incoming;
    let mut words = vec![format!(
        "{} {} {:?} {:?} {:?}",
        incoming.until, stretch.changes, incoming.marks, stretch.mark, stretch.before
    )];
    words.extend(incoming.looks.iter().map(|l| format!("{l:?}")));
    for (table, rows) in &incoming.rows {
        let mut last = 0;
        rows.each(&mut |look, cells| {
            assert!(look >= last, "in the order of looks");
            last = look;
            words.push(format!("{} {look} {cells:?}", table.name));
            Ok(())
        })
        .expect("rows");
    }
    words.sort();
    words
}

#[test]
fn what_is_packed_is_what_the_tables_say() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        lease(&mut two.owner, two.device_a, 7).await;
        look(&mut engine, &mut two.a, 0);
        two.tell_a(7).await;
        two.follow_b().await;
        let sql = "SELECT count(*) FROM hub.pack";
        let packs = |two: &Two| two.desk.server.ask("collector1", postgres::DATABASE, sql);
        assert_eq!(packs(&two), "1");
        let mut live = Live::default();
        // How far behind it is is not known at first.
        let after = two.b.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
        assert!(live.next(&mut two.hub, View::Whole, two.device_b, after, 0).await.expect("asked").is_none());
        let (mut compared, mut kinds) = (0, std::collections::BTreeSet::new());
        for minute in 1..139 {
            look(&mut engine, &mut two.a, minute);
            // Runs of one look, of several, and several runs at once.
            if minute % 3 == 1 {
                continue;
            }
            two.tell_a(7).await;
            if minute % 4 == 1 {
                continue;
            }
            let after = two.b.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
            let (hub, device) = (&mut two.hub, two.device_b);
            let packed = live.next(hub, View::Whole, device, after, 0).await.expect("asked").expect("news");
            let plain = pull::next(hub, View::Whole, device, after).await.expect("asked").expect("news");
            assert!(packed.packed && !plain.packed && packed.head == plain.head);
            assert_eq!(words(&packed), words(&plain), "minute {minute}");
            // Of events the tables tell what became of them later, too.
            let known: Vec<_> = plain.incoming.events.iter().map(|e| (e.hub, e.provider_id.clone())).collect();
            assert!(packed.incoming.events.iter().all(|e| known.contains(&(e.hub, e.provider_id.clone()))));
            for (table, _) in &packed.incoming.rows {
                kinds.insert(table.name);
            }
            compared += 1;
            two.b.hub_apply(&packed.incoming, &EngineSettings::default()).expect("applied");
        }
        assert!(compared > 60 && kinds.len() > 9, "{compared} {kinds:?}");
        two.assert_same();
        two.assert_whole().await;

        // A pack that cannot be read is no reason to stop.
        look(&mut engine, &mut two.a, 139);
        two.tell_a(7).await;
        two.owner
            .client()
            .batch_execute(
                "UPDATE hub.pack SET pack = substr(pack, 1, 200) WHERE seq = (SELECT max(seq) FROM hub.pack)",
            )
            .await
            .expect("damaged");
        assert_eq!(two.follow_b().await, 1);
        // Nor is one of a later program.
        look(&mut engine, &mut two.a, 140);
        two.tell_a(7).await;
        let sql = "UPDATE hub.pack SET pack = '\\x02'::bytea || pack WHERE seq = (SELECT max(seq) FROM hub.pack)";
        two.owner.client().batch_execute(sql).await.expect("of another form");
        assert_eq!(two.follow_b().await, 1);
        two.assert_same();

        // What is taken back is in no pack.
        let settings = EngineSettings::default();
        let rewound = two.a.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(120)), &settings).map(drop)
        });
        rewound.expect("rewound");
        two.tell_a(7).await;
        assert_eq!(packs(&two), "0");
        let mut engine = engine_of(&two.a);
        for minute in 121..125 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(7).await;
        assert_eq!(packs(&two), "1");
        two.follow_b().await;
        two.assert_same();
        two.assert_whole().await;

        // The newest thousand stay.
        let older = "ALTER TABLE hub.pack DROP CONSTRAINT pack_seq_fkey; UPDATE hub.pack SET seq = seq - 998";
        two.owner.client().batch_execute(older).await.expect("older");
        look(&mut engine, &mut two.a, 125);
        two.tell_a(7).await;
        assert_eq!(packs(&two), "2");
        look(&mut engine, &mut two.a, 126);
        two.tell_a(7).await;
        assert_eq!(packs(&two), "2");
        // What could not be taken in is read from the tables, and what comes then is packed again.
        let after = two.b.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
        live.distrust(after + 1);
        let plain = live.next(&mut two.hub, View::Whole, two.device_b, after, 0).await.expect("asked").expect("news");
        assert!(!plain.packed);
        two.b.hub_apply(&plain.incoming, &EngineSettings::default()).expect("applied");
        look(&mut engine, &mut two.a, 127);
        two.tell_a(7).await;
        let (hub, until) = (&mut two.hub, plain.incoming.until);
        assert!(live.next(hub, View::Whole, two.device_b, until, 0).await.expect("asked").expect("news").packed);
        // A pack goes with its entry.
        two.owner
            .client()
            .batch_execute(
                "ALTER TABLE hub.pack ADD FOREIGN KEY (seq) REFERENCES hub.entry ON DELETE CASCADE NOT VALID;
             BEGIN; DELETE FROM hub.entry WHERE seq = (SELECT max(seq) FROM hub.entry)",
            )
            .await
            .expect("deleted");
        let left = two.owner.client().query_one("SELECT count(*) FROM hub.pack", &[]).await.expect("asked");
        assert_eq!(left.get::<_, i64>(0), 2);
        two.owner.client().batch_execute("ROLLBACK").await.expect("as before");

        // At a hub that has no packs yet everything goes by the tables.
        let older = "DROP TABLE hub.pack; DROP TRIGGER taken_back ON hub.entry;
             DROP FUNCTION hub.merge(int, int, int, bigint, bigint, bigint, bytea)";
        two.owner.client().batch_execute(older).await.expect("as an older program made it");
        look(&mut engine, &mut two.a, 128);
        two.tell_a(7).await;
        assert_eq!(two.follow_b().await, 2);
        two.assert_same();
        two.assert_whole().await;
    });
}

#[test]
fn what_is_staged_runs_nothing_with_the_rights_of_the_owner() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        lease(&mut two.owner, two.device_a, 7).await;
        look(&mut engine, &mut two.a, 0);
        two.tell_a(7).await;
        let trap = "CREATE FUNCTION pg_temp.trap() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
             $$ BEGIN IF current_user = 'stratum_owner' THEN RAISE EXCEPTION 'caught' USING ERRCODE = 'SX666'; END IF;
             RETURN true; END $$;";
        let look = "id bigint, day date, device_look bigint, rules bytea, received_at bigint, endpoint text, scope text,
             origin text, cost bigint, remaining bigint, events int, quotes int, changes int, issues int, body_hash bytea";
        let row = "INSERT INTO s_look (id, day, received_at) VALUES (1, current_date, 99999999999999)";
        let ways = [
            format!(
                "CREATE TEMP TABLE other ({look}, tier text); CREATE TEMP VIEW s_look AS SELECT * FROM other WHERE pg_temp.trap();
                 INSERT INTO other (id, day, received_at) VALUES (1, current_date, 99999999999999);"
            ),
            format!(
                "CREATE TEMP TABLE s_look ({look}, tier text); {row}; ALTER TABLE s_look ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY p ON s_look USING (pg_temp.trap());"
            ),
            format!(
                "CREATE TYPE pg_temp.own AS (t text); CREATE TEMP TABLE s_look ({look}, tier pg_temp.own); {row};"
            ),
            format!("CREATE TEMP TABLE s_look ({look}, tier text); CREATE INDEX ON s_look (id) WHERE pg_temp.trap(); {row};"),
            format!("CREATE TEMP TABLE s_look ({look}, tier text, CHECK (pg_temp.trap())); {row};"),
            format!("CREATE TEMP TABLE s_look ({look}, tier text); CREATE TEMP TABLE s_more () INHERITS (s_look); {row};"),
        ];
        let device = two.device_a;
        for way in ways {
            let mut c = two.desk.connect("collector1").await;
            let client = c.client();
            client.batch_execute(&format!("{trap} {way}")).await.expect("made");
            client.batch_execute("GRANT SELECT ON s_look TO stratum_owner").await.expect("granted");
            for call in [
                format!("SELECT * FROM hub.merge({device}, 1, 1, 7, 1, 2)"),
                format!("SELECT * FROM hub.merge({device}, 1, 1, 7, 1, 2, NULL)"),
                format!("SELECT hub.tell_exchange({device}, 'polymarket', 7)"),
            ] {
                let refused = client.batch_execute(&call).await.expect_err("refused");
                assert_eq!(refused.code().map(|c| c.code()), Some("SH003"), "{call}\n{way}\n{refused:?}");
            }
        }
        assert_eq!(two.looks_at_the_hub(), "1");
    });
}

#[test]
fn an_answer_that_was_lost_is_found_and_nothing_is_told_twice() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..30 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        // Taken there; here the power goes before it is noted.
        assert!(matches!(pusher.step(&mut two.hub, &cursor, 1).await.expect("a step"), Step::Told { .. }));
        drop(pusher);
        for minute in 30..40 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        assert_eq!(two.looks_at_the_hub(), "40");
        two.assert_same();
    });
}

#[test]
fn looks_that_come_late_take_their_place_everywhere() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in (0..60).filter(|m| m % 11 != 5) {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        let settings = EngineSettings::default();
        let rewound = two.a.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(26)), &settings).map(drop)
        });
        rewound.expect("rewound");
        let mut engine = engine_of(&two.a);
        for minute in 27..60 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(
            two.looks_at_the_hub(),
            told(two.a.path()).iter().filter(|l| l.starts_with("Text(\"look\")")).count().to_string()
        );
    });
}

#[test]
fn whoever_returns_late_is_refused_and_gives_way() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        // Cut off, the first one goes on; the second one takes over.
        for minute in 20..25 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_b, 2).await;
        let mut engine_b = engine_of(&two.b);
        for minute in 25..50 {
            look(&mut engine_b, &mut two.b, minute);
        }
        tell(&mut two.hub, &mut two.b, two.device_b, 2).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        let refused = pusher.step(&mut two.hub, &cursor, 1).await.expect_err("refused");
        assert!(matches!(refused, PushError::Hub(HubError::Fenced { .. })), "{refused:?}");
        // Even with a lease of its own again it may not put what is old behind what is new.
        lease(&mut two.owner, two.device_a, 3).await;
        assert_eq!(pusher.step(&mut two.hub, &cursor, 3).await.expect("a step"), Step::Overtaken);
        drop(pusher);
        assert_eq!(follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await, 25);
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "45");
        // And it goes on from there.
        let mut engine = engine_of(&two.a);
        for minute in 50..70 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(3).await;
        two.follow_b().await;
        two.assert_same();
    });
}

#[test]
fn a_free_login_follows_what_it_may_see() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..60 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        let mut free = two.desk.connect("free1").await;
        let joined = link::join(&mut free, Uuid::new_v4(), "guest", false).await.expect("joined");
        assert_eq!((joined.tier, joined.number, joined.newest_look), (Tier::Free, 0, 0), "nothing is old enough");
        let mut c = Store::open(&two.home.path().join("c.db")).expect("store");
        c.hub_join(&joined.link(Uuid::new_v4(), 0, Timestamp::from_millis(0))).expect("linked");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 0);
        two.owner
            .client()
            .batch_execute(
                "SET ROLE stratum_owner; UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'; RESET ROLE",
            )
            .await
            .expect("without a delay");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 60);
        let part = |path: &Path, kind: &str| -> Vec<String> {
            told(path).into_iter().filter(|l| l.contains(&format!("Text(\"{kind}\")"))).collect()
        };
        for kind in ["quote", "change", "point", "event", "keyframe"] {
            assert_eq!(part(two.a.path(), kind), part(c.path(), kind), "{kind}");
        }
        for kind in ["opportunity", "issue"] {
            assert!(part(c.path(), kind).is_empty(), "{kind}");
        }
        let reader = c.reader().expect("reader");
        let signals = reader.signals(&Default::default()).expect("signals");
        assert!(!signals.is_empty());
        for s in &signals {
            assert!(s.entry.is_none() && s.evidence.is_empty() && s.detail.labels == ["withheld"], "{s:?}");
        }
    });
}

/// What stands now, in words that do not depend on a store's own numbers.
fn present(path: &Path) -> Vec<String> {
    let reader = stratum::store::Reader::open(path).expect("store");
    let c = rusqlite::Connection::open(path).expect("store");
    let mut lines: Vec<String> = told(path)
        .into_iter()
        .filter(|l| ["newest", "quote"].iter().any(|w| l.starts_with(&format!("Text(\"{w}"))))
        .collect();
    let mut select = c.prepare("SELECT id, provider_id FROM event WHERE forgotten IS NULL ORDER BY 2").expect("events");
    let mut rows = select.query([]).expect("rows");
    while let Some(r) = rows.next().expect("row") {
        let (id, name): (u32, String) = (r.get(0).expect("id"), r.get(1).expect("id"));
        let event = stratum::market::ids::EventId(id);
        let state = reader.event_as_of(event, Timestamp::from_millis(i64::MAX)).expect("reads").expect("known");
        let (row, quotes) = (state.row, state.quotes);
        lines.push(format!("{name} {:?} {:?} {:?}", row.commence, row.status, row.score));
        for (slot, key, value) in quotes {
            lines.push(format!("{name} {slot:?} {:?} {value:?}", key.selection.side));
        }
    }
    lines
}

#[test]
fn the_newest_comes_first_and_the_history_behind() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        lease(&mut two.owner, two.device_a, 7).await;
        let mut board = Store::open(&two.home.path().join("board").join("stratum.db")).expect("store");
        let mut hub = two.desk.connect("pro1").await;
        let mut device = 0;
        for minute in 0..50 {
            look(&mut engine, &mut two.a, minute);
            if minute % 3 == 0 {
                two.tell_a(7).await;
            }
            if minute == 20 {
                // Linked today, and begun with tomorrow.
                device = join(&mut hub, &mut board, "board").await;
            }
        }
        two.tell_a(7).await;
        let short = First { changes: 10, long: 100_000 };
        assert!(recent::first(&mut hub, View::Whole, device, short).await.expect("asked").is_none(), "a short log");
        let first = First { changes: 10, long: 100 };
        let stretch = recent::first(&mut hub, View::Whole, device, first).await.expect("asked").expect("a long log");
        assert!(stretch.changes <= 30 && stretch.incoming.looks.len() < 20, "{stretch:?}");
        board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
        // The board stands as at the collector's, though most of the log is not here.
        let mine = |present: &[String]| -> Vec<String> {
            // Games that have ended come with the history.
            present.iter().filter(|l| !l.contains("Text(\"game2\")")).cloned().collect()
        };
        let same = |a: &Path, b: &Path| {
            let (a, b) = (mine(&present(a)), mine(&present(b)));
            assert!(a.len() > 40, "something to compare: {}", a.len());
            let first = a.iter().zip(&b).find(|(a, b)| a != b);
            assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
        };
        same(two.a.path(), board.path());
        let link = |store: &Store| store.reader().expect("reader").hub_link().expect("link").expect("linked");
        let (mut after, gap) = link(&board).gap.expect("a gap");
        assert!(after == 0 && gap > 5, "{gap}");
        // Live goes on, while the history comes in behind.
        for minute in 50..58 {
            look(&mut engine, &mut two.a, minute);
            two.tell_a(7).await;
            follow(&mut hub, &mut board, device, View::Whole).await;
            same(two.a.path(), board.path());
            let upto = (after + 2).min(gap);
            if after < gap {
                let stretch = pull::behind(&mut hub, View::Whole, device, (after, upto)).await.expect("asked");
                let stretch = stretch.expect("history");
                after = stretch.incoming.until;
                let applied = board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
                assert_eq!((applied.looks.len(), applied.complete), (0, after >= gap));
                same(two.a.path(), board.path());
            }
        }
        // Not before all of it is here.
        let check = || {
            assert_cmd::Command::new(env!("CARGO_BIN_EXE_stratum"))
                .arg("--data-dir")
                .arg(two.home.path().join("board"))
                .args(["replay", "--check"])
                .env("HOME", two.home.path())
                .output()
                .expect("runs")
        };
        let early = check();
        let text = String::from_utf8_lossy(&early.stderr);
        assert!(!early.status.success() && text.contains("% of the hub's history is here"), "{text}");
        while let Some((behind, gap)) = link(&board).gap {
            let stretch =
                pull::behind(&mut hub, View::Whole, device, (behind, gap)).await.expect("asked").expect("history");
            board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
        }
        let (a, b) = (told(two.a.path()), told(board.path()));
        let first = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
        drop(board);
        let checked = check();
        let text = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    });
}

#[test]
fn answers_as_they_came_follow_the_looks() {
    use stratum::store::raw::{RawAnswer, body_hash};
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..40 {
            look(&mut engine, &mut two.a, minute);
            // The newest is still being packed; one was let go of long ago.
            if minute != 39 && minute != 3 {
                let body = answer(minute);
                let body = body.as_bytes();
                let raw = RawAnswer::pack(body, body_hash(body), Timestamp::from_millis(at(minute))).expect("packed");
                two.a.keep_raw(&raw).expect("kept");
            }
        }
        lease(&mut two.owner, two.device_a, 7).await;
        let reader = two.a.reader().expect("reader");
        assert_eq!(
            answers::step(&mut two.hub, &reader, two.device_a).await.expect("asked"),
            None,
            "no look is told yet"
        );
        two.tell_a(7).await;
        let mut steps = 0;
        while let Some(told) = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told") {
            // The answer to it may be lost.
            let again = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told");
            assert_eq!(again.as_ref(), Some(&told));
            two.a.hub_told(&told).expect("noted");
            steps += 1;
        }
        assert!(steps > 0);
        let count = "SET ROLE stratum_owner; SELECT count(*) FROM hub.raw_answer";
        let kept = |server: &postgres::Postgres| server.ask(postgres::HOSTER, postgres::DATABASE, count);
        assert!(kept(&two.desk.server).ends_with("38"), "{}", kept(&two.desk.server));
        let body = answer(20);
        let mut pro = two.desk.connect("pro1").await;
        let fetched = answers::fetch(&mut pro, &body_hash(body.as_bytes())).await.expect("asked");
        assert_eq!(fetched.as_deref(), Some(body.as_bytes()));
        assert_eq!(answers::fetch(&mut pro, &[0; 16]).await.expect("asked"), None);
        // Nobody else tells for this device, and nobody who only looks on tells at all.
        let sql = format!(
            "SELECT hub.keep_answers({}, ARRAY[1]::bigint[], ARRAY[1]::bigint[], ARRAY['x']::bytea[])",
            two.device_a
        );
        for login in ["pro1", "free1"] {
            let refused = two.desk.server.psql(login, &sql);
            let text = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && text.contains("42501"), "{text}");
        }
        assert!(!two.desk.server.psql("free1", "SELECT * FROM hub.raw_answer").status.success());
        // The newest comes when it is packed.
        let body = answer(39);
        let raw = RawAnswer::pack(body.as_bytes(), body_hash(body.as_bytes()), Timestamp::from_millis(at(39)))
            .expect("packed");
        two.a.keep_raw(&raw).expect("kept");
        let told = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told").expect("one more");
        two.a.hub_told(&told).expect("noted");
        assert!(kept(&two.desk.server).ends_with("39"));
    });
}
