//! The simulations of the 2001 paper and the 2002 article, on the overlay `classic`.
//!
//! Published values are read off the rendered figures, about ±10 %, unless the text states them. Every experiment draws
//! the published curve beside ours.

pub mod convergence;
pub mod failures;
pub mod growth;
pub mod links;
pub mod load;
mod quartiles;
pub mod removal;
mod scenarios;
