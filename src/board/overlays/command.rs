//! Commands with an argument: what the palette takes besides actions.

use super::{Kept, go};
use crate::board::app::App;
use crate::board::app::prefs::{Grouping, Sort};
use crate::board::export::Form;
use crate::board::format::{self, Odds, Zone};
use crate::board::pages;
use crate::filter::fold;

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its first word.
    pub name: &'static str,
    /// What may follow, for people.
    pub hint: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Sport,
    Market,
    Sort,
    Group,
    Theme,
    Filter,
    Go,
    List,
    Odds,
    Export,
    Zone,
}

const fn command(name: &'static str, hint: &'static str, about: &'static str, what: What) -> Command {
    Command { name, hint, about, what }
}

/// Every command.
pub const COMMANDS: [Command; 11] = [
    command("sport", "nba | all", "Show only the games of a sport", What::Sport),
    command("market", "spreads", "Show a market", What::Market),
    command("sort", "ev", "Sort the board", What::Sort),
    command("group", "day", "Group the board", What::Group),
    command("theme", "light", "Take other colours", What::Theme),
    command("filter", "sport:nba ev>2", "Show only the rows that pass a filter", What::Filter),
    command("go", "2026-11-20 21:00", "Go to a moment in recorded time", What::Go),
    command("list", "NAME | all", "Show only the games of a watchlist", What::List),
    command("odds", "decimal", "Write odds in another way", What::Odds),
    command("export", "csv | json", "Write what is shown to a file", What::Export),
    command("zone", "America/New_York | utc", "Set the clocks to a zone", What::Zone),
];

/// A command as typed: its first word is the name of one, or its whole beginning.
pub fn of(text: &str) -> Option<(Command, &str)> {
    let text = text.trim_start();
    let (name, argument) = text.split_once(char::is_whitespace)?;
    COMMANDS.iter().find(|c| c.name.eq_ignore_ascii_case(name)).map(|c| (*c, argument.trim()))
}

impl Command {
    /// What could follow here and now, each with a note.
    pub fn options(&self, app: &App) -> Vec<(String, String)> {
        let plain = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), String::new())).collect::<Vec<_>>();
        match self.what {
            What::Sport => {
                let mut sports: Vec<(String, String)> = app
                    .slate()
                    .games
                    .iter()
                    .map(|g| (g.who.sport_short.to_lowercase(), g.who.sport_key.to_string()))
                    .collect();
                sports.sort();
                sports.dedup();
                sports.push(("all".into(), "every sport".into()));
                sports
            }
            What::Market => app.markets().into_iter().map(|m| (m.clone(), format::market_title(&m))).collect(),
            What::Sort => Sort::ALL.iter().map(|s| (word(s.name()), s.name().to_owned())).collect(),
            What::Group => plain(&Grouping::ALL.map(Grouping::name)),
            What::Theme => super::theme::names(app).into_iter().filter(|(n, _)| !n.is_empty()).collect(),
            What::Odds => Odds::ALL.iter().map(|o| (word(o.name()), o.name().to_owned())).collect(),
            What::Export => plain(&Form::ALL.map(Form::name)),
            What::List => {
                let lists = app.pages.ops.kept.words.lists.iter().map(|l| (l.clone(), String::new()));
                lists.chain([("all".into(), "every game".into())]).collect()
            }
            What::Filter => app.pages.ops.kept.filters.iter().map(|f| (f.clone(), "used before".into())).collect(),
            What::Zone => {
                let mut zones = plain(&["utc", "America/New_York", "America/Chicago", "America/Denver"]);
                zones.extend(plain(&["America/Los_Angeles", "Europe/London"]));
                zones.push(("local".into(), "of this machine".into()));
                zones
            }
            What::Go => Vec::new(),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// A sentence for the user: what is wrong with the argument.
    pub fn run(&self, app: &mut App, argument: &str) -> Result<(), String> {
        if argument.is_empty() {
            return Err(format!("{} needs a word: {} {}", self.name, self.name, self.hint));
        }
        let wanted = fold(argument);
        match self.what {
            What::Sport if wanted == "all" => app.prefs.sport = None,
            What::Sport => {
                let mut games = app.slate().games.iter();
                let found = games
                    .find(|g| fold(&g.who.sport_short) == wanted || *g.who.sport_key == *argument)
                    .map(|g| g.who.clone());
                let found = found.ok_or_else(|| self.unknown(app, argument))?;
                app.prefs.sport = Some(found.sport_key.to_string());
            }
            What::Market => {
                let named = |m: &String| fold(m) == wanted || fold(&format::market_title(m)) == wanted;
                let of_word = match wanted.as_str() {
                    "spread" | "ats" => Some("spreads".to_owned()),
                    "total" | "ou" => Some("totals".to_owned()),
                    "moneyline" | "ml" => Some("h2h".to_owned()),
                    _ => None,
                };
                let found = app.markets().into_iter().find(named).or(of_word);
                let found = found.ok_or_else(|| self.unknown(app, argument))?;
                app.show_market(&found);
                return Ok(());
            }
            What::Sort => {
                let found = Sort::ALL.into_iter().find(|s| word(s.name()) == wanted || fold(s.name()) == wanted);
                app.prefs.sort = found.ok_or_else(|| self.unknown(app, argument))?;
            }
            What::Group => {
                let found = Grouping::ALL.into_iter().find(|g| g.name() == wanted);
                app.prefs.group = found.ok_or_else(|| self.unknown(app, argument))?;
            }
            What::Theme => {
                if !super::theme::names(app).iter().any(|(n, _)| *n == *argument) {
                    return Err(app.looks.themes.unknown(argument));
                }
                app.dress(argument);
            }
            What::Filter => {
                super::filter::read(app, argument).map_err(|e| e.to_string())?;
                argument.clone_into(&mut app.prefs.filter);
                Kept::note(&mut app.pages.ops.kept.filters, argument);
            }
            What::Go => return go::run(app, argument),
            What::List if wanted == "all" => app.prefs.list = None,
            What::List => {
                let lists = &app.pages.ops.kept.words.lists;
                let found = lists.iter().find(|l| fold(l) == wanted).cloned();
                app.prefs.list = Some(found.ok_or_else(|| self.unknown(app, argument))?);
            }
            What::Odds => {
                let found = Odds::ALL.into_iter().find(|o| word(o.name()) == wanted || fold(o.name()) == wanted);
                app.prefs.odds = found.ok_or_else(|| self.unknown(app, argument))?;
            }
            What::Export => {
                let form = Form::ALL.into_iter().find(|f| f.name() == wanted);
                let form = form.ok_or_else(|| self.unknown(app, argument))?;
                super::export::write(app, form);
                return Ok(());
            }
            What::Zone => {
                match wanted.as_str() {
                    "utc" => app.prefs.utc = true,
                    "local" => (app.prefs.utc, app.prefs.zone) = (false, None),
                    _ => {
                        let zone = Zone::parse(argument).ok_or_else(|| {
                        format!("'{argument}' is no zone: write its IANA name, such as America/New_York, or utc or local")
                    })?;
                        (app.prefs.utc, app.prefs.zone) = (false, Some(zone.0.name().to_owned()));
                    }
                }
            }
        }
        app.keep_prefs();
        app.moved();
        if app.page == crate::board::app::Page::Board {
            pages::board::settle(app);
        }
        Ok(())
    }

    fn unknown(&self, app: &App, argument: &str) -> String {
        let known: Vec<String> = self.options(app).into_iter().map(|(name, _)| name).take(8).collect();
        if known.is_empty() {
            return format!("there is no {} '{argument}', and none to choose from", self.name);
        }
        format!("there is no {} '{argument}': {}", self.name, known.join(", "))
    }
}

/// One word for a name of several: `best EV` is `ev`, `last move` is `move`.
fn word(name: &str) -> String {
    let word = match name {
        "best EV" => "ev",
        "last move" => "move",
        "drift since open" => "drift",
        "Implied %" => "implied",
        other => other,
    };
    word.to_lowercase()
}
