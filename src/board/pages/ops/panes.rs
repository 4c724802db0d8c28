//! What each pane says, line by line.

use super::layout::Pane;
use super::log::Level;
use super::said::{Piece, Said, muted, pair, plain, words, wrapped};
use crate::board::app::{App, Showing};
use crate::board::format;
use crate::board::link::Feeder;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::market::sports::Sports;
use crate::market::time::Timestamp;
use crate::runtime::status::{
    BreakerState, ExchangeStatus, Following, KeyState, Listening, QuestionStatus, SocketNote, Steps, StoreState,
    standing_by,
};

/// What stands beside the title.
pub fn note(app: &App, pane: Pane) -> String {
    let present = matches!(app.showing, Showing::Live);
    match pane {
        Pane::Log => {
            let file = app.pages.ops.tail.data.as_deref().and_then(Option::as_ref).map(|t| t.file.clone());
            let level = app.pages.ops.level.name();
            file.map_or_else(String::new, |f| format!("{f}, {level}"))
        }
        Pane::Session | Pane::Sources | Pane::Breakers | Pane::Cycle if !present => "of the present".into(),
        Pane::Store | Pane::Quality | Pane::Detectors | Pane::Credits if app.pages.ops.facts.error.is_some() => {
            "not up to date".into()
        }
        _ => String::new(),
    }
}

/// What a pane says in `width` columns.
pub fn lines(app: &App, pane: Pane, width: u16) -> Vec<Said> {
    let said = match pane {
        Pane::Session => session(app, width),
        Pane::Sources => sources(app, width),
        Pane::Credits => super::credits::lines(app),
        Pane::Breakers => breakers(app),
        Pane::Quality => quality(app),
        Pane::Cycle => cycle(app, width),
        Pane::Detectors => detectors(app, width),
        Pane::Store => store(app),
        Pane::Log => log(app, width),
        Pane::Board => board(app),
    };
    if said.is_empty() { vec![vec![muted("nothing to say")]] } else { said }
}

/// The session's instants are this machine's.
pub(super) fn here(app: &App) -> Timestamp {
    app.clocks.local()
}

fn silent(app: &App) -> Vec<Said> {
    let told = match app.link.feeder {
        Feeder::Unknown => "no word of a session yet",
        Feeder::Lost { .. } => "nobody feeds the store, so there is nothing to tell",
        Feeder::Here | Feeder::Daemon { .. } => "the session has not said anything yet",
    };
    vec![vec![muted(told)]]
}

fn session(app: &App, width: u16) -> Vec<Said> {
    let mut said = Vec::new();
    match &app.link.feeder {
        Feeder::Unknown => said.push(vec![Piece::Sign(Glyph::Idle, Meaning::Muted), muted("looking for a session")]),
        Feeder::Here => said.push(vec![Piece::Sign(Glyph::Live, Meaning::Ok), plain("this board follows the market")]),
        Feeder::Daemon { pid, version } => {
            let told = format!("a daemon follows the market: process {pid}, version {version}");
            said.push(vec![Piece::Sign(Glyph::Live, Meaning::Ok), plain(text::plain(&told))]);
        }
        Feeder::Lost { why, silent, since } => {
            let old = format::ago(app.clocks.market().since(*since));
            let head = format!("{} since {old}", if *silent { "no answer" } else { "not fed" });
            said.push(vec![Piece::Sign(Glyph::Cross, Meaning::Error), words(head, Meaning::Error)]);
            said.extend(wrapped(why, width, Meaning::Text));
            let what = if *silent {
                "That process may be starting, busy or stopped; the board goes on trying. What is stored stays on show."
            } else {
                "`stratum --daemon` follows the market; `stratum doctor` says what is in its way. What is stored stays on show."
            };
            said.extend(wrapped(what, width, Meaning::Muted));
        }
    }
    let Some(status) = &app.link.status else { return said };
    let now = here(app);
    said.push(pair(
        "running",
        format!("{}, process {}", format::ago(now.since(status.since)), status.pid),
        Meaning::Text,
    ));
    let (following, meaning) = match &status.following {
        Following::NoKey => ("nothing is asked: no usable key".to_owned(), Meaning::Warning),
        Following::Checking => ("the key is being tried".to_owned(), Meaning::Text),
        Following::Running => ("questions are asked when due".to_owned(), Meaning::Ok),
        Following::Restarting { at, failures } => {
            (format!("starts again {} after {failures} ends", format::until(at.since(now))), Meaning::Error)
        }
        Following::Stopped => ("stopped".to_owned(), Meaning::Warning),
    };
    said.push(pair("polling", following, meaning));
    for (words, names) in standing_by(&status.leases) {
        said.push(pair("standing by", text::plain(&format!("{}: {words}", names.join(", "))), Meaning::Text));
    }
    if let Some(hub) = &status.hub {
        let meaning = if hub.word() == "away" { Meaning::Warning } else { Meaning::Ok };
        said.push(pair("hub", hub.word(), meaning));
        said.extend(wrapped(&hub.words(), width, Meaning::Muted));
    }
    if let Some(why) = &status.hub_silent {
        said.push(pair("hub", "cannot be asked who polls", Meaning::Warning));
        said.extend(wrapped(why, width, Meaning::Muted));
    }
    match &status.key {
        KeyState::Missing => said.push(pair("key", "none", Meaning::Warning)),
        KeyState::Untried => said.push(pair("key", "there, not tried yet", Meaning::Text)),
        KeyState::Accepted => said.push(pair("key", "accepted", Meaning::Ok)),
        KeyState::Refused { message } => {
            said.push(pair("key", "refused", Meaning::Error));
            said.extend(wrapped(message, width, Meaning::Error));
        }
    }
    if let StoreState::Failing { message, waiting, .. } = &status.store {
        said.push(pair("store", format!("cannot be written, {waiting} answers wait"), Meaning::Error));
        said.extend(wrapped(message, width, Meaning::Error));
    }
    for stuck in &status.stuck {
        said.extend(wrapped(&stuck.message, width, Meaning::Error));
    }
    let n = status.counted;
    let told = format!("{} looks, {} quotes, {} failed", format::count(n.looks), format::count(n.quotes), n.failed);
    said.push(pair("counted", told, Meaning::Text));
    if let Some(complaint) = &status.complaint {
        let head = format!("complaint {} ago", format::ago(now.since(complaint.at)));
        said.push(vec![words(head, Meaning::Warning)]);
        said.extend(wrapped(&complaint.message, width, Meaning::Text));
    }
    said
}

fn sources(app: &App, width: u16) -> Vec<Said> {
    let Some(status) = &app.link.status else { return silent(app) };
    let now = here(app);
    if status.questions.is_empty() {
        let mut said = vec![vec![muted("no question is planned")]];
        said.extend(status.exchange.iter().flat_map(|e| exchange(app, e, now, width)));
        return said;
    }
    let name = width.saturating_sub(26).clamp(12, 34);
    let mut said = vec![vec![
        words("question", Meaning::Header),
        Piece::Right("answer".into(), Meaning::Header, name + 9),
        Piece::Right("due".into(), Meaning::Header, name + 17),
        Piece::Right("changes".into(), Meaning::Header, name + 26),
    ]];
    // All by their keys, or all by their short names.
    let keyed = |q: &QuestionStatus| format!("{} {}", q.sport, q.endpoint.name());
    let fit = status.questions.iter().all(|q| text::width(&keyed(q)) <= name.saturating_sub(2));
    for q in &status.questions {
        let told = if fit {
            keyed(q)
        } else {
            format!("{} {}", Sports::embedded().resolve(&q.sport).short, q.endpoint.name())
        };
        said.push(question(app, q, now, (&told, name)));
        if let Some(failure) = q.failure.as_ref() {
            let ago = format::ago(now.since(failure.at));
            let (told, meaning) = if q.is_failing() {
                (format!("{} {ago} ago: {}", failure.reason, failure.message), Meaning::Error)
            } else {
                (format!("over since: {} {ago} ago", failure.reason), Meaning::Faint)
            };
            said.extend(wrapped(&told, width.saturating_sub(2), meaning).into_iter().map(|mut l| {
                l.insert(0, Piece::Tab(2));
                l
            }));
        }
    }
    said.extend(status.exchange.iter().flat_map(|e| exchange(app, e, now, width)));
    said
}

/// The exchange that is listened to: how its connections stand, and what was found wrong.
fn exchange(app: &App, e: &ExchangeStatus, now: Timestamp, width: u16) -> Vec<Said> {
    let up = e.sockets.iter().filter(|s| s.connected_since.is_some()).count();
    let (sign, meaning) = match e.listening {
        Listening::On if up == e.sockets.len() => (Glyph::Check, Meaning::Ok),
        Listening::On => (Glyph::Check, Meaning::Warning),
        Listening::Starting => (Glyph::Idle, Meaning::Muted),
        Listening::Failing => (Glyph::Cross, Meaning::Error),
    };
    let name = width.saturating_sub(26).clamp(12, 34);
    let newest = e.sockets.iter().filter_map(|s| s.last_data).max();
    let answered = newest.map_or_else(|| "never".to_owned(), |at| format::ago(now.since(at)));
    let due = e.next_discovery.map_or_else(
        || "-".to_owned(),
        |at| {
            let s = at.since(app.clocks.market()).max(0) / 1000;
            format!("{}:{:02}", s / 60, s % 60)
        },
    );
    let sum = |of: fn(&SocketNote) -> u64| e.sockets.iter().map(of).sum::<u64>();
    let mut said = vec![vec![
        Piece::Sign(sign, meaning),
        plain(text::fit(&text::plain(&e.exchange), name.saturating_sub(2), true).into_owned()),
        Piece::Right(answered, Meaning::Text, name + 9),
        Piece::Right(due, Meaning::Muted, name + 17),
        Piece::Right(format!("{:.0}/s", e.messages_per_second), Meaning::Muted, name + 26),
    ]];
    let (reconnects, frozen, defects) = (sum(|s| s.reconnects), sum(|s| s.frozen), sum(|s| s.defects));
    let (checked, differed) = e.checked;
    let lag = e.lag_ms.map_or_else(String::new, |ms| format!(", lag {ms} ms"));
    let late = e.delay.map_or_else(String::new, |d| format!(", late {} ms (99 %), {} at most", d.p99, d.most));
    let told = format!(
        "sockets {up}/{} up, {} reconnects of which {} frozen, {} of {} books differed, {} unreadable{lag}{late}",
        e.sockets.len(),
        format::count(reconnects),
        format::count(frozen),
        format::count(differed),
        format::count(checked),
        format::count(defects),
    );
    let more = format!("{} games, {} linked, {} to review, {} contracts", e.games, e.linked, e.review, e.contracts);
    let errors = e.sockets.iter().filter_map(|s| s.error.as_ref().map(|why| format!("socket {}: {why}", s.shard)));
    let mut under = vec![(told, Meaning::Muted), (more, Meaning::Muted)];
    under.extend(e.trouble.iter().cloned().chain(errors).map(|why| (why, Meaning::Error)));
    if e.expiring > 0 {
        under.push((format!("the past of {} contracts is about to be forgotten there", e.expiring), Meaning::Warning));
    }
    for (told, meaning) in under {
        said.extend(wrapped(&told, width.saturating_sub(2), meaning).into_iter().map(|mut l| {
            l.insert(0, Piece::Tab(2));
            l
        }));
    }
    said
}

fn question(app: &App, q: &QuestionStatus, now: Timestamp, (told, name): (&str, u16)) -> Said {
    let (sign, meaning) = match (q.is_failing(), &q.answer) {
        (true, _) => (Glyph::Cross, Meaning::Error),
        (false, Some(_)) => (Glyph::Check, Meaning::Ok),
        (false, None) => (Glyph::Idle, Meaning::Muted),
    };
    let answered = q.answer.as_ref().map_or_else(|| "never".to_owned(), |a| format::ago(now.since(a.at)));
    let due = match q.due {
        None => "-".to_owned(),
        Some(_) if !app.link.is_alive() => "-".to_owned(),
        Some(at) => {
            let s = at.since(now).max(0) / 1000;
            format!("{}:{:02}", s / 60, s % 60)
        }
    };
    let told = text::fit(told, name.saturating_sub(2), true).into_owned();
    let changes = q.answer.as_ref().map_or_else(String::new, |a| format::count(a.changes));
    vec![
        Piece::Sign(sign, meaning),
        plain(told),
        Piece::Right(answered, Meaning::Text, name + 9),
        Piece::Right(due, Meaning::Muted, name + 17),
        Piece::Right(changes, Meaning::Muted, name + 26),
    ]
}

fn breakers(app: &App) -> Vec<Said> {
    let Some(status) = &app.link.status else { return silent(app) };
    if status.breakers.is_empty() {
        return vec![vec![muted("the source has not been asked yet")]];
    }
    let now = here(app);
    let one = |b: &crate::runtime::status::BreakerStatus| {
        let (sign, meaning, told) = match b.state {
            BreakerState::Closed if b.failures == 0 => (Glyph::Check, Meaning::Ok, "calls pass".to_owned()),
            BreakerState::Closed => {
                (Glyph::Check, Meaning::Warning, format!("calls pass; {} failed in a row", b.failures))
            }
            BreakerState::Open => {
                let until = b.until.map_or_else(String::new, |at| {
                    let zone = app.prefs.zone();
                    format!(" until {}, {}", zone.hms(at), format::until(at.since(now).max(0)))
                });
                (Glyph::Cross, Meaning::Error, format!("no call passes{until}"))
            }
            BreakerState::HalfOpen => (Glyph::Idle, Meaning::Warning, "one call is out to try".to_owned()),
        };
        vec![Piece::Sign(sign, meaning), plain(text::plain(&b.purpose)), Piece::Tab(14), words(told, meaning)]
    };
    status.breakers.iter().map(one).collect()
}

/// Why there is nothing of the store yet.
pub(super) fn waiting(app: &App) -> Piece {
    match &app.pages.ops.facts.error {
        Some(why) => words(text::plain(&format!("the store cannot be read: {why}")), Meaning::Error),
        None => muted("reading the store"),
    }
}

fn ms(us: u64) -> String {
    format!("{:.1}", us as f64 / 1000.0)
}

fn cycle(app: &App, width: u16) -> Vec<Said> {
    let Some(status) = &app.link.status else { return silent(app) };
    let c = status.cycle;
    if c.looks == 0 {
        return vec![vec![muted("no look has been taken in yet")]];
    }
    let row = |name: &str, steps: Steps| {
        let cells = [steps.total_us, steps.read_us, steps.apply_us, steps.commit_us];
        let mut line = vec![muted(name)];
        for (at, us) in cells.into_iter().enumerate() {
            let meaning = if at == 0 { Meaning::Text } else { Meaning::Muted };
            line.push(Piece::Right(ms(us), meaning, 14 + at as u16 * 9));
        }
        line
    };
    let mut head = vec![muted("ms")];
    for (at, name) in ["total", "read", "apply", "commit"].into_iter().enumerate() {
        head.push(Piece::Right(name.into(), Meaning::Header, 14 + at as u16 * 9));
    }
    let mut said = vec![head, row("last", c.last), row("mean", c.mean)];
    let parts = vec![c.mean.read_us, c.mean.apply_us, c.mean.commit_us];
    said.push(vec![Piece::Stack(parts, width.min(41))]);
    said.push(vec![
        muted("p95"),
        Piece::Right(ms(c.p95_us), Meaning::Text, 14),
        muted(" slowest"),
        plain(ms(c.slowest_us)),
        muted(format!("of {} looks", c.looks)),
    ]);
    said
}

fn quality(app: &App) -> Vec<Said> {
    let Some(facts) = &app.pages.ops.facts.data else { return vec![vec![waiting(app)]] };
    if facts.issues.is_empty() {
        return vec![vec![Piece::Sign(Glyph::Check, Meaning::Ok), plain("no issue was ever found")]];
    }
    let mut said = vec![vec![
        words("reason", Meaning::Header),
        Piece::Right("open".into(), Meaning::Header, 36),
        Piece::Right("ever".into(), Meaning::Header, 45),
    ]];
    let mut issues: Vec<_> = facts.issues.iter().collect();
    issues.sort_by(|a, b| b.open.cmp(&a.open).then(b.count.cmp(&a.count)).then(a.reason.cmp(b.reason)));
    for issue in issues {
        let error = issue.severity == "error";
        let (sign, meaning) = match (error, issue.open) {
            (_, 0) => (Glyph::Dot, Meaning::Faint),
            (true, _) => (Glyph::Cross, Meaning::Error),
            (false, _) => (Glyph::Suspect, Meaning::Warning),
        };
        said.push(vec![
            Piece::Sign(sign, meaning),
            words(
                text::fit(&issue.reason.replace('_', " "), 28, true),
                if issue.open > 0 { Meaning::Text } else { Meaning::Muted },
            ),
            Piece::Right(format::count(issue.open), Meaning::Text, 36),
            Piece::Right(format::count(issue.count), Meaning::Muted, 45),
        ]);
    }
    said
}

fn detectors(app: &App, width: u16) -> Vec<Said> {
    let Some(facts) = &app.pages.ops.facts.data else { return vec![vec![waiting(app)]] };
    if facts.judged.is_empty() {
        return vec![vec![muted("no look in the last 24 hours had anything to judge")]];
    }
    let blind: Vec<_> = facts.judged.iter().filter(|j| j.sum.not_evaluable > 0).collect();
    let total: u64 = facts.judged.iter().map(|j| j.sum.evaluated).sum();
    let missed: u64 = blind.iter().map(|j| j.sum.not_evaluable).sum();
    let mut said = vec![vec![plain(format!("{} judged, {} not", format::count(total), format::count(missed)))]];
    if blind.is_empty() {
        said.push(vec![Piece::Sign(Glyph::Check, Meaning::Ok), muted("every question could be judged")]);
    }
    for j in blind {
        let s = j.sum;
        let head =
            format!("{} {}: {} of {}", j.sport, s.detector.name(), s.not_evaluable, s.evaluated + s.not_evaluable);
        said.push(vec![Piece::Sign(Glyph::Suspect, Meaning::Warning), plain(text::plain(&head))]);
        let why = format!(
            "looks up to {} apart; {} would have done",
            format::ago(s.longest_gap_ms),
            if s.needed_ms > 0 { format::ago(s.needed_ms) } else { "none".into() }
        );
        said.extend(wrapped(&why, width.saturating_sub(2), Meaning::Muted).into_iter().map(|mut l| {
            l.insert(0, Piece::Tab(2));
            l
        }));
    }
    let suppressed: u64 = facts.judged.iter().map(|j| j.sum.suppressed).sum();
    if suppressed > 0 {
        said.push(vec![muted(format!("{} moves were none and were left out", format::count(suppressed)))]);
    }
    said
}

fn store(app: &App) -> Vec<Said> {
    let Some(facts) = &app.pages.ops.facts.data else { return vec![vec![waiting(app)]] };
    let zone = app.prefs.zone();
    let when = |at: Option<Timestamp>| at.map_or_else(|| "none".to_owned(), |at| zone.full(at));
    let size = facts.bytes.map_or_else(|| "unknown".to_owned(), |b| format!("{:.1} MB", b as f64 / 1e6));
    vec![
        pair("on disk", size, Meaning::Text),
        pair("looks", format::count(facts.stored.looks), Meaning::Text),
        pair("changes", format::count(facts.stored.changes), Meaning::Text),
        pair("oldest", when(facts.stored.oldest), Meaning::Muted),
        pair("newest", when(facts.stored.newest), Meaning::Muted),
    ]
}

fn log(app: &App, width: u16) -> Vec<Said> {
    let slot = &app.pages.ops.tail;
    let tail = match (slot.data.as_deref(), &slot.error) {
        (_, Some(why)) => return vec![vec![words(text::plain(why), Meaning::Error)]],
        (None, None) => return vec![vec![muted("reading the log")]],
        (Some(None), None) => {
            let told = format!("no log in {}", app.at.logs.display());
            return wrapped(&told, width, Meaning::Muted);
        }
        (Some(Some(tail)), None) => tail,
    };
    let level = app.pages.ops.level;
    let said: Vec<Said> = tail
        .lines
        .iter()
        .filter(|(l, _)| *l >= level)
        .map(|(l, told)| {
            let meaning = match l {
                Level::Error => Meaning::Error,
                Level::Warn => Meaning::Warning,
                Level::Info | Level::All => Meaning::Text,
            };
            vec![words(super::log::short(told, app.prefs.zone()), meaning)]
        })
        .collect();
    if said.is_empty() {
        vec![vec![muted(if level == Level::All {
            "nothing has been logged yet".to_owned()
        } else {
            format!("the end of the log has no {}", level.name())
        })]]
    } else {
        said
    }
}

fn board(app: &App) -> Vec<Said> {
    let slate = app.slate();
    let look = slate.look.map_or_else(|| "none".to_owned(), |l| format::count(l.0));
    let mut said = vec![
        pair("look", format!("{look}, slate {}", slate.version), Meaning::Text),
        pair("games", format!("{} in {} lines", slate.games.len(), app.pages.board.rows.lines.len()), Meaning::Text),
        pair(
            "quotes",
            format!("{} of {} books", format::count(slate.quotes() as u64), slate.books.len()),
            Meaning::Text,
        ),
        pair(
            "terminal",
            format!("{} x {}, theme {}", app.area.width, app.area.height, app.theme.name()),
            Meaning::Muted,
        ),
    ];
    if let Some(trouble) = &slate.trouble {
        said.push(vec![words(text::plain(trouble), Meaning::Error)]);
    }
    said
}
