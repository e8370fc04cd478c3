//! The tables of a comparison: which measures stand side by side, and how each is written.

use crate::lab::axis::number;
use crate::lab::comparison::compared::{Compared, DERIVED};
use crate::lab::comparison::report::Comparison;
use crate::lab::comparison::table::{NOTHING, Table, percent};
use crate::lab::comparison::variation::{BASE, REST};
use crate::lab::statistics::Estimate;

/// One table before it is filled.
struct Plan {
    title: &'static str,
    about: &'static str,
    columns: &'static [Column],
}

/// Its heading, the variation, the measure, and how it is written.
type Column = (&'static str, &'static str, &'static str, Form);

#[derive(Clone, Copy)]
enum Form {
    /// With its interval.
    Number,
    /// A share as per cent, with its interval.
    Percent,
    /// Mean, and in brackets the median, the 95th and the 99th percentile.
    Spread,
    /// Least / median / greatest.
    Range,
}

/// All tables but that of what the simulation cost.
pub(super) fn tables(comparison: &Comparison) -> Vec<Table> {
    PLANS.iter().map(|plan| plan.fill(comparison)).filter(|table| !table.heads.is_empty()).collect()
}

/// What the simulation cost: the only numbers that depend on the machine.
pub(super) fn speed(comparison: &Comparison) -> Table {
    SPEED.fill(comparison)
}

impl Plan {
    fn fill(&self, comparison: &Comparison) -> Table {
        let row =
            |mode: &Compared| (mode.mode.to_string(), self.columns.iter().map(|column| cell(mode, column)).collect());
        let table = Table {
            title: self.title,
            about: self.about,
            heads: self.columns.iter().map(|(head, ..)| (*head).into()).collect(),
            rows: comparison.modes.iter().map(row).collect(),
        };
        table.without_empty_columns()
    }
}

fn cell(mode: &Compared, (_, variation, measure, form): &Column) -> String {
    let part = |part: &str| mode.estimate(variation, &format!("{measure}.{part}"));
    let text = match form {
        Form::Number => mode.estimate(variation, measure).map(|estimate| written(&estimate, number)),
        Form::Percent => mode.estimate(variation, measure).map(|estimate| written(&estimate, percent)),
        Form::Spread => spread([part("mean"), part("p50"), part("p95"), part("p99")]),
        Form::Range => range([part("min"), part("p50"), part("max")]),
    };
    text.unwrap_or_else(|| NOTHING.into())
}

/// An estimate with half its interval, where it has one.
pub(super) fn written(estimate: &Estimate, number: fn(f64) -> String) -> String {
    match estimate.high.map(|high| high - estimate.value) {
        Some(half) if half > 0.0 => format!("{} ± {}", number(estimate.value), number(half)),
        _ => number(estimate.value),
    }
}

fn spread([mean, p50, p95, p99]: [Option<Estimate>; 4]) -> Option<String> {
    let rest = [p50?, p95?, p99?].map(|estimate| number(estimate.value)).join(" / ");
    Some(format!("{} ({rest})", written(&mean?, number)))
}

fn range(parts: [Option<Estimate>; 3]) -> Option<String> {
    let [least, median, greatest] = parts;
    Some([least?, median?, greatest?].map(|estimate| number(estimate.value)).join(" / "))
}

const PLANS: &[Plan] = &[
    Plan {
        title: "Finding a document",
        about: "Per cent of lookups that end with the right document, of all and of those whose document a live node still \
                holds. The others: no live node has it (lost), the search did not reach it, it was not answered. Messages \
                that search, and their answers, per lookup.",
        columns: &[
            ("found %", BASE, "success", Form::Percent),
            ("of existing %", BASE, "success_of_existing", Form::Percent),
            ("lost %", BASE, "misses.lost", Form::Percent),
            ("not found %", BASE, "misses.not_found", Form::Percent),
            ("timed out %", BASE, "misses.timed_out", Form::Percent),
            ("hops: mean (50 / 95 / 99 %)", BASE, "hops", Form::Spread),
            ("messages", BASE, "messages", Form::Number),
            ("duplicates", BASE, "duplicates", Form::Number),
        ],
    },
    Plan {
        title: "Time and bytes",
        about: "To the first byte, in milliseconds, and to the last, in seconds. Questions that nobody answered, per lookup. \
                Bytes on all links, as cells, per lookup.",
        columns: &[
            ("ms to first byte: mean (50 / 95 / 99 %)", BASE, "latency_ms", Form::Spread),
            ("s to last byte", BASE, "completion_seconds", Form::Spread),
            ("timeouts", BASE, "timeouts.mean", Form::Number),
            ("control B", BASE, "bytes.control", Form::Number),
            ("content B", BASE, "bytes.content", Form::Number),
        ],
    },
    Plan {
        title: "State and load",
        about: "Entries that a node holds (routing, references, documents), the same in bytes as records without content, and \
                documents or references alone, as least / median / greatest of all nodes. How unevenly messages, the bytes of \
                content that are sent, and documents or references fall on nodes: Gini coefficient, and the greatest over the \
                mean.",
        columns: &[
            ("state entries", BASE, "state", Form::Range),
            ("state bytes", BASE, "state_bytes", Form::Range),
            ("documents held", BASE, "keys", Form::Range),
            ("links: mean", BASE, "degree.mean", Form::Number),
            ("Gini", BASE, "load.gini", Form::Number),
            ("busiest ÷ mean", BASE, "load.max_over_mean", Form::Number),
            ("Gini of bytes served", BASE, "served.gini", Form::Number),
            ("most ÷ mean", BASE, "served.max_over_mean", Form::Number),
            ("Gini of documents", BASE, "kept.gini", Form::Number),
            ("fullest ÷ mean", BASE, "kept.max_over_mean", Form::Number),
        ],
    },
    Plan {
        title: "The popular and the others",
        about: "Live copies of a document, and of the tenth of all documents that is asked for least; how many of the lookups \
                for those succeed, when all is well and right after deaths, of all and of those whose document exists.",
        columns: &[
            ("copies: mean", BASE, "copies.mean", Form::Number),
            ("least popular tenth: copies", BASE, "unpopular.copies", Form::Number),
            ("found %", BASE, "unpopular.success", Form::Percent),
            ("of existing %", BASE, "unpopular.success_of_existing", Form::Percent),
            ("30 % dead: found %", "random-30", "unpopular.success", Form::Percent),
            ("30 % dead: of existing %", "random-30", "unpopular.success_of_existing", Form::Percent),
        ],
    },
    Plan {
        title: "Publishing, upkeep, joining",
        about: "Messages that publish one document or carry it, and their bytes; what lookups of publication cost beside that \
                stands with upkeep where the wire does not tell the two apart. Upkeep of a node in an hour without lookups, \
                in bytes per second. What one join adds to it.",
        columns: &[
            ("messages per document", BASE, "publication.messages", Form::Number),
            ("bytes", BASE, "publication.bytes", Form::Number),
            ("upkeep meanwhile", BASE, "publication.upkeep", Form::Number),
            ("upkeep B/node/s", REST, "upkeep", Form::Number),
            ("messages per join", DERIVED, "join.messages", Form::Number),
            ("bytes per join", DERIVED, "join.bytes", Form::Number),
            ("messages per join while growing", BASE, "growth.messages_per_join", Form::Number),
        ],
    },
    Plan {
        title: "When nodes die at once",
        about: "Per cent of lookups that succeed, right after the deaths and before anything is repaired.",
        columns: &[
            ("nobody", BASE, "success", Form::Percent),
            ("the busiest", "busiest-one", "success", Form::Percent),
            ("busiest 1 %", "busiest-1", "success", Form::Percent),
            ("10 %", "random-10", "success", Form::Percent),
            ("30 %", "random-30", "success", Form::Percent),
            ("50 %", "random-50", "success", Form::Percent),
        ],
    },
    Plan {
        title: "The same, of documents that still exist",
        about: "Documents whose every holder has died are left out: what is left is how well the overlay still finds its way.",
        columns: &[
            ("nobody", BASE, "success_of_existing", Form::Percent),
            ("the busiest", "busiest-one", "success_of_existing", Form::Percent),
            ("busiest 1 %", "busiest-1", "success_of_existing", Form::Percent),
            ("10 %", "random-10", "success_of_existing", Form::Percent),
            ("30 %", "random-30", "success_of_existing", Form::Percent),
            ("50 %", "random-50", "success_of_existing", Form::Percent),
        ],
    },
    Plan {
        title: "After ten minutes of repair",
        about: "Per cent of lookups that succeed once the overlay has had ten minutes, and for 30 % of documents that exist.",
        columns: &[
            ("the busiest", "busiest-one-repaired", "success", Form::Percent),
            ("busiest 1 %", "busiest-1-repaired", "success", Form::Percent),
            ("10 %", "random-10-repaired", "success", Form::Percent),
            ("30 %", "random-30-repaired", "success", Form::Percent),
            ("50 %", "random-50-repaired", "success", Form::Percent),
            ("30 %, of existing", "random-30-repaired", "success_of_existing", Form::Percent),
        ],
    },
    Plan {
        title: "After an hour of repair",
        about: "The same after an hour, when everybody that republishes has done so.",
        columns: &[
            ("10 %", "random-10-hour", "success", Form::Percent),
            ("30 %", "random-30-hour", "success", Form::Percent),
            ("50 %", "random-50-hour", "success", Form::Percent),
            ("30 %, of existing", "random-30-hour", "success_of_existing", Form::Percent),
        ],
    },
    Plan {
        title: "When nodes come and go",
        about: "Half of all nodes are away at any time and come back with what they had; nobody says goodbye. Per cent of \
                lookups that succeed, of all and of documents that a live node holds; timeouts per lookup; upkeep.",
        columns: &[
            ("5 min: found %", "sessions-5min", "success", Form::Percent),
            ("of existing %", "sessions-5min", "success_of_existing", Form::Percent),
            ("timeouts", "sessions-5min", "timeouts.mean", Form::Number),
            ("B/node/s", "sessions-5min", "upkeep", Form::Number),
            ("1 h: found %", "sessions-1h", "success", Form::Percent),
            ("of existing %", "sessions-1h", "success_of_existing", Form::Percent),
            ("timeouts", "sessions-1h", "timeouts.mean", Form::Number),
            ("B/node/s", "sessions-1h", "upkeep", Form::Number),
            ("Weibull: found %", "sessions-weibull", "success", Form::Percent),
            ("of existing %", "sessions-weibull", "success_of_existing", Form::Percent),
            ("timeouts", "sessions-weibull", "timeouts.mean", Form::Number),
            ("B/node/s", "sessions-weibull", "upkeep", Form::Number),
        ],
    },
    Plan {
        title: "Who learns what",
        about: "Nodes that learn something from one lookup, counted: who asks and for what; only for what; only who.",
        columns: &[
            ("who and what", BASE, "exposure.both", Form::Number),
            ("only what", BASE, "exposure.key", Form::Number),
            ("only who", BASE, "exposure.requester", Form::Number),
        ],
    },
    Plan {
        title: "Whom colluders can link",
        about: "Nodes that one lookup tells who asks and for what, counted as its messages arrive. Per cent of lookups that \
                colluding nodes learn of in that way: any hundredth of all nodes, any tenth, and the one node that learns the \
                most.",
        columns: &[
            ("nodes told", BASE, "linkage.told", Form::Number),
            ("1 % collude", BASE, "linkage.one_percent", Form::Percent),
            ("10 % collude", BASE, "linkage.ten_percent", Form::Percent),
            ("the best-placed node", BASE, "linkage.best_placed", Form::Percent),
        ],
    },
    Plan {
        title: "Free riders",
        about: "Median seconds to the last byte for those who give and those who only take, and per cent found, by the share of \
                nodes that only take.",
        columns: &[
            ("nobody: s", "riders-0", "completion_seconds.p50", Form::Number),
            ("found %", "riders-0", "success", Form::Percent),
            ("10 %: s, who gives", "riders-10", "completion_seconds.p50", Form::Number),
            ("who takes", "riders-10", "rider_completion_seconds.p50", Form::Number),
            ("found %", "riders-10", "success", Form::Percent),
            ("50 %: s, who gives", "riders-50", "completion_seconds.p50", Form::Number),
            ("who takes", "riders-50", "rider_completion_seconds.p50", Form::Number),
            ("found %", "riders-50", "success", Form::Percent),
            ("70 %: s, who gives", "riders-70", "completion_seconds.p50", Form::Number),
            ("who takes", "riders-70", "rider_completion_seconds.p50", Form::Number),
            ("found %", "riders-70", "success", Form::Percent),
        ],
    },
    Plan {
        title: "How it grows",
        about: "The exponent b of N^b from a quarter of the nodes to all: 0 stays as it is, 0.5 is a square root, 1 grows with \
                the network. At 1,000 nodes a logarithm has 0.16.",
        columns: &[
            ("hops", DERIVED, "growth.hops", Form::Number),
            ("messages per lookup", DERIVED, "growth.messages", Form::Number),
            ("links per node", DERIVED, "growth.degree", Form::Number),
            ("state of the fullest", DERIVED, "growth.fullest", Form::Number),
        ],
    },
];

const SPEED: Plan = Plan {
    title: "What the simulation cost",
    about: "Events of the base run, its wall time on this machine with its other work, and the rate.",
    columns: &[
        ("events", BASE, "events", Form::Number),
        ("wall s", BASE, "wall_seconds", Form::Number),
        ("events/s", DERIVED, "speed", Form::Number),
    ],
};
