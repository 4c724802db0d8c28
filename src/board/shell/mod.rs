//! Between the board and the operating system: the terminal's modes, signals, a terminal that goes away, and the loop
//! in which everything meets. The only part of the board that writes to the terminal.

mod alarm;
pub mod copy;
pub mod hangup;
mod input;
mod pace;
pub mod panic;
pub mod run;
pub mod screen;
pub mod signals;
pub mod terminal;
