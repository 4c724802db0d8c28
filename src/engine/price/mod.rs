//! What a market is worth: vig removed per book, books put on one scale, and taken together.
//!
//! Owns sections 5 and 6 of the domain contract: the view of one book, the fair price with and without each book, the
//! board consensus. Everything is a function of the quotes at one instant; history belongs to `track`.

pub mod fair;
pub mod robust;
pub mod scale;
pub mod unit;
pub mod view;
