//! Frames: what changed since the last one, in one write between the marks of a synchronized update.
//!
//! A frame in which nothing changed writes nothing at all.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// What is on the terminal, and what is to be.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    /// The terminal holds something else than `shown`: everything is written again.
    dirty: bool,
    bytes: Vec<u8>,
    written: u64,
    frames: u64,
}

impl Screen {
    /// A screen of this size, about which nothing is known.
    pub fn new(width: u16, height: u16) -> Self {
        let area = Rect::new(0, 0, width, height);
        Self {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            dirty: true,
            bytes: Vec::new(),
            written: 0,
            frames: 0,
        }
    }

    /// Its area.
    pub fn area(&self) -> Rect {
        self.next.area
    }

    /// The terminal has another size now.
    pub fn resize(&mut self, width: u16, height: u16) {
        let area = Rect::new(0, 0, width, height);
        if area != self.next.area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.dirty = true;
    }

    /// Something else has written to the terminal.
    pub fn forget(&mut self) {
        self.dirty = true;
    }

    /// Draws a frame and writes what differs from the last one. Answers whether anything below the first row does.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw(&mut self, out: &mut impl Write, draw: impl FnOnce(&mut Buffer)) -> io::Result<bool> {
        self.next.reset();
        draw(&mut self.next);
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        let head = self.bytes.len();
        if self.dirty {
            queue!(self.bytes, Clear(ClearType::All))?;
            self.shown.reset();
        }
        let changed = self.shown.diff(&self.next);
        let below = self.dirty || changed.iter().any(|(_, y, _)| *y > 0);
        if !changed.is_empty() {
            CrosstermBackend::new(&mut self.bytes).draw(changed.into_iter())?;
        }
        self.send(out, head)?;
        self.dirty = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(below)
    }

    /// Draws the first row alone and writes what differs. Everything below it stays as it is.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw_head(&mut self, out: &mut impl Write, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let area = Rect { height: 1, ..self.next.area };
        let width = usize::from(area.width);
        let mut row = Buffer::empty(area);
        draw(&mut row);
        let mut shown = Buffer::empty(area);
        for (to, from) in shown.content.iter_mut().zip(&self.shown.content) {
            to.clone_from(from);
        }
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        let head = self.bytes.len();
        let changed = shown.diff(&row);
        if !changed.is_empty() {
            CrosstermBackend::new(&mut self.bytes).draw(changed.into_iter())?;
        }
        self.send(out, head)?;
        for (to, from) in self.shown.content.iter_mut().take(width).zip(row.content) {
            *to = from;
        }
        Ok(())
    }

    /// Writes a frame, of which `head` bytes are the mark at its beginning.
    fn send(&mut self, out: &mut impl Write, head: usize) -> io::Result<()> {
        self.frames += 1;
        if self.bytes.len() > head {
            queue!(self.bytes, EndSynchronizedUpdate)?;
            out.write_all(&self.bytes)?;
            out.flush()?;
            self.written += self.bytes.len() as u64;
        }
        Ok(())
    }

    /// The terminal holds something else than was drawn last.
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Bytes written and frames drawn since it was made.
    pub fn counts(&self) -> (u64, u64) {
        (self.written, self.frames)
    }

    /// What is on the terminal.
    pub fn shown(&self) -> &Buffer {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;

    fn frame(screen: &mut Screen, text: &str, style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        screen.draw(&mut out, |b| b.set_string(0, 0, text, style)).expect("memory");
        out
    }

    #[test]
    fn nothing_new_writes_nothing() {
        let mut screen = Screen::new(20, 2);
        assert!(!frame(&mut screen, "BOS -3.5", Style::new()).is_empty());
        assert!(frame(&mut screen, "BOS -3.5", Style::new()).is_empty());
        let again = frame(&mut screen, "BOS -4.5", Style::new());
        let text = String::from_utf8_lossy(&again);
        assert!(text.contains('4') && !text.contains("BOS"), "only the digit: {text:?}");
        assert!(text.starts_with("\u{1b}[?2026h") && text.ends_with("\u{1b}[?2026l"));
    }

    #[test]
    fn the_head_alone_leaves_the_rest_as_it_is() {
        let mut screen = Screen::new(20, 3);
        let draw = |clock: &'static str, body: &'static str| {
            move |b: &mut Buffer| {
                b.set_string(0, 0, clock, Style::new());
                if b.area.height > 1 {
                    b.set_string(0, 1, body, Style::new());
                }
            }
        };
        let mut out = Vec::new();
        assert!(screen.draw(&mut out, draw("21:04:07", "BOS -3.5")).expect("memory"));
        out.clear();
        screen.draw_head(&mut out, draw("21:04:08", "")).expect("memory");
        let text = String::from_utf8_lossy(&out).into_owned();
        assert!(text.contains('8') && !text.contains("21"), "only the digit: {text:?}");
        assert!(text.starts_with("\u{1b}[?2026h") && text.ends_with("\u{1b}[?2026l"));
        out.clear();
        assert!(!screen.draw(&mut out, draw("21:04:09", "BOS -3.5")).expect("memory"), "nothing moved below");
        out.clear();
        assert!(screen.draw(&mut out, draw("21:04:09", "BOS -4.5")).expect("memory"));
        assert_eq!(screen.shown().cell((7, 0)).map(ratatui::buffer::Cell::symbol), Some("9"));
    }

    #[test]
    fn after_a_resize_everything_is_written_again() {
        let mut screen = Screen::new(20, 2);
        frame(&mut screen, "BOS", Style::new().fg(Color::Red));
        screen.resize(10, 2);
        let text = String::from_utf8_lossy(&frame(&mut screen, "BOS", Style::new())).into_owned();
        assert!(text.contains("BOS") && text.contains("\u{1b}[2J"), "{text:?}");
        screen.forget();
        assert!(!frame(&mut screen, "BOS", Style::new()).is_empty());
    }
}
