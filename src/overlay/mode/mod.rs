//! What all overlays share: the contract, and what any overlay may use that contacts whomever its tables name.
//!
//! `contract` is the rule. The others are leaves that decide nothing: who is asked what is the overlay's affair.

pub mod calls;
pub mod candidates;
mod contract;
pub mod dice;
pub mod hits;
pub mod hosts;
pub mod links;
pub mod listing;
pub mod publish;
pub mod readings;
pub mod routes;
pub mod standing;
pub mod tally;

pub use self::contract::*;
