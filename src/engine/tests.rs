//! Rules of the quote state machine.
