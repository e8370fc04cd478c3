//! What to simulate: the schema that all overlays share, its defaults, and what makes no sense.
//!
//! Unknown keys are errors that name the key. Every field has a default, which may depend on the mode; a scenario that has
//! passed [`Scenario::check`] can be run.

mod can;
mod check;
mod chord;
mod classic;
mod flooding;
mod freenet;
mod kademlia;
mod shared;
mod supernode;
mod swarm;
mod topology;
mod whole;

pub use self::can::*;
pub use self::chord::*;
pub use self::classic::*;
pub use self::flooding::*;
pub use self::freenet::*;
pub use self::kademlia::*;
pub use self::shared::*;
pub use self::supernode::*;
pub use self::swarm::*;
pub use self::whole::*;
