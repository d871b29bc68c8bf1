//! Small games whose states can be counted. Their transition tables are Gymnasium's, entry for entry.
//!
//! [`table`] is what they share, [`dynamic_programming`] solves them exactly: the numbers to print beside what was learned.

pub mod blackjack;
pub mod cliff_walking;
pub mod dynamic_programming;
pub mod frozen_lake;
mod grid;
pub mod table;
pub mod taxi;
