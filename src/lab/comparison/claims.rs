//! What the textbooks claim of each architecture, beside the number that confirms or refutes it here.
//!
//! A claim names its overlay and is listed only where that overlay was compared and what the claim needs was measured. Claims
//! that no number can judge are listed as such. The limits of "large" and "small" are chosen, and stand beside each claim.

use serde::Serialize;

use crate::lab::axis::number;
use crate::lab::comparison::compared::Compared;
use crate::lab::comparison::evidence::Side::{Advantage, Drawback};
use crate::lab::comparison::evidence::{Claim, Evidence, Side, Verdict, finds_all, logarithmic, misses_some, survives};
use crate::lab::comparison::table::percent;
use crate::lab::comparison::variation::BASE;

/// A claim that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The overlay.
    pub mode: String,
    /// For or against it.
    pub side: Side,
    /// What is claimed.
    pub claim: &'static str,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Judges all claims about these overlays.
pub fn judge(all: &[Compared], nodes: f64, documents: f64) -> Vec<Judged> {
    let of_mode = |mode: &Compared| {
        let evidence = Evidence { mode, all, nodes, documents };
        let name = mode.mode.to_string();
        let judged = |claim: &Claim| {
            let verdict = (claim.judge)(&evidence)?;
            Some(Judged { mode: name.clone(), side: claim.side, claim: claim.text, verdict })
        };
        CLAIMS.iter().filter(|claim| claim.mode == name).filter_map(judged).collect::<Vec<_>>()
    };
    all.iter().filter(|mode| mode.measures.contains_key(BASE)).flat_map(of_mode).collect()
}

const fn claim(
    mode: &'static str,
    side: Side,
    text: &'static str,
    judge: fn(&Evidence<'_>) -> Option<Verdict>,
) -> Claim {
    Claim { mode, side, text, judge }
}

/// No number of this comparison can tell.
fn unmeasured(_: &Evidence<'_>) -> Option<Verdict> {
    Some(Verdict { measured: "a property of the design: no number here".into(), holds: None })
}

const CLAIMS: &[Claim] = &[
    claim("freenet", Advantage, "queries are short: a small world", |e| {
        logarithmic(e, "hops", e.base("hops.mean")?, e.derived("growth.hops")?)
    }),
    claim("freenet", Advantage, "nobody is told who asks", |e| {
        let both = e.base("exposure.both")?;
        Verdict::judged(format!("{} nodes per lookup learn who and what", number(both)), both == 0.0)
    }),
    claim("freenet", Advantage, "documents survive their publisher and a third of the nodes", survives_all),
    claim("freenet", Drawback, "no guarantee to find what exists", misses_some),
    claim("freenet", Drawback, "joining is expensive", |e| {
        let (join, chord) = (e.base("growth.messages_per_join")?, e.of("chord", "hops.mean")?);
        Verdict::judged(
            format!(
                "{} messages per join while it grows; a ring looks a place up in {} hops",
                number(join),
                number(chord)
            ),
            join > 100.0,
        )
    }),
    claim("freenet", Drawback, "hard to measure and to debug", unmeasured),
    claim("classic", Advantage, "paths are short once requests have shaped the tables", |e| {
        logarithmic(e, "hops in the median", e.base("hops.p50")?, e.derived("growth.median_hops")?)
    }),
    claim("classic", Drawback, "no guarantee to find what exists, not even with 500 hops to live", misses_some),
    claim("classic", Drawback, "documents are lost: nobody is responsible for a key", |_| {
        Some(Verdict { measured: "stores do not fill under this workload: `bolthole lab freenet`".into(), holds: None })
    }),
    claim("classic", Drawback, "the first node can tell who asks: hops to live stand at their maximum", |e| {
        let both = e.base("exposure.both")?;
        Verdict::judged(format!("{} nodes per lookup learn who and what", number(both)), both >= 0.5)
    }),
    claim("central", Advantage, "scope O(1): two messages find anything", |e| {
        let (messages, exponent) = (e.base("messages")?, e.derived("growth.messages")?);
        // A question whose link the server closes meanwhile, to keep few open, is asked again.
        let text = format!("{} messages, repeated ones included; grows as N^{}", number(messages), number(exponent));
        Verdict::judged(text, messages <= 2.5 && exponent.abs() < CONSTANT)
    }),
    claim("central", Advantage, "what exists is found", finds_all),
    claim("central", Drawback, "state O(N) at one node", |e| {
        let (fullest, exponent) = (e.base("state.max")?, e.derived("growth.fullest")?);
        let text = format!(
            "{} entries for {} documents; grows as N^{}",
            number(fullest),
            number(e.documents),
            number(exponent)
        );
        Verdict::judged(text, fullest >= e.documents && exponent >= LINEAR)
    }),
    claim("central", Drawback, "the server carries the load", |e| {
        let over_mean = e.base("load.max_over_mean")?;
        let text = format!("the busiest node gets {} times the mean of all messages", number(over_mean));
        Verdict::judged(text, over_mean >= e.nodes / 10.0)
    }),
    claim("central", Drawback, "a single point of failure", |e| {
        let left = e.under("busiest-one", "success")?;
        let text = format!("{} % found without the busiest node: documents of one's own", percent(left));
        Verdict::judged(text, left <= 2.0 / e.nodes)
    }),
    claim("central", Drawback, "one party learns who asks for what", |e| {
        let both = e.base("exposure.both")?;
        Verdict::judged(format!("{} nodes per lookup, the server always among them", number(both)), both >= 0.9)
    }),
    claim("flooding", Advantage, "nothing is published", |e| {
        let messages = e.base("publication.messages")?;
        Verdict::judged(format!("{} messages per document", number(messages)), messages == 0.0)
    }),
    claim("flooding", Advantage, "needs no structure, so failures do not break it", survives),
    claim("flooding", Drawback, "scope O(N)", |e| {
        let (queries, exponent) = (e.base("queries")?, e.derived("growth.queries")?);
        let text = format!(
            "{} queries per lookup among {} nodes; grows as N^{}",
            number(queries),
            number(e.nodes),
            number(exponent)
        );
        Verdict::judged(text, exponent >= LINEAR)
    }),
    claim("flooding", Drawback, "time O(2D): out to the document and back the same way", |e| {
        let (latency, hops) = (e.base("latency_ms.mean")?, e.base("hops.mean").filter(|hops| *hops > 0.0)?);
        let share = latency / hops / MEDIAN_ROUND_TRIP_MS;
        let text = format!(
            "{} ms over {} hops: {} round trips of a link per hop",
            number(latency),
            number(hops),
            number(share)
        );
        Verdict::judged(text, (0.5..2.0).contains(&share))
    }),
    claim("flooding", Drawback, "most copies of a query reach nodes that have seen it", |e| {
        let share = e.base("duplicates")? / e.base("queries").filter(|queries| *queries > 0.0)?;
        Verdict::judged(format!("{} % of query messages are duplicates", percent(share)), share >= 0.5)
    }),
    claim("supernode", Advantage, "uses that nodes differ: the strong carry the load", |e| {
        let gini = e.base("load.gini")?;
        Verdict::judged(format!("Gini coefficient of the load {}", number(gini)), gini >= 0.5)
    }),
    claim("supernode", Advantage, "searches cost less than flooding everybody", |e| {
        let (ours, theirs) = (e.base("messages")?, e.of("flooding", "messages")?);
        Verdict::judged(format!("{} messages per lookup, flooding {}", number(ours), number(theirs)), ours < theirs)
    }),
    claim("supernode", Drawback, "no guarantee to find what exists", misses_some),
    claim("supernode", Drawback, "the parent learns who asks for what", |e| {
        let both = e.base("exposure.both")?;
        Verdict::judged(format!("{} nodes per lookup learn who and what", number(both)), both >= 0.9)
    }),
    claim("swarm", Advantage, "an incentive to give: who only takes waits", |e| {
        let (gives, takes) =
            (e.under("riders-50", "completion_seconds.p50")?, e.under("riders-50", "rider_completion_seconds.p50")?);
        Verdict::judged(
            format!("median {} s for who gives, {} s for who takes", number(gives), number(takes)),
            takes > gives,
        )
    }),
    claim("swarm", Drawback, "a tracker is needed", |e| {
        let (all, left) = (e.base("success")?, e.under("busiest-one", "success")?);
        Verdict::judged(
            format!("{} % found, {} % without the busiest node", percent(all), percent(left)),
            left < all / 2.0,
        )
    }),
    claim("chord", Advantage, "state O(log N)", |e| {
        logarithmic(e, "table entries", e.base("degree.mean")?, e.derived("growth.degree")?)
    }),
    claim("chord", Advantage, "scope O(log N)", |e| {
        logarithmic(e, "hops", e.base("hops.mean")?, e.derived("growth.hops")?)
    }),
    claim("chord", Advantage, "a lookup is guaranteed to find what exists", finds_all),
    claim("chord", Drawback, "fragile when nodes come and go", fragile),
    claim("chord", Drawback, "blind to the topology below: every hop may cross the world", far),
    claim("chord", Drawback, "exact match only", unmeasured),
    claim("kademlia", Advantage, "state O(log N)", |e| {
        logarithmic(e, "contacts", e.base("degree.mean")?, e.derived("growth.degree")?)
    }),
    claim("kademlia", Advantage, "scope O(log N)", |e| {
        logarithmic(e, "rounds", e.base("hops.mean")?, e.derived("growth.hops")?)
    }),
    claim("kademlia", Advantage, "a lookup is guaranteed to find what exists", finds_all),
    claim("kademlia", Advantage, "parallel questions get round dead contacts", survives),
    claim("kademlia", Drawback, "everybody who is asked learns who asks for what", |e| {
        let (both, key) = (e.base("exposure.both")?, e.base("exposure.key")?);
        let text = format!("{} nodes per lookup learn who and what, {} only what", number(both), number(key));
        Verdict::judged(text, both > 1.0 && key == 0.0)
    }),
    claim("kademlia", Drawback, "exact match only", unmeasured),
    claim("can", Advantage, "state that does not grow with the network", |e| {
        let (degree, exponent) = (e.base("degree.mean")?, e.derived("growth.degree")?);
        let text = format!("{} neighbours; grows as N^{}", number(degree), number(exponent));
        Verdict::judged(text, exponent.abs() < CONSTANT)
    }),
    claim("can", Advantage, "a lookup is guaranteed to find what exists", finds_all),
    claim("can", Drawback, "paths grow as d·N^(1/d), longer than a logarithm", |e| {
        let (hops, exponent) = (e.base("hops.mean")?, e.derived("growth.hops")?);
        let text = format!("{} hops in two dimensions; grows as N^{}", number(hops), number(exponent));
        Verdict::judged(text, (0.35..0.65).contains(&exponent))
    }),
    claim("can", Drawback, "fragile when nodes come and go", fragile),
    claim("can", Drawback, "exact match only", unmeasured),
];

/// All lookups right after a third died, lost documents counted too.
fn survives_all(evidence: &Evidence<'_>) -> Option<Verdict> {
    let share = evidence.under("random-30", "success")?;
    Verdict::judged(format!("{} % of all lookups succeed right after 30 % died", percent(share)), share >= 0.99)
}

/// With sessions of five minutes.
fn fragile(evidence: &Evidence<'_>) -> Option<Verdict> {
    let share = evidence.under("sessions-5min", "success_of_existing")?;
    let text = format!("{} % of existing documents found with sessions of 5 min", percent(share));
    Verdict::judged(text, share < 0.9)
}

/// Latency over that of a direct question.
fn far(evidence: &Evidence<'_>) -> Option<Verdict> {
    let stretch = evidence.base("latency_ms.mean")? / MEDIAN_ROUND_TRIP_MS;
    Verdict::judged(format!("{} times a direct question and answer", number(stretch)), stretch >= 2.0)
}

/// An exponent that counts as none.
const CONSTANT: f64 = 0.1;
/// An exponent that counts as 1.
const LINEAR: f64 = 0.8;
/// Of the latency model: the workload keeps its default.
const MEDIAN_ROUND_TRIP_MS: f64 = 156.0;
