//! A span of a run, watched from its begin to its end: what publishing costs, and what upkeep costs while nobody asks.
//!
//! Counts messages by what they are for. Who joins meanwhile is counted too, so that two spans tell what a join costs.

use crate::overlay::mode::Mode;
use crate::sim::engine::Engine;
use crate::sim::report::{Idle, Publication, Report};
use crate::sim::traffic::{Role, Roles, Traffic};
use crate::time::{Duration, Instant};

/// A span under way.
#[derive(Debug)]
pub struct Watch {
    before: Traffic,
    begun: Instant,
    nodes: usize,
    arrivals: u64,
}

impl Watch {
    /// A span begins; `nodes` are there, and `arrivals` have come so far.
    pub const fn begin<M: Mode>(engine: &Engine<M>, nodes: usize, arrivals: u64) -> Self
    where
        M::Message: Roles,
    {
        Self { before: engine.traffic, begun: engine.now(), nodes, arrivals }
    }

    /// It was a span of rest; `nodes` are there now, and `arrivals` have come in all.
    pub fn rest<M: Mode>(&self, engine: &Engine<M>, nodes: usize, arrivals: u64) -> Idle
    where
        M::Message: Roles,
    {
        let traffic = engine.traffic.since(&self.before);
        Idle {
            seconds: engine.now().since(self.begun).as_secs_f64(),
            nodes: f64::midpoint(self.nodes as f64, nodes as f64),
            arrivals: arrivals - self.arrivals,
            messages: traffic.messages(Role::Maintenance),
            bytes: traffic.bytes(Role::Maintenance),
        }
    }

    /// It was the span in which so many documents were published; `None` without any.
    pub fn publication<M: Mode>(&self, engine: &Engine<M>, documents: u32) -> Option<Publication>
    where
        M::Message: Roles,
    {
        let traffic = engine.traffic.since(&self.before);
        let each = |count: u64| count as f64 / f64::from(documents);
        let roles = [Role::Publication, Role::Content];
        (documents > 0).then(|| Publication {
            messages_per_document: each(roles.iter().map(|role| traffic.messages(*role)).sum()),
            bytes_per_document: each(roles.iter().map(|role| traffic.bytes(*role)).sum()),
            upkeep_messages_per_document: each(traffic.messages(Role::Maintenance)),
        })
    }
}

impl Report {
    /// Notes a span of rest: upkeep is that of it alone.
    pub fn note_rest(&mut self, idle: Option<Idle>) {
        if let Some(idle) = idle {
            self.maintenance_bytes_per_node_second = Some(idle.bytes as f64 / (idle.seconds * idle.nodes));
            self.idle = Some(idle);
        }
    }
}

/// How long a scenario leaves the network alone, if it does.
pub fn rest(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::from_micros((seconds * 1e6) as u64))
}
