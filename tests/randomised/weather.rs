//! What the network does to messages: some vanish, some are late, and for a while it may be in two.
//!
//! Messages are never doubled: links are QUIC's, and the contract of faults knows no such verdict. Whatever is sent passes
//! the watch first, also if it never arrives.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::limits;
use bolthole::sim::fault::{Fault, Verdict};
use bolthole::sim::traffic::Roles;
use bolthole::time::Instant;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::plan::Plan;
use crate::subject::Subject;
use crate::walled::Wall;
use crate::watch::Watch;

/// The weather of a plan, while its trouble lasts.
pub fn of<S: Subject>(
    plan: &Plan,
    wall: Rc<Wall>,
    watch: Rc<RefCell<Watch>>,
    trouble: (Instant, Instant),
) -> impl Fault<S::Message> + 'static {
    let (plan, mut random) = (plan.clone(), ChaCha8Rng::seed_from_u64(plan.seed ^ WEATHER));
    move |now: Instant, from: NodeId, to: NodeId, message: &S::Message| {
        let kind = message.kind() as u64 * 8 + message.role() as u64;
        watch.borrow_mut().see(now, from, to, kind, &S::word(&plan, message));
        if wall.separates(now, &from, &to) {
            return across(&wall, now);
        }
        if !(trouble.0..trouble.1).contains(&now) {
            return Verdict::Pass;
        }
        if random.random_bool(plan.drops) {
            Verdict::Drop
        } else if random.random_bool(plan.delays) {
            Verdict::Delay(plan.longest_delay.mul_f64(random.random_range(0.0..1.0)))
        } else {
            Verdict::Pass
        }
    }
}

/// A short silence is mended by sending again, a long one ends the link and what was on it.
fn across(wall: &Wall, now: Instant) -> Verdict {
    let Some((start, end)) = wall.span else { return Verdict::Pass };
    if end.since(start) > limits::LINK_IDLE {
        Verdict::Drop
    } else {
        Verdict::Delay(end.since(now) + Duration::from_millis(1))
    }
}

/// Sets this generator apart.
const WEATHER: u64 = 0x7765_6174;
