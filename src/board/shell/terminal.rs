//! The terminal's modes: one place turns them on, and one function undoes all of them, whoever calls it and how often.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};

static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal in the board's hands. Dropping it gives it back.
#[derive(Debug)]
pub struct TerminalGuard {
    mouse: bool,
}

impl TerminalGuard {
    /// Takes the terminal: alternate screen, raw mode, no cursor, mouse (if wanted), pasted text as such.
    ///
    /// # Errors
    /// When the terminal refuses; it is left as it was.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        let guard = Self { mouse };
        guard.resume()?;
        Ok(guard)
    }

    /// Takes the terminal again after [`restore`].
    ///
    /// # Errors
    /// When the terminal refuses; it is left as it was.
    pub fn resume(&self) -> io::Result<()> {
        enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let taken = self.take();
        if taken.is_err() {
            restore();
        }
        taken
    }

    fn take(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, DisableLineWrap, EnableBracketedPaste, EnableFocusChange, Hide)?;
        if self.mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Undoes everything that [`TerminalGuard::enter`] did. Does nothing when it has been undone already, so that a panic,
/// a signal and an ordinary end may all call it.
pub fn restore() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that has gone away refuses all of it, and nothing is left to be done then.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        EnableLineWrap,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}
