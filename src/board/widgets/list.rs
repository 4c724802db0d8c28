//! A list with a cursor of which only a window is drawn: moving in it, where the window lies, and its scroll bar.

use ratatui::layout::Rect;

use crate::board::keys::Action;
use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};

/// Where the cursor of a list of `len` rows goes, of which `screen` fit. `None`: the action does not move it.
pub fn moved(cursor: usize, len: usize, screen: usize, action: Action) -> Option<usize> {
    let last = len.saturating_sub(1);
    let page = screen.saturating_sub(1).max(1);
    let to = match action {
        Action::Up | Action::HistoryPrevious => cursor.saturating_sub(1),
        Action::Down | Action::HistoryNext => cursor.saturating_add(1),
        Action::PageUp => cursor.saturating_sub(page),
        Action::PageDown => cursor.saturating_add(page),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    };
    Some(to.min(last))
}

/// The first row on show: the cursor is in the middle where there are rows on both sides.
pub fn top(cursor: usize, len: usize, screen: usize) -> usize {
    cursor.saturating_sub(screen / 2).min(len.saturating_sub(screen))
}

/// Where a text of `len` lines is scrolled to, of which `screen` fit. `None`: the action does not scroll.
pub fn scrolled(from: usize, len: usize, screen: usize, action: Action) -> Option<usize> {
    moved(from, len.saturating_sub(screen) + 1, screen, action)
}

/// The bar at the side of a list, one column wide. Draws nothing where everything fits.
pub fn scroll_bar(paint: &mut Paint<'_>, area: Rect, top: usize, len: usize) {
    let screen = usize::from(area.height);
    if len <= screen || screen == 0 || area.width == 0 {
        return;
    }
    let thumb = (screen * screen / len).clamp(1, screen);
    let most = len - screen;
    let from = (top.min(most) * (screen - thumb) + most / 2) / most;
    for row in 0..screen {
        let on = row >= from && row < from + thumb;
        let (glyph, meaning) =
            if on { (Glyph::ScrollThumb, Meaning::Muted) } else { (Glyph::ScrollTrack, Meaning::Border) };
        paint.text(area.x, area.y + row as u16, 1, paint.glyph(glyph), paint.style(meaning));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cursor_stops_at_the_ends() {
        assert_eq!(moved(0, 3, 10, Action::Up), Some(0));
        assert_eq!(moved(2, 3, 10, Action::Down), Some(2));
        assert_eq!(moved(0, 50, 10, Action::PageDown), Some(9));
        assert_eq!(moved(7, 50, 10, Action::Last), Some(49));
        assert_eq!(moved(3, 0, 10, Action::Down), Some(0));
        assert_eq!(moved(3, 9, 10, Action::Quit), None);
        assert_eq!(scrolled(0, 12, 10, Action::Last), Some(2));
        assert_eq!(scrolled(0, 5, 10, Action::Down), Some(0));
    }

    proptest! {
        #[test]
        fn the_cursor_is_in_the_window(len in 1_usize..200, at in 0_usize..200, screen in 1_usize..60) {
            let cursor = at.min(len - 1);
            let top = top(cursor, len, screen);
            prop_assert!(top <= cursor && cursor < top + screen);
            prop_assert!(top + screen <= len || top == 0);
        }
    }
}
