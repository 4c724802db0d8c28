//! The key map in force: which keys ask for which action in which context.
//!
//! Bindings stand in sections: `global`, and one a context. Seen from a context:
//!
//! 1. what its own section says holds;
//! 2. an action that its own section does not name keeps its global keys, unless the section took them for others;
//! 3. in a line of text, keys that write a character write it.

use std::collections::BTreeMap;

use super::action::Action;
use super::context::{Context, Contexts};
use super::key::{Key, Sequence};

/// A section of a key map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// Holds wherever the action works.
    Global,
    /// Holds in one context.
    In(Context),
}

impl Section {
    /// All sections, in the order of the default file.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Global).chain(Context::ALL.into_iter().map(Self::In))
    }

    /// Its name in a key map.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::In(context) => context.id(),
        }
    }

    /// The section of a name.
    pub fn of_id(id: &str) -> Option<Self> {
        if id == "global" { Some(Self::Global) } else { Context::of_id(id).map(Self::In) }
    }

    /// Where a binding of `action` in this section holds.
    pub(super) fn reach(self, action: Action) -> Contexts {
        match self {
            Self::Global => action.contexts(),
            Self::In(context) => Contexts::of(&[context]),
        }
    }
}

/// All bindings.
pub(super) type Bindings = BTreeMap<(Section, Action), Vec<Sequence>>;

/// Which keys ask for which action. Immutable; a changed file makes another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyMap {
    bindings: Bindings,
    resolved: [Vec<(Sequence, Action)>; Context::COUNT],
}

/// What a key led to in a context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// The keys ask for this.
    Action(Action),
    /// The keys begin a sequence.
    Prefix,
    /// Nothing has these keys.
    None,
}

impl KeyMap {
    pub(super) fn of(bindings: Bindings) -> Self {
        let resolved = Context::ALL.map(|context| resolve(&bindings, context));
        Self { bindings, resolved }
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Every binding that holds in a context: those of its own section first, then the global ones.
    pub fn in_context(&self, context: Context) -> &[(Sequence, Action)] {
        self.resolved.get(context as usize).map_or(&[], Vec::as_slice)
    }

    /// What `keys` ask for in `context`.
    pub fn lookup(&self, context: Context, keys: &[Key]) -> Lookup {
        let mut bindings = self.in_context(context).iter().filter(|(s, _)| s.keys().starts_with(keys));
        match bindings.next() {
            Some((sequence, action)) if sequence.keys().len() == keys.len() => Lookup::Action(*action),
            Some(_) => Lookup::Prefix,
            None => Lookup::None,
        }
    }

    /// The sequences that ask for `action` in `context`, as in the file.
    pub fn sequences_of(&self, action: Action, context: Context) -> impl Iterator<Item = &Sequence> {
        self.in_context(context).iter().filter(move |(_, a)| *a == action).map(|(s, _)| s)
    }

    /// The keys that ask for `action` in `context`, short, for the screen; with `ascii`, in ASCII alone.
    pub fn keys_of(&self, action: Action, context: Context, ascii: bool) -> Vec<String> {
        self.sequences_of(action, context).map(|s| s.pretty(ascii)).collect()
    }
}

fn resolve(bindings: &Bindings, context: Context) -> Vec<(Sequence, Action)> {
    let mut own: Vec<(Sequence, Action)> = vec![(Key::FORCE_QUIT.into(), Action::ForceQuit)];
    for ((section, action), sequences) in bindings {
        if *section == Section::In(context) {
            own.extend(sequences.iter().map(|s| (s.clone(), *action)));
        }
    }
    let mut global = Vec::new();
    for ((section, action), sequences) in bindings {
        let named_here = bindings.contains_key(&(Section::In(context), *action));
        if *section != Section::Global || !action.contexts().has(context) || named_here {
            continue;
        }
        for sequence in sequences {
            let types = context == Context::Text && sequence.first().is_some_and(Key::is_printable);
            if !types && !own.iter().any(|(s, _)| s.clashes(sequence)) {
                global.push((sequence.clone(), *action));
            }
        }
    }
    own.extend(global);
    own
}
