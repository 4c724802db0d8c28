//! Text for the clipboard through the terminal (OSC 52): works over ssh as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The sequence that hands `text` to the terminal's clipboard.
pub fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_the_clipboard() {
        assert_eq!(osc52("BOS -3.5"), "\x1b]52;c;Qk9TIC0zLjU=\x07");
    }
}
