//! What local clients may ask of a running node: HTTP on loopback, jobs as the unit of work.
//!
//! Guarantees: only the owner's token opens it, compared in constant time; a page of another origin or a rebound name
//! gets nothing (Host and Origin are checked first); every body is bounded or streamed. Leaves out what a job does.

mod documents;
mod guard;
mod inert;
mod jobs;
mod metrics;
mod page;
mod refusal;
mod routes;
mod server;
mod session;
mod transfer;
mod view;

pub use guard::{Access, TOKEN_HEADER_PREFIX};
pub use server::serve;
