//! Judging one market of one book as a whole, after its outcomes have been read.

use super::settings::EngineSettings;
use super::state::GroupState;
use crate::market::ids::LookId;
use crate::market::market_key::{Family, Stance};
use crate::market::quality::Reason;
use crate::market::selection::Side;

/// Decimal odds at or below this are stand-ins for "nothing here".
pub(crate) const PLACEHOLDER: f64 = 1.01;
/// Decimal odds that exchanges show for an empty side.
pub(crate) const EMPTY_SIDE: f64 = 1000.0;

/// Contradictions between the quotes that this look showed. `None`: the market holds together.
///
/// Looks only at markets whose sides stand at one line; alternates pair line by line and are judged where they are
/// used.
pub(crate) fn contradiction(group: &GroupState, look: LookId) -> Option<(Reason, String)> {
    if group.spec.line_is_identity() {
        return None;
    }
    let find = |side| group.quotes.iter().find(|q| q.selection.side == side && q.readable_in(look));
    match group.spec.family {
        Family::Spread => {
            let (home, away) = (find(Side::Home)?, find(Side::Away)?);
            let (h, a) = (home.value.line?, away.value.line?);
            (h != a.flipped()).then(|| (Reason::SidesDoNotMirror, format!("{h:?} against {a:?}")))
        }
        Family::Total => {
            let (over, under) = (find(Side::Over)?, find(Side::Under)?);
            let (o, u) = (over.value.line?, under.value.line?);
            (o != u).then(|| (Reason::SidesDoNotMirror, format!("over {} against under {}", o.points(), u.points())))
        }
        _ => None,
    }
}

/// Is a side missing that every such market has?
pub(crate) fn missing_side(group: &GroupState, look: LookId) -> Option<String> {
    let size = group.complete_size();
    if size == 0 || group.spec.line_is_identity() {
        return None;
    }
    let shown = group.quotes.iter().filter(|q| q.readable_in(look)).count();
    (shown < size).then(|| format!("{shown} of {size} sides"))
}

/// The sum of the raw probabilities of a complete market, if it is implausible.
pub(crate) fn odd_overround(
    group: &GroupState,
    look: LookId,
    exchange: bool,
    settings: &EngineSettings,
) -> Option<String> {
    let size = group.complete_size();
    if size == 0 || group.spec.stance != Stance::Back || group.spec.line_is_identity() {
        return None;
    }
    let (mut n, mut sum) = (0, 0.0);
    for quote in group.quotes.iter().filter(|q| q.readable_in(look)) {
        n += 1;
        sum += quote.value.price.probability();
    }
    if n != size {
        return None;
    }
    // Three-way markets and long lists carry more margin by nature.
    let limit = settings.rules.max_sum() + 0.05 * (size as f64 - 2.0);
    let low = sum < 1.0 && !exchange;
    (low || sum > limit).then(|| format!("raw probabilities sum to {sum:.4}"))
}
