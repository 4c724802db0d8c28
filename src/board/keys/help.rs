//! What people read about keys: the help overlay, the bar of hints and the page of the manual, all from the table.

use std::fmt::Write;

use super::action::{Action, Group};
use super::context::Context;
use super::map::KeyMap;

/// One action in the help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpLine {
    /// The action.
    pub action: Action,
    /// Its keys here; empty if it has none and is found in the palette only.
    pub keys: Vec<String>,
}

/// Actions under one title.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpGroup {
    /// The group.
    pub group: Group,
    /// Its actions that work here, never empty.
    pub lines: Vec<HelpLine>,
}

/// One entry of the bar of hints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// The first action it stands for, for clicks.
    pub action: Action,
    /// Keys, as `j/k`.
    pub keys: String,
    /// What they do, in a word or two.
    pub label: &'static str,
}

use Action as A;

type HintRow = (&'static [Action], &'static str);

/// Hints of the pages that have games and markets, after their own.
const MARKET_HINTS: [HintRow; 7] = [
    (&[A::ToggleWatch], "watch"),
    (&[A::MarketSpread], "spread"),
    (&[A::MarketTotal], "total"),
    (&[A::MarketMoneyline], "money"),
    (&[A::NextMarket], "props"),
    (&[A::OddsFormat], "odds"),
    (&[A::Explain], "explain"),
];
/// Hints of every page, at the end.
const PAGE_HINTS: [HintRow; 6] = [
    (&[A::Find], "find"),
    (&[A::Palette], "command"),
    (&[A::Freeze], "freeze"),
    (&[A::StepBack, A::StepForward], "time"),
    (&[A::Help], "help"),
    (&[A::Quit], "quit"),
];

/// A context's own hints, the most wanted first.
const fn own_hints(context: Context) -> &'static [HintRow] {
    match context {
        Context::Board => &[(&[A::Down, A::Up], "move"), (&[A::Left, A::Right], "books"), (&[A::Open], "game")],
        Context::Game => &[
            (&[A::Down, A::Up], "move"),
            (&[A::NextGame, A::PreviousGame], "games"),
            (&[A::ZoomIn, A::ZoomOut], "zoom"),
            (&[A::CrossHair], "read"),
            (&[A::Series], "lines"),
            (&[A::PageExchange], "exchange"),
            (&[A::Back], "back"),
        ],
        Context::Tape => &[
            (&[A::Down, A::Up], "move"),
            (&[A::Open], "evidence"),
            (&[A::TypeFilter], "type"),
            (&[A::TierFilter], "tier"),
            (&[A::Preset], "preset"),
        ],
        Context::Clv => &[
            (&[A::Down, A::Up], "move"),
            (&[A::Open], "records"),
            (&[A::GroupRows], "group"),
            (&[A::Period], "period"),
            (&[A::RecordKind], "kind"),
        ],
        Context::Watch => &[
            (&[A::Down, A::Up], "move"),
            (&[A::NewList], "new list"),
            (&[A::AddRule], "rule"),
            (&[A::Rename], "rename"),
            (&[A::Delete], "delete"),
            (&[A::Undo], "undo"),
        ],
        Context::Exchange => &[
            (&[A::Down, A::Up], "move"),
            (&[A::Left, A::Right], "contract"),
            (&[A::Open], "open"),
            (&[A::PageGame], "game"),
            (&[A::Sort], "sort"),
            (&[A::LinkFilter], "links"),
            (&[A::LinkAccept], "accept"),
            (&[A::LinkRefuse], "none of these"),
            (&[A::Undo], "undo"),
        ],
        Context::Ops => &[(&[A::Down, A::Up], "move"), (&[A::NextPane], "pane"), (&[A::LogLevel], "log level")],
        Context::List => &[
            (&[A::Down, A::Up], "move"),
            (&[A::Open], "take"),
            (&[A::Mark], "tick"),
            (&[A::MoveDown, A::MoveUp], "order"),
            (&[A::Back], "close"),
        ],
        Context::Text => &[
            (&[A::Open], "take"),
            (&[A::HistoryPrevious, A::HistoryNext], "choose"),
            (&[A::Complete], "complete"),
            (&[A::Back], "close"),
        ],
    }
}

impl KeyMap {
    /// The bar of hints of a context, the most wanted first. Actions without a key are left out.
    pub fn hints(&self, context: Context, ascii: bool) -> Vec<Hint> {
        let is_page = !matches!(context, Context::List | Context::Text);
        let rest = MARKET_HINTS.iter().chain(&PAGE_HINTS).filter(|_| is_page);
        own_hints(context)
            .iter()
            .chain(rest)
            .filter_map(|(actions, label)| self.hint(actions, label, context, ascii))
            .collect()
    }

    fn hint(&self, actions: &[Action], label: &'static str, context: Context, ascii: bool) -> Option<Hint> {
        let keys: Vec<String> =
            actions.iter().filter_map(|a| Some(self.sequences_of(*a, context).next()?.pretty(ascii))).collect();
        let action = actions.iter().copied().find(|a| self.sequences_of(*a, context).next().is_some())?;
        let single = keys.iter().all(|k| k.chars().count() == 1 && k.chars().all(|c| !c.is_alphanumeric()));
        Some(Hint { action, keys: keys.join(if single { " " } else { "/" }), label })
    }

    /// Everything that works in a context with its keys, by group.
    pub fn help(&self, context: Context, ascii: bool) -> Vec<HelpGroup> {
        let line = |action: Action| HelpLine { action, keys: self.keys_of(action, context, ascii) };
        let of = |group: Group| {
            let here = Action::ALL.iter().filter(|a| a.group() == group && a.contexts().has(context));
            HelpGroup { group, lines: here.map(|a| line(*a)).collect() }
        };
        Group::ALL.into_iter().map(of).filter(|g| !g.lines.is_empty()).collect()
    }

    /// The page of the manual about keys, in Markdown.
    pub fn manual(&self) -> String {
        let mut text = String::from(
            "# Keys\n\n\
             This page is written from the table of actions and `assets/keys.toml`; a test keeps them equal. `?` shows \
             the keys of the page you are on, `:` finds every action by name.\n\n\
             A `keys.toml` beside the settings file is laid over these defaults and is read again when it is saved:\n\n\
             ```toml\n[global]\nquit = [\"Q\", \"ctrl-q\"]  # these keys, and no others\nsuspend = []             # no key\n\n\
             [board]\npin = [\"D\"]              # on the board, D pins; elsewhere it keeps its meaning\n```\n\n\
             A section of a page wins over `[global]`. Up to three keys may follow one another (`g g`), each within a \
             second. Ctrl-C always quits. Entries that cannot be used are named with their line and skipped.\n",
        );
        for group in Group::ALL {
            let _ =
                write!(text, "\n## {}\n\n| Keys | Action | What it does | Where |\n|---|---|---|---|\n", group.title());
            for action in Action::ALL.iter().filter(|a| a.group() == group) {
                let _ = writeln!(
                    text,
                    "| {} | `{}` | {} | {} |",
                    self.manual_keys(*action),
                    action.id(),
                    action.about(),
                    manual_contexts(*action)
                );
            }
        }
        text
    }

    /// The keys of an action; where contexts differ, each with its name.
    fn manual_keys(&self, action: Action) -> String {
        let mut by_keys: Vec<(String, Vec<&str>)> = Vec::new();
        for context in action.contexts().iter() {
            let keys: Vec<String> = self.sequences_of(action, context).map(|s| manual_key(&s.to_string())).collect();
            let keys = keys.join(" ");
            match by_keys.iter_mut().find(|(k, _)| *k == keys) {
                Some((_, contexts)) => contexts.push(context.id()),
                None => by_keys.push((keys, vec![context.id()])),
            }
        }
        match by_keys.as_slice() {
            [(keys, _)] => keys.clone(),
            several => {
                several.iter().map(|(keys, c)| format!("{keys} ({})", c.join(", "))).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// A key inside a table of Markdown.
fn manual_key(key: &str) -> String {
    match key {
        "`" => "`` ` ``".to_owned(),
        _ => format!("`{}`", key.replace('|', "\\|")),
    }
}

fn manual_contexts(action: Action) -> String {
    let all = |contexts: &[Context]| contexts.iter().all(|c| action.contexts().has(*c));
    let [pages @ .., _, _] = &Context::ALL;
    if !all(pages) {
        return action.contexts().iter().map(Context::id).collect::<Vec<_>>().join(", ");
    }
    let more: Vec<&str> = action.contexts().iter().filter(|c| !pages.contains(c)).map(Context::id).collect();
    match more.as_slice() {
        [] => "every page".to_owned(),
        [one] => format!("every page, {one}"),
        _ => "everywhere".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(context: Context, ascii: bool) -> String {
        let hints = KeyMap::default().hints(context, ascii);
        hints.iter().map(|h| format!("{} {}", h.keys, h.label)).collect::<Vec<_>>().join("  ")
    }

    #[test]
    fn the_bar_of_the_board_is_the_one_people_expect() {
        assert_eq!(
            bar(Context::Board, false),
            "j/k move  h/l books  ⏎ game  w watch  s spread  t total  m money  p props  o odds  x explain  / find  \
             : command  ␣ freeze  [ ] time  ? help  q quit"
        );
        assert!(bar(Context::Board, true).is_ascii());
        assert_eq!(bar(Context::Text, true), "Enter take  Up/Down choose  Tab complete  Esc close");
        assert_eq!(bar(Context::List, false), "j/k move  ⏎ take  ␣ tick  J/K order  Esc close");
        assert!(!bar(Context::Ops, false).contains("spread"));
    }

    #[test]
    fn help_names_everything_that_works_and_nothing_else() {
        let map = KeyMap::default();
        for context in Context::ALL {
            let lines: Vec<HelpLine> = map.help(context, true).into_iter().flat_map(|g| g.lines).collect();
            let works = Action::ALL.iter().filter(|a| a.contexts().has(context)).count();
            assert_eq!(lines.len(), works);
            assert!(lines.iter().all(|l| !l.keys.is_empty() && l.keys.iter().all(|k| k.is_ascii())));
        }
    }

    #[test]
    fn the_manual_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        let generated = KeyMap::default().manual();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &generated).expect("writes");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == generated, "docs/keys.md is out of date; run this test once with UPDATE_DOCS=1");
    }
}
