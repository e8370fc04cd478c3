//! Pre-routing in large simulations: the production onion beside the production `freenet`, in one engine.
//!
//! `node` composes them as the live node does, `message` is what such nodes say to each other, `network` switches pre-routing
//! on in a network that has grown. Every packet is real bytes, sealed and opened at each hop.

mod message;
mod network;
mod node;

pub use self::message::Word;
pub use self::network::Network;
pub use self::node::Prerouted;
