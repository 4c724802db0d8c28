//! What an exchange tells, through a real PostgreSQL: one store tells, another takes it in.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use postgres::{Checked, DATABASE, Postgres};
use secrecy::SecretString;
use stratum::board::pages::exchange::load;
use stratum::engine::EngineSettings;
use stratum::hub::connect::{Connection, HubUrl, connect};
use stratum::hub::error::HubError;
use stratum::hub::exchange::{self, ExchangeStep, ExchangeTeller};
use stratum::hub::push::PushError;
use stratum::hub::{link, schema};
use stratum::market::ids::EventId;
use stratum::market::time::Timestamp;
use stratum::store::Store;
use stratum::store::exchange::{
    BookRow, BookState, ContractRow, DepthLevel, ExchangeRows, GapRow, Link, LinkHow, LinkState, ListingRow,
    NewListing, PricePoint, TradeRow,
};
use uuid::Uuid;

const PM: &str = "polymarket";
const LEASE: &str = "exchange:polymarket";
const SPORT: &str = "basketball_nba";

/// A minute of an evening of these days: the hub makes no days that are far ahead.
fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_795_132_800_000 + minute * 60_000)
}

fn listing(n: i64) -> NewListing {
    let contract = |kind: &str, of: i64| ContractRow {
        condition: format!("0x{n}-{of}"),
        slug: format!("nba-{n}-{of}"),
        question: format!("Who wins {n}?"),
        kind: kind.into(),
        about: "{}".into(),
        outcomes: [format!("First {n}"), format!("Other {n}")],
        tokens: [format!("1{n}{of}"), format!("2{n}{of}")],
        fee_rate: Some(0.05),
        settlement: "[]".into(),
        ..ContractRow::default()
    };
    NewListing {
        listing: ListingRow {
            key: format!("80000{n}"),
            slug: format!("nba-{n}"),
            title: format!("First {n} vs. Other {n}"),
            sport: SPORT.into(),
            date: "2026-11-20".into(),
            starts: Some(at(60 * n)),
            teams: Some([format!("First {n}"), format!("Other {n}")]),
            volume: Some(178_000.5),
            ..ListingRow::default()
        },
        contracts: vec![contract("moneyline", 1), contract("spread", 2), contract("total", 3)],
    }
}

fn book(market: i64, minute: i64) -> BookRow {
    let level = |price, size| DepthLevel { price, size };
    let bid = 4_000 + u16::try_from((minute * 7 + market) % 50).expect("small");
    BookRow {
        market,
        at: at(minute),
        changed_at: Some(at(minute)),
        state: if minute % 13 == 0 { BookState::Doubtful } else { BookState::Live },
        near: [Some(350_500_000), None],
        middle: Some(0.4 + 0.001 * (minute % 9) as f64),
        bids: vec![level(bid, 350_500_000), level(bid - 200, 100_000_000)],
        asks: vec![level(bid + 100, 120_000_000)],
    }
}

fn trade(market: i64, minute: i64) -> TradeRow {
    let side = (minute % 3 > 0).then(|| "buy".to_owned());
    TradeRow { market, at: at(minute), first: minute % 2 == 0, side, price: 4_100, size: Some(7_000_000) }
}

/// What was heard in some minutes, of all contracts of a store.
fn hear(store: &mut Store, minutes: std::ops::Range<i64>) {
    let games = store.reader().expect("reader").exchange_games(PM, at(-10_000), at(100_000)).expect("games");
    let markets: Vec<i64> = games.iter().flat_map(|g| g.markets.iter().map(|m| m.contract.id)).collect();
    for minute in minutes {
        let rows = ExchangeRows {
            books: markets.iter().map(|m| book(*m, minute)).collect(),
            seen: markets.iter().map(|m| (*m, at(minute))).collect(),
            // Two that are alike are two all the same.
            trades: markets.iter().take(2).flat_map(|m| [trade(*m, minute), trade(*m, minute)]).collect(),
            ..ExchangeRows::default()
        };
        store.keep_exchange(&rows).expect("kept");
    }
}

/// Everything of the exchange in words that do not depend on a store's own numbers.
fn told(path: &Path) -> Vec<String> {
    let c = rusqlite::Connection::open(path).expect("store");
    let of_contract = |columns: &str, table: &str, order: &str| {
        format!(
            "SELECT '{table}', m.condition, {columns} FROM {table} AS t JOIN exchange_market AS m ON m.id = t.market
             ORDER BY m.condition, {order}"
        )
    };
    let questions = [
        "SELECT 'listing', exchange, key, slug, title, sport, date, starts, first_team, other_team, is_over, volume,
         first_seen, last_seen FROM exchange_event ORDER BY key"
            .to_owned(),
        "SELECT 'contract', e.key, condition, m.slug, question, kind, about, line, first_outcome, other_outcome, first_token,
         other_token, fee_rate, settlement, why_not, winner, ended_at
         FROM exchange_market AS m JOIN exchange_event AS e ON e.id = m.event ORDER BY condition"
            .to_owned(),
        "SELECT 'link', e.key, g.provider_id, home_first, state, how, confidence, at,
         CASE WHEN reasons LIKE '%provider_id%' THEN
             (SELECT group_concat(o.provider_id || json_extract(j.value, '$.provider_id')) FROM json_each(reasons) AS j
              LEFT JOIN event AS o ON o.id = json_extract(j.value, '$.event'))
         ELSE reasons END FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event
         LEFT JOIN event AS g ON g.id = l.event ORDER BY e.key"
            .to_owned(),
        "SELECT 'log', e.key, g.provider_id, l.state, l.how, l.at FROM exchange_link_log AS l
         JOIN exchange_event AS e ON e.id = l.exchange_event LEFT JOIN event AS g ON g.id = l.event ORDER BY l.at, l.id"
            .to_owned(),
        of_contract(
            "at, changed_at, state, bid, ask, bid_size, ask_size, bid_near, ask_near, middle, hex(levels)",
            "exchange_book",
            "at",
        ),
        of_contract("at", "exchange_seen", "at"),
        of_contract("at, first, side, price, size", "exchange_trade", "at, t.id"),
        of_contract("at, price", "exchange_price", "at"),
        of_contract("since, until, done_at, points", "exchange_backfill", "since"),
        "SELECT 'gap', since, until, why, markets FROM exchange_gap ORDER BY since, id".to_owned(),
    ];
    let mut lines = Vec::new();
    for sql in questions {
        let mut select = c.prepare(&sql).expect("question");
        let columns = select.column_count();
        let mut rows = select.query([]).expect("rows");
        while let Some(r) = rows.next().expect("row") {
            let cell = |i| format!("{:?}", r.get::<_, rusqlite::types::Value>(i).expect("cell"));
            lines.push((0..columns).map(cell).collect::<Vec<_>>().join(" "));
        }
    }
    lines
}

async fn open(server: &Postgres, login: &str) -> Connection {
    let url = HubUrl::parse(&SecretString::from(server.url_to(login, DATABASE))).expect("address");
    connect(&url.with_ca(Some(&server.ca_file())), "test").await.expect("connected")
}

/// A hub and two stores that number everything otherwise.
struct Two {
    server: Postgres,
    _home: tempfile::TempDir,
    a: Store,
    b: Store,
    hub: Connection,
    owner: Connection,
    device_a: i32,
    device_b: i32,
}

impl Two {
    async fn new() -> Option<Self> {
        let server = Postgres::start()?;
        let mut owner = open(&server, postgres::HOSTER).await;
        schema::init(&mut owner).await.expect("a hub");
        for (login, group) in [("collector1", "stratum_collector"), ("pro1", "stratum_pro"), ("free1", "stratum_free")]
        {
            let password = format!("{login}-secret");
            let sql = format!("CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {group}");
            owner.client().batch_execute(&sql).await.expect("a login");
            server.know(login, &password);
        }
        let home = tempfile::tempdir().expect("folder");
        let store = |name: &str| Store::open(&home.path().join(name).join("stratum.db")).expect("store");
        let (mut a, mut b) = (store("a"), store("b"));
        let mut hub = open(&server, "collector1").await;
        let device_a = join(&mut hub, &mut a).await;
        let device_b = join(&mut hub, &mut b).await;
        // The second one has heard of another game long ago.
        let mut other = listing(9);
        other.listing.starts = Some(at(-100_000));
        b.keep_listings(PM, &[other], at(-90_000)).expect("kept");
        let sql = |path: &Path, sql: &str| {
            rusqlite::Connection::open(path).expect("store").execute_batch(sql).expect("written");
        };
        for (path, first) in [(a.path(), 1), (b.path(), 5)] {
            sql(
                path,
                &format!(
                    "INSERT INTO event (id, source, provider_id, sport, home, away, commence, first_seen, first_look, status)
                     VALUES ({first}, 1, 'g1', 1, 'Home 1', 'Away 1', 1, 1, 1, 0),
                            ({first} + 1, 1, 'g2', 1, 'Home 2', 'Away 2', 1, 1, 1, 0)"
                ),
            );
        }
        // Both know the first game from the looks; the second one comes later.
        sql(a.path(), "INSERT INTO hub_event (event, hub) VALUES (1, 101)");
        sql(b.path(), "INSERT INTO hub_event (event, hub) VALUES (5, 101)");
        Some(Self { server, _home: home, a, b, hub, owner, device_a, device_b })
    }

    async fn lease(&mut self, device: i32, token: i64) {
        let sql = format!(
            "DELETE FROM hub.lease; INSERT INTO hub.lease (sport, device, token, until)
             VALUES ('{LEASE}', {device}, {token}, now() + interval '1 hour')"
        );
        self.owner.client().batch_execute(&sql).await.expect("a lease");
    }

    /// The first store tells everything; answers the rows that were sent.
    async fn tell_a(&mut self, token: i64) -> u64 {
        tell(&mut self.hub, &mut self.a, self.device_a, token).await.expect("told")
    }

    async fn follow_b(&mut self) -> usize {
        follow(&mut self.hub, &mut self.b, self.device_b).await
    }

    fn assert_same(&self) {
        let (a, b) = (told(self.a.path()), told(self.b.path()));
        let b: Vec<String> = b.into_iter().filter(|l| !l.contains("800009") && !l.contains("0x9-")).collect();
        let first = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
    }

    /// Rows at the hub and the head of its stream.
    fn counted(&self) -> String {
        let tables =
            ["event", "market", "link", "link_log", "book", "seen", "trade", "gap", "price", "backfill", "entry"];
        let counts: Vec<String> = tables.iter().map(|t| format!("(SELECT count(*) FROM hub.exchange_{t})")).collect();
        let sql = format!("SELECT {}, (SELECT seq FROM hub.exchange_head)", counts.join(", "));
        self.server.ask("pro1", DATABASE, &sql)
    }
}

async fn join(hub: &mut Connection, store: &mut Store) -> i32 {
    let device = Uuid::new_v4();
    let joined = link::join(hub, device, "desk", true).await.expect("joined");
    store.hub_join(&joined.link(device, 0, Timestamp::from_millis(0))).expect("linked");
    joined.number
}

async fn tell(hub: &mut Connection, store: &mut Store, device: i32, token: i64) -> Result<u64, PushError> {
    let mut teller = ExchangeTeller::new(store.reader().expect("reader"), device).expect("teller");
    let mut sent = 0;
    while let ExchangeStep::Told { told, rows, .. } = teller.step(hub, token, false).await? {
        store.hub_told(&told).expect("noted");
        sent += rows;
    }
    Ok(sent)
}

async fn follow(hub: &mut Connection, store: &mut Store, device: i32) -> usize {
    let (mut stretches, mut after) = (0, store.reader().expect("reader").hub_exchange_pulled().expect("cursor"));
    while let Some(news) = exchange::next(hub, device, after).await.expect("a stretch") {
        after = news.until;
        if let Some(incoming) = news.incoming {
            store.hub_apply(&incoming, &EngineSettings::default()).expect("applied");
            stretches += 1;
        }
    }
    stretches
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

fn made(listing: i64, event: Option<u32>, state: LinkState, minute: i64, reasons: &str) -> Link {
    Link {
        listing,
        event: event.map(EventId),
        home_first: event.map(|_| true),
        state,
        how: LinkHow::Auto,
        confidence: 0.9,
        reasons: reasons.into(),
        at: at(minute),
    }
}

/// An evening at the first store.
fn evening(store: &mut Store) {
    let kept = store.keep_listings(PM, &[listing(1), listing(2), listing(3)], at(0)).expect("kept");
    let [one, two, three] = kept.as_slice() else { panic!("three listings") };
    let review = r#"[{"event":1,"provider_id":"g1","teams":["Home 1","Away 1"],"confidence":0.6,"reasons":["near"]}]"#;
    let links = vec![
        made(one.0, Some(1), LinkState::Linked, 1, r#"["names agree"]"#),
        made(three.0, None, LinkState::Review, 1, review),
    ];
    store.keep_exchange(&ExchangeRows { links, ..ExchangeRows::default() }).expect("kept");
    hear(store, 0..30);
    let gap = GapRow { since: at(30), until: at(33), why: "socket".into(), markets: 9 };
    let rows = ExchangeRows {
        gaps: vec![gap],
        ended: vec![(two.1[0], Some("First 2".into()), at(31))],
        links: vec![made(one.0, None, LinkState::Refused, 32, r#"["a person said that it is none"]"#)],
        ..ExchangeRows::default()
    };
    store.keep_exchange(&rows).expect("kept");
    let points: Vec<PricePoint> =
        (0..600).map(|m| PricePoint { at: at(m - 3_000), price: 0.4 + 0.0001 * m as f64 }).collect();
    store.keep_prices(one.1[0], (at(-3_000), at(-2_400)), &points, at(34)).expect("kept");
    let relinked = made(one.0, Some(1), LinkState::Linked, 40, r#"["a person said so"]"#);
    store.keep_exchange(&ExchangeRows { links: vec![relinked], ..ExchangeRows::default() }).expect("kept");
}

#[test]
fn what_one_tells_another_takes_in() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let (a, b) = (two.device_a, two.device_b);
        evening(&mut two.a);
        two.lease(a, 3).await;
        assert!(two.tell_a(3).await > 900);
        assert!(two.follow_b().await > 0);
        two.assert_same();
        let lines = told(two.b.path());
        for word in ["\"listing\"", "\"log\"", "exchange_book", "exchange_trade", "exchange_price", "\"gap\"", "g1g1"] {
            assert!(lines.iter().any(|l| l.contains(word)), "{word}");
        }
        // What the page reads is the same here and there, now and then.
        for (minute, live) in [(45, true), (45, false), (20, false), (35, false)] {
            let read = |store: &Store| {
                let slice = load::read(&store.reader().expect("reader"), at(minute), live).expect("read");
                slice.listed.iter().map(|l| plain(l)).collect::<Vec<_>>()
            };
            assert_eq!(read(&two.a), read(&two.b), "at {minute}");
            assert_eq!(read(&two.a).len(), 3);
        }
        for condition in ["0x1-1", "0x3-2"] {
            assert_eq!(series(&two.a, condition), series(&two.b, condition));
        }
        // Told again, by somebody who remembers nothing: nothing changes.
        let before = two.counted();
        rusqlite::Connection::open(two.a.path())
            .and_then(|c| c.execute_batch("DELETE FROM hub_exchange; UPDATE exchange_price SET hub = NULL"))
            .expect("forgotten");
        assert!(two.tell_a(3).await > 900);
        assert_eq!(two.counted(), before);
        assert_eq!(two.follow_b().await, 0);
        // Live: news, a listing that changes, a contract that ends, a new game.
        let mut changed = listing(1);
        (changed.listing.volume, changed.contracts[1].why_not) = (Some(200_000.0), Some("closed".into()));
        two.a.keep_listings(PM, &[changed, listing(4)], at(46)).expect("kept");
        hear(&mut two.a, 46..50);
        assert!(two.tell_a(3).await > 0);
        two.follow_b().await;
        two.assert_same();
        // The other one listens from now on; neither takes in its own rows twice.
        two.lease(b, 4).await;
        assert_eq!(two.a.keep_listings(PM, &[listing(4)], at(51)).expect("kept").len(), 1);
        two.b.keep_listings(PM, &[listing(1), listing(5)], at(52)).expect("kept");
        hear(&mut two.b, 52..55);
        tell(&mut two.hub, &mut two.b, b, 4).await.expect("told");
        follow(&mut two.hub, &mut two.a, a).await;
        two.follow_b().await;
        let (mine, theirs) = (told(two.a.path()), told(two.b.path()));
        let part = |lines: &[String], word: &str| -> Vec<String> {
            lines.iter().filter(|l| l.starts_with(&format!("Text(\"{word}"))).cloned().collect()
        };
        for word in ["exchange_book", "exchange_trade", "exchange_seen", "gap", "log", "link"] {
            assert_eq!(part(&mine, word), part(&theirs, word), "{word}");
        }
    });
}

/// A listing without a store's own numbers.
fn plain(listed: &load::Listed) -> String {
    let mut listed = listed.clone();
    listed.game.listing.id = 0;
    for m in &mut listed.game.markets {
        (m.contract.id, m.contract.event) = (0, 0);
        if let Some(book) = &mut m.book {
            book.market = 0;
        }
    }
    let linked = listed.game.link.as_mut().map(|l| {
        l.listing = 0;
        l.event.take().map(|_| "a game")
    });
    // The first game is the first here and the fifth there.
    let candidates: Vec<Option<u32>> = listed.candidates.iter().map(|c| c.event.map(|e| (e.0 - 1) % 4)).collect();
    listed.candidates.iter_mut().for_each(|c| c.event = None);
    if let Some(link) = listed.game.link.as_mut().filter(|_| !listed.candidates.is_empty()) {
        link.reasons.clear();
    }
    format!("{linked:?} {candidates:?} {listed:?}")
}

/// What the page's chart and lists of a contract are made of.
fn series(store: &Store, condition: &str) -> String {
    let reader = store.reader().expect("reader");
    let games = reader.exchange_games(PM, at(-10_000), at(100_000)).expect("games");
    let found = games.iter().flat_map(|g| &g.markets).find(|m| m.contract.condition == condition).expect("there");
    let id = found.contract.id;
    let mut books = reader.exchange_books(id, at(-9_999), at(99_999), 20_000).expect("books");
    books.iter_mut().for_each(|b| b.market = 0);
    let mut trades = reader.exchange_trades(id, at(99_999), 40).expect("trades");
    trades.iter_mut().for_each(|t| t.market = 0);
    let prices = reader.exchange_prices(id, at(-9_999), at(99_999)).expect("prices");
    let (gaps, back) =
        (reader.exchange_gaps(at(-9_999), at(99_999)).expect("gaps"), reader.exchange_backfill(id).expect("past"));
    format!("{books:?} {trades:?} {prices:?} {gaps:?} {back:?}")
}

#[test]
fn a_link_waits_for_its_game() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let device = two.device_a;
        two.lease(device, 1).await;
        let kept = two.a.keep_listings(PM, &[listing(1), listing(2)], at(0)).expect("kept");
        let links = vec![
            made(kept[1].0, Some(2), LinkState::Linked, 1, "[]"),
            made(kept[0].0, Some(1), LinkState::Linked, 1, "[]"),
        ];
        two.a.keep_exchange(&ExchangeRows { links, ..ExchangeRows::default() }).expect("kept");
        two.tell_a(1).await;
        two.follow_b().await;
        let links = |store: &Store| -> Vec<String> {
            told(store.path())
                .into_iter()
                .filter(|l| ["Text(\"link\"", "Text(\"log\""].iter().any(|w| l.starts_with(w)))
                .collect()
        };
        assert_eq!(links(&two.b).len(), 1, "the hub has not heard of the second game: {:?}", links(&two.b));
        let know = |store: &Store, event: i64| {
            let c = rusqlite::Connection::open(store.path()).expect("store");
            c.execute("INSERT INTO hub_event (event, hub) VALUES (?, 102)", [event]).expect("known");
        };
        know(&two.a, 2);
        two.tell_a(1).await;
        two.follow_b().await;
        assert_eq!(links(&two.b).len(), 3, "the log is here, the link waits: {:?}", links(&two.b));
        assert!(!two.b.reader().expect("reader").hub_exchange_ready().expect("asked"));
        know(&two.b, 6);
        let ready = |two: &Two| two.b.reader().expect("reader").hub_exchange_ready().expect("asked");
        assert!(ready(&two));
        let nothing =
            stratum::store::hub::exchange::ExchangeStretch { until: 0, device: two.device_b, rows: Vec::new() };
        let incoming = stratum::store::hub::Incoming { exchange: Some(nothing), ..Default::default() };
        two.b.hub_apply(&incoming, &EngineSettings::default()).expect("applied");
        assert!(!ready(&two));
        two.assert_same();
        // A game that was taken back and comes again has another number here.
        let c = rusqlite::Connection::open(two.b.path()).expect("store");
        c.execute_batch("UPDATE event SET id = 60 WHERE id = 6; UPDATE hub_event SET event = 60 WHERE event = 6")
            .expect("moved");
        assert!(ready(&two));
        two.b.hub_apply(&incoming, &EngineSettings::default()).expect("applied");
        assert!(
            links(&two.b).iter().any(|l| l.starts_with("Text(\"link\") Text(\"800002\") Text(\"g2\")")),
            "{:?}",
            links(&two.b)
        );
    });
}

#[test]
fn only_who_listens_may_tell_and_what_is_lost_on_the_way_is_told_again() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let (a, b) = (two.device_a, two.device_b);
        evening(&mut two.a);
        // Nobody's lease, another's, an old token, one that has run out.
        let nothing = two.counted();
        for (holder, token, told) in [(b, 1, 1), (a, 5, 4), (a, 5, 0)] {
            two.lease(holder, token).await;
            let refused = tell(&mut two.hub, &mut two.a, a, told).await.expect_err("refused");
            assert!(matches!(refused, PushError::Hub(HubError::Fenced { .. })), "{refused:?}");
        }
        two.owner.client().batch_execute("UPDATE hub.lease SET until = now()").await.expect("over");
        let refused = tell(&mut two.hub, &mut two.a, a, 5).await.expect_err("refused");
        assert!(matches!(refused, PushError::Hub(HubError::Fenced { .. })), "{refused:?}");
        assert_eq!(two.counted(), nothing);
        // Taken there; here the power goes before it is noted.
        two.lease(a, 6).await;
        let mut teller = ExchangeTeller::new(two.a.reader().expect("reader"), a).expect("teller");
        for _ in 0..2 {
            assert!(matches!(teller.step(&mut two.hub, 6, false).await.expect("a step"), ExchangeStep::Told { .. }));
        }
        drop(teller);
        two.tell_a(6).await;
        two.follow_b().await;
        two.assert_same();
        // The stream has no gaps.
        let sql = "SELECT count(*) = max(seq) AND min(seq) = 1 FROM hub.exchange_entry";
        assert_eq!(two.server.ask("pro1", DATABASE, sql), "t");
        // No other way in for a collector, and none at all for the others; a free login sees nothing.
        let refused = |who: &str, sql: &str| {
            let said = two.server.psql(who, sql);
            assert!(String::from_utf8_lossy(&said.stderr).contains("42501"), "{who}: {sql}: {said:?}");
        };
        for table in [
            "event", "market", "link", "link_log", "book", "seen", "trade", "gap", "price", "backfill", "entry", "head",
        ] {
            refused("free1", &format!("SELECT * FROM hub.exchange_{table}"));
            for who in ["collector1", "pro1"] {
                refused(who, &format!("DELETE FROM hub.exchange_{table}"));
                refused(who, &format!("UPDATE hub.exchange_{table} SET seq = 0"));
                two.server.psql(who, &format!("SELECT * FROM hub.exchange_{table} LIMIT 1")).checked();
            }
        }
        for who in ["free1", "pro1"] {
            refused(who, &format!("SELECT hub.tell_exchange({a}, '{PM}', 6)"));
        }
        let views = "SELECT count(*) FROM pg_views WHERE schemaname = 'hub_free' AND definition LIKE '%exchange%'";
        assert_eq!(two.server.ask(postgres::SUPERUSER, DATABASE, views), "0");
        // Retention takes whole days, and the list of what was told then; whoever comes then gets what is left.
        let old = "SET ROLE stratum_owner; UPDATE hub.exchange_entry SET stored_at = now() - interval '9 days' WHERE seq < 2";
        two.server.ask(postgres::HOSTER, DATABASE, old);
        let drop = "SELECT hub.drop_days((now() AT TIME ZONE 'UTC')::date - 1)";
        two.server.ask(postgres::HOSTER, DATABASE, drop);
        let mut c = Store::open(&two.b.path().with_file_name("c.db")).expect("store");
        let device = join(&mut two.hub, &mut c).await;
        follow(&mut two.hub, &mut c, device).await;
        let facts = |path: &Path| -> Vec<String> {
            let of = ["listing", "contract", "log", "exchange_seen", "exchange_backfill"];
            told(path).into_iter().filter(|l| of.iter().any(|w| l.starts_with(&format!("Text(\"{w}\")")))).collect()
        };
        assert!(two.server.ask("pro1", DATABASE, "SELECT min(seq) > 1 FROM hub.exchange_entry") == "t");
        assert!(facts(two.a.path()).len() > 20);
        assert_eq!(facts(c.path()).len(), facts(two.a.path()).len());
        two.owner.client().batch_execute("SET ROLE stratum_owner; UPDATE hub.exchange_entry SET stored_at = now() - interval '9 days'; RESET ROLE").await.expect("older");
        two.server.ask(postgres::HOSTER, DATABASE, drop);
        let mut d = Store::open(&two.b.path().with_file_name("d.db")).expect("store");
        let device = join(&mut two.hub, &mut d).await;
        assert_eq!(follow(&mut two.hub, &mut d, device).await, 1, "nothing is listed any more");
        assert_eq!(facts(d.path()), facts(c.path()));
        hear(&mut two.a, 50..51);
        two.tell_a(6).await;
        assert_eq!(follow(&mut two.hub, &mut d, device).await, 1);
        assert!(told(d.path()).iter().any(|l| l.contains("exchange_book")));
    });
}

#[test]
fn a_store_that_is_linked_anew_has_nothing_twice() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let device = two.device_a;
        evening(&mut two.a);
        two.lease(device, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        two.b.hub_part().expect("parted");
        two.assert_same();
        two.device_b = join(&mut two.hub, &mut two.b).await;
        rusqlite::Connection::open(two.b.path())
            .and_then(|c| c.execute_batch("INSERT INTO hub_event (event, hub) VALUES (5, 101)"))
            .expect("known");
        two.follow_b().await;
        two.assert_same();
    });
}

/// A process that does not outlive the test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Games before and during play, at the pace of real time.
const SCENARIO: &str = "name = 'hub_exchange_test'\nseed = 11\nbook_count = 8\n\
    [exchange]\nstep_s = 2\nlive_step_s = 1\nload_per_second = 20\n\
    [[sport]]\nkey = 'basketball_nba'\ngames = 3\nfirst_in_min = 20\nevery_min = 40\n";

/// A machine of a desk with the real program.
fn program(home: &Path, name: &str, sim: &str, hub: &str, ca: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stratum"));
    let socket = format!("{}/clob/ws/market", sim.replacen("http", "ws", 1));
    command
        .env_clear()
        .env("HOME", home.join(name))
        .env("STRATUM_HUB_URL", hub)
        .env("STRATUM_HUB_CA_FILE", ca)
        .env("STRATUM_HUB_ON", "true")
        .env("STRATUM_HUB_NAME", name)
        .env("STRATUM_ODDS_API_BASE_URL", sim)
        .env("STRATUM_POLLING_PACE", "steady")
        .env("STRATUM_ODDS_API_INTERVAL", "1s")
        .env("STRATUM_ODDS_API_SPORTS", SPORT)
        // On a board that only follows this changes nothing.
        .env("STRATUM_POLYMARKET_ON", "true")
        .env("STRATUM_POLYMARKET_GAMMA_URL", format!("{sim}/gamma"))
        .env("STRATUM_POLYMARKET_CLOB_URL", format!("{sim}/clob"))
        .env("STRATUM_POLYMARKET_DATA_URL", format!("{sim}/data"))
        .env("STRATUM_POLYMARKET_SOCKET_URL", socket)
        .env("STRATUM_POLYMARKET_CALLS_PER_SECOND", "50")
        .env("STRATUM_POLYMARKET_DISCOVER", "10s")
        .arg("--data-dir")
        .arg(home.join(name).join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[cfg(target_os = "linux")]
#[test]
fn a_board_without_a_key_shows_what_a_collector_hears() {
    let Some(server) = Postgres::start() else { return };
    let home = tempfile::tempdir().expect("folder");
    let scenario = home.path().join("hub_exchange_test.toml");
    std::fs::write(&scenario, SCENARIO).expect("written");
    let mut sim = Command::new(env!("CARGO_BIN_EXE_stratum"))
        .arg("--data-dir")
        .arg(home.path().join("sim"))
        .args(["sim", "--speed", "1", "--scenario"])
        .arg(&scenario)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim starts");
    let mut url = String::new();
    BufReader::new(sim.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    let (_sim, url) = (Running(sim), url.trim().to_owned());
    let as_owner = |args: &[&str]| {
        let hub = server.url(postgres::HOSTER);
        let mut command = program(home.path(), "owner", &url, &hub, &server.ca_file());
        let output = command.args(args).stdout(Stdio::piped()).output().expect("runs");
        assert!(output.status.success(), "{args:?}");
        output.stdout
    };
    let device = |name: &'static str, tier: &str| {
        let shown = as_owner(&["hub", "user", "add", name, "--tier", tier, "--reason", "a test", "--json"]);
        let rows: serde_json::Value = serde_json::from_slice(&shown).expect("JSON");
        rows[0]["address"].as_str().expect("an address").to_owned()
    };
    as_owner(&["hub", "init"]);
    let hubs = [("desk", device("desk", "collector")), ("board", device("board", "pro"))];
    let path = |name: &str| home.path().join(name).join("data/stratum.db");
    let ask = |name: &str, sql: &str| -> i64 {
        rusqlite::Connection::open(path(name)).and_then(|c| c.query_row(sql, [], |r| r.get(0))).unwrap_or(-1)
    };
    let stop = |mut process: Running| {
        Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().expect("kill");
        process.0.wait().expect("ends");
    };
    let mut running = Vec::new();
    for (name, hub) in &hubs {
        let run = |args: &[&str]| {
            let mut command = program(home.path(), name, &url, hub, &server.ca_file());
            if *name == "desk" {
                command.env("ODDS_API_KEY", "0123456789abcdef0123456789abcdef");
            }
            command.args(args);
            command
        };
        if *name == "desk" {
            // Its games are there before it listens, so that it links them at once.
            let alone = run(&["--daemon"]).env("STRATUM_HUB_ON", "false").env("STRATUM_POLYMARKET_ON", "false").spawn();
            let alone = Running(alone.expect("starts"));
            postgres::wait_until("a look", || ask(name, "SELECT count(*) FROM look") > 0);
            stop(alone);
        }
        assert!(run(&["hub", "link"]).status().expect("runs").success(), "{name} is linked");
        running.push(Running(run(&["--daemon"]).spawn().expect("starts")));
    }
    let reader = |name: &str| stratum::store::Reader::open(&path(name)).ok();
    let now = Timestamp::from_chrono(chrono::Utc::now());
    let games = |name: &str| {
        let read = reader(name).and_then(|r| load::read(&r, now.plus(3_600_000), true).ok());
        read.map(|slice| slice.listed).unwrap_or_default()
    };
    // Games are linked to the board's own, and every moneyline has a book there.
    postgres::wait_until("the board has what the collector hears", || {
        let games = games("board");
        let whole = |l: &load::Listed| l.event().is_some() && l.game.markets.first().is_some_and(|m| m.book.is_some());
        games.len() == 3 && games.iter().all(|l| whole(l))
    });
    let books = ask("board", "SELECT count(*) FROM exchange_book");
    postgres::wait_until("it goes on", || ask("board", "SELECT count(*) FROM exchange_book") > books + 10);
    assert_eq!(ask("board", "SELECT count(*) FROM exchange_book WHERE hub IS NULL"), 0, "it heard nothing itself");
    // The collector ends in good order; the board has all of it moments later.
    stop(running.remove(0));
    postgres::wait_until("the board has it all", || told(&path("desk")) == told(&path("board")));
    let links =
        "SELECT group_concat(e.slug || g.provider_id || l.state) FROM (SELECT * FROM exchange_link ORDER BY at) AS l
        JOIN exchange_event AS e ON e.id = l.exchange_event JOIN event AS g ON g.id = l.event";
    let links = |name: &str| -> String {
        rusqlite::Connection::open(path(name)).and_then(|c| c.query_row(links, [], |r| r.get(0))).unwrap_or_default()
    };
    assert_eq!(links("desk"), links("board"));
}
