//! What a row must tell a filter.

use super::fields::{Flag, NumberField, TextField};

/// A row, as filters see it.
///
/// All texts are handed out already folded (see [`super::fold`]): fold them once when the row is made, not once a
/// match. Keys are handed out as `fold(key)`, so `key_cross` is `key cross`. A row may have several values of a
/// field: both teams by name and by code, thirty books by key, a market by its key. Numbers come in the units of
/// [`NumberField`].
///
/// ```
/// use stratum::filter::{Facts, Filter, Flag, NumberField, TextField, fold};
///
/// struct Row { teams: [String; 2], ev: Option<f64> }
///
/// impl Facts for Row {
///     fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
///         field == TextField::Team && self.teams.iter().any(|t| test(t))
///     }
///     fn number(&self, field: NumberField) -> Option<f64> {
///         if field == NumberField::Ev { self.ev } else { None }
///     }
///     fn is(&self, _: Flag) -> bool { false }
/// }
///
/// let row = Row { teams: [fold("Boston Celtics"), fold("Miami Heat")], ev: Some(2.4) };
/// assert!(Filter::parse("celtics ev>2 -is:live").unwrap().matches(&row));
/// ```
pub trait Facts {
    /// Some value of the field, folded, passes the test. False when there is none.
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool;

    /// The number of the field, in its unit; `None` when it is not known.
    fn number(&self, field: NumberField) -> Option<f64>;

    /// The flag is set.
    fn is(&self, flag: Flag) -> bool;

    /// Some text that a bare word is looked for in passes the test: teams, sport, market and books, unless the row
    /// knows better (a row that holds every book should leave them out).
    fn words(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        [TextField::Team, TextField::Sport, TextField::Market, TextField::Book].into_iter().any(|f| self.text(f, test))
    }
}
