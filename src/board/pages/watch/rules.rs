//! New rules: which kind, and then a line of text that is understood while it is typed.

use ratatui::layout::Rect;

use super::line::{Line, Verdict, frame, wrapped};
use crate::alerts::watchlist::saved_text;
use crate::board::app::{App, Effect, Outcome, Overlay};
use crate::board::desk::watch::remembered;
use crate::board::keys::{Action, Context};
use crate::board::model::Slate;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::filter::{Filter, fold};
use crate::market::sports::Sports;
use crate::store::desk::{LONGEST_FILTER, ListId, NewRule};

/// What a rule can be about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One game of the slate.
    Game,
    /// All games of a team.
    Team,
    /// All games of a league.
    League,
    /// All games with a market.
    Market,
    /// Whatever a filter lets through.
    Filter,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Game, Self::Team, Self::League, Self::Market, Self::Filter];

    const fn name(self) -> &'static str {
        match self {
            Self::Game => "game",
            Self::Team => "team",
            Self::League => "league",
            Self::Market => "market",
            Self::Filter => "filter",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Game => "one game on the board",
            Self::Team => "every game of a team",
            Self::League => "every game of a league",
            Self::Market => "every game with a market",
            Self::Filter => "every game that a filter lets through",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Game => "a part of either team's name; tab completes",
            Self::Team => "a team's name, such as Boston Celtics; tab completes",
            Self::League => "a league, such as NBA or basketball_nba; tab completes",
            Self::Market => "a market key, such as spreads or totals; tab completes",
            Self::Filter => "as on the board: ev>2 -is:live, sport:nba lead<2h",
        }
    }
}

/// The chooser of what a new rule is about.
#[derive(Debug)]
pub struct KindChooser {
    list: ListId,
    name: String,
    at: usize,
    negative: bool,
}

impl KindChooser {
    /// For a new rule of a list.
    pub const fn new(list: ListId, name: String) -> Self {
        Self { list, name, at: 0, negative: false }
    }

    fn take(&self, app: &mut App) -> Outcome {
        let Some(kind) = Kind::ALL.get(self.at).copied() else { return Outcome::Stay };
        ask(app, self.list, kind, self.negative);
        Outcome::Close
    }
}

impl Overlay for KindChooser {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        let last = Kind::ALL.len() - 1;
        match action {
            Action::Back => return Outcome::Close,
            Action::Open => return self.take(app),
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::First | Action::PageUp => self.at = 0,
            Action::Last | Action::PageDown => self.at = last,
            Action::Mark => self.negative = !self.negative,
            Action::Redraw => app.effect(Effect::Redraw),
            Action::Suspend => app.effect(Effect::Suspend),
            _ => {}
        }
        Outcome::Stay
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        match hit {
            Hit::Item(at) if at < Kind::ALL.len() => {
                self.at = at;
                self.take(app)
            }
            Hit::Item(_) => {
                self.negative = !self.negative;
                Outcome::Stay
            }
            _ => Outcome::Stay,
        }
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let place = super::over(area, 58, Kind::ALL.len() as u16 + 4);
        frame(paint, place, &format!("New rule of '{}'", self.name));
        let (x, room) = (place.x + 2, place.width.saturating_sub(4));
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            let row = Rect::new(x, place.y + 1 + at as u16, room, 1);
            if at == self.at {
                paint.fill(row, paint.style(Meaning::Selection));
                paint.text(x, row.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
            }
            paint.text(x + 2, row.y, 8, kind.name(), paint.style(Meaning::Text));
            paint.text(x + 11, row.y, room.saturating_sub(11), kind.about(), paint.style(Meaning::Muted));
            paint.zone(row, Hit::Item(at));
        }
        let row = Rect::new(x, place.bottom() - 2, room, 1);
        let tick = paint.glyph(if self.negative { Glyph::Check } else { Glyph::Unticked });
        let text = format!("{tick} keep these games out instead   {}", paint.sign("␣", "space"));
        wrapped(paint, row, &text, if self.negative { Meaning::Warning } else { Meaning::Hint });
        paint.zone(row, Hit::Item(Kind::ALL.len()));
    }
}

/// Asks for the text of a rule.
fn ask(app: &mut App, list: ListId, kind: Kind, negative: bool) {
    let title = format!("{}{}", if negative { "Keep out: " } else { "" }, kind.name());
    let line = Line::new(
        app,
        &title,
        kind.example(),
        "",
        Box::new(move |app, text| judge(app, kind, text).1),
        Box::new(move |app, text| {
            let Some(rule) = judge(app, kind, text).0 else { return };
            super::add_rule(app, list, if negative { rule.excluded() } else { rule });
        }),
    );
    app.overlay(line);
}

/// What a text means as a rule of this kind.
pub fn judge(app: &App, kind: Kind, text: &str) -> (Option<NewRule>, Verdict) {
    let typed = text;
    let text = text.trim();
    if text.is_empty() {
        return (None, Verdict::unfinished("nothing has been typed"));
    }
    let slate = app.slate();
    match kind {
        Kind::Game => game(slate, text),
        Kind::Team => team(slate, text),
        Kind::League => league(slate, text),
        Kind::Market => market(slate, text),
        Kind::Filter => filter(app, typed),
    }
}

fn some(names: &[String]) -> String {
    const MOST: usize = 4;
    let shown = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MOST);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn games(count: usize) -> String {
    if count == 1 { "1 game now".into() } else { format!("{count} games now") }
}

fn game(slate: &Slate, text: &str) -> (Option<NewRule>, Verdict) {
    let wanted = fold(text);
    let label = |g: &crate::board::model::Game| remembered(g).label;
    let whole = slate.games.iter().find(|g| fold(&label(g)) == wanted || *g.who.provider_id == *text);
    let found: Vec<_> = match whole {
        Some(game) => vec![game],
        None => slate.games.iter().filter(|g| fold(&label(g)).contains(&wanted)).collect(),
    };
    match found[..] {
        [] => (None, Verdict::unfinished("no game on the board is called so")),
        [only] => {
            let verdict = Verdict { completion: Some(label(only)), ..Verdict::good(label(only)) };
            (Some(NewRule::game(remembered(only))), verdict)
        }
        _ => {
            let names: Vec<String> = found.iter().map(|g| label(g)).collect();
            let why = format!("{} games: {}", names.len(), some(&names));
            (None, Verdict { completion: names.into_iter().next(), hint: why.clone(), ..Verdict::unfinished(why) })
        }
    }
}

fn team(slate: &Slate, text: &str) -> (Option<NewRule>, Verdict) {
    let wanted = fold(text);
    let mut names: Vec<&str> = slate.games.iter().flat_map(|g| [&*g.who.home, &*g.who.away]).collect();
    names.sort_unstable();
    names.dedup();
    let code = |g: &crate::board::model::Identity| -> Option<String> {
        let home = fold(&g.home_code) == wanted;
        (home || fold(&g.away_code) == wanted).then(|| if home { g.home.to_string() } else { g.away.to_string() })
    };
    let mut like: Vec<String> = names.iter().filter(|n| fold(n).contains(&wanted)).map(|n| (*n).to_owned()).collect();
    like.extend(slate.games.iter().filter_map(|g| code(&g.who)));
    like.sort_unstable();
    like.dedup();
    let exact = like.iter().find(|n| fold(n) == wanted).cloned();
    let name = match (exact, &like[..]) {
        (Some(name), _) => name,
        (None, [only]) => only.clone(),
        // The market may bring it tomorrow.
        (None, []) => {
            let hint = format!("no team on the board is called '{text}': it is taken as it is");
            return (Some(NewRule::team(text, None)), Verdict::good(hint));
        }
        (None, _) => {
            let why = format!("{} teams: {}", like.len(), some(&like));
            let completion = like.into_iter().next();
            return (None, Verdict { completion, hint: why.clone(), ..Verdict::unfinished(why) });
        }
    };
    let count = slate.games.iter().filter(|g| *g.who.home == *name || *g.who.away == *name).count();
    let verdict = Verdict { completion: Some(name.clone()), ..Verdict::good(format!("{name}: {}", games(count))) };
    (Some(NewRule::team(name, None)), verdict)
}

fn league(slate: &Slate, text: &str) -> (Option<NewRule>, Verdict) {
    let table = Sports::embedded();
    let wanted = fold(text);
    let mut keys: Vec<String> = table.keys().map(str::to_owned).collect();
    keys.extend(slate.games.iter().map(|g| g.who.sport_key.to_string()));
    keys.sort_unstable();
    keys.dedup();
    let exact = keys.iter().find(|k| fold(k) == wanted || fold(&table.resolve(k).short) == wanted).cloned();
    let like: Vec<String> = keys.into_iter().filter(|k| fold(k).contains(&wanted)).collect();
    let key = match (exact, &like[..]) {
        (Some(key), _) => key,
        (None, [only]) => only.clone(),
        (None, []) => return (None, Verdict::unfinished("no league is called so")),
        (None, _) => {
            let why = format!("{} leagues: {}", like.len(), some(&like));
            let completion = like.into_iter().next();
            return (None, Verdict { completion, hint: why.clone(), ..Verdict::unfinished(why) });
        }
    };
    let count = slate.games.iter().filter(|g| *g.who.sport_key == *key).count();
    let verdict = Verdict { completion: Some(key.clone()), ..Verdict::good(format!("{key}: {}", games(count))) };
    (Some(NewRule::league(key)), verdict)
}

fn market(slate: &Slate, text: &str) -> (Option<NewRule>, Verdict) {
    let wanted = fold(text);
    let mut keys: Vec<String> = ["h2h", "spreads", "totals"].map(str::to_owned).to_vec();
    keys.extend(slate.names.markets.iter().filter(|m| crate::board::app::act::is_told(m)).map(str::to_owned));
    keys.sort_unstable();
    keys.dedup();
    let title = |key: &str| fold(&crate::board::format::market_title(key));
    let exact = keys.iter().find(|k| fold(k) == wanted || title(k) == wanted).cloned();
    let like: Vec<String> =
        keys.into_iter().filter(|k| fold(k).contains(&wanted) || title(k).contains(&wanted)).collect();
    let key = match (exact, &like[..]) {
        (Some(key), _) => key,
        (None, [only]) => only.clone(),
        (None, []) => return (None, Verdict::unfinished("no market that was ever received is called so")),
        (None, _) => {
            let why = format!("{} markets: {}", like.len(), some(&like));
            let completion = like.into_iter().next();
            return (None, Verdict { completion, hint: why.clone(), ..Verdict::unfinished(why) });
        }
    };
    let count = slate.games.iter().filter(|g| g.markets.iter().any(|m| *m.market == *key)).count();
    let verdict = Verdict { completion: Some(key.clone()), ..Verdict::good(format!("{key}: {}", games(count))) };
    (Some(NewRule::market(key, None)), verdict)
}

fn filter(app: &App, text: &str) -> (Option<NewRule>, Verdict) {
    if text.chars().count() > LONGEST_FILTER {
        return (None, Verdict::bad(format!("longer than {LONGEST_FILTER} characters")));
    }
    match Filter::parse_with(text, &|name| saved_text(&app.desk.filters, name)) {
        Ok(_) => (Some(NewRule::filter(text)), Verdict::good("a game is in when any of its markets passes")),
        Err(e) => {
            let verdict = Verdict {
                span: Some(e.span.clone()),
                unfinished: e.incomplete,
                completion: None,
                ..Verdict::bad(e.message)
            };
            (None, verdict)
        }
    }
}
