//! The plots of a comparison, one question each: how much a lookup costs, who learns of it, what outlasts failures.

use crate::lab::bars::{self, Bars, Row};
use crate::lab::comparison::compared::Compared;
use crate::lab::comparison::report::Comparison;
use crate::lab::comparison::variation::{BASE, QUARTER, REST, SIXTEENTH};
use crate::lab::figure::{Axis, Figure, Series, Style, Tone};
use crate::lab::statistics::Estimate;
use crate::lab::svg;
use crate::sim::scenario::ModeName;

/// One plot.
#[derive(Clone, Debug, PartialEq)]
pub enum Plot {
    /// Curves.
    Lines(Figure),
    /// Bars.
    Bars(Bars),
}

impl Plot {
    /// Its file.
    pub fn file(&self) -> String {
        match self {
            Self::Lines(figure) => format!("{}.svg", figure.name),
            Self::Bars(bars) => format!("{}.svg", bars.name),
        }
    }

    /// What it shows.
    pub fn title(&self) -> &str {
        match self {
            Self::Lines(figure) => &figure.title,
            Self::Bars(bars) => &bars.title,
        }
    }

    /// The drawing.
    pub fn draw(&self) -> String {
        match self {
            Self::Lines(figure) => svg::draw_named(figure),
            Self::Bars(bars) => bars::draw(bars),
        }
    }
}

/// All plots of which something was measured.
pub fn plots(comparison: &Comparison) -> Vec<Plot> {
    let bars = BARS.iter().filter_map(|plan| plan.fill(comparison)).map(Plot::Bars);
    let lines = LINES.iter().filter_map(|plan| plan.fill(comparison)).map(Plot::Lines);
    bars.chain(lines).collect()
}

/// Bars before they are filled.
struct BarPlan {
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    scale: Scale,
    /// What the bars of a row are: name, variation, measure.
    bars: &'static [(&'static str, &'static str, &'static str)],
}

/// Curves before they are filled: one for each overlay.
struct LinePlan {
    name: &'static str,
    title: &'static str,
    y: &'static str,
    measure: &'static str,
    over: Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
    Percent,
}

/// What lies along the horizontal axis.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The share of nodes that die.
    Deaths,
    /// The size of the network.
    Nodes,
}

impl BarPlan {
    fn fill(&self, comparison: &Comparison) -> Option<Bars> {
        let row = |mode: &Compared| Row {
            label: mode.mode.to_string(),
            tone: tone(mode),
            bars: self.bars.iter().map(|(_, variation, measure)| self.value(mode, variation, measure)).collect(),
        };
        let rows: Vec<Row> = comparison.modes.iter().map(row).collect();
        let values: Vec<f64> = rows.iter().flat_map(|row| &row.bars).flatten().map(|bar| bar.value).collect();
        Some(Bars {
            name: self.name,
            title: self.title.into(),
            axis: axis(self.axis, self.scale, &values, 0.3)?,
            keys: self.bars.iter().map(|(key, ..)| *key).collect(),
            rows,
        })
    }

    fn value(&self, mode: &Compared, variation: &str, measure: &str) -> Option<Estimate> {
        let estimate = mode.estimate(variation, measure)?;
        Some(if self.scale == Scale::Percent { per_cent(&estimate) } else { estimate })
    }
}

impl LinePlan {
    fn fill(&self, comparison: &Comparison) -> Option<Figure> {
        let series = |(place, mode): (usize, &Compared)| self.series(place, mode, comparison.workload.nodes);
        let series: Vec<Series> = comparison.modes.iter().enumerate().filter_map(series).collect();
        let all = || series.iter().flat_map(|one| &one.points);
        let (x, y): (Vec<f64>, Vec<f64>) = all().copied().unzip();
        let (x, y) = match self.over {
            Over::Deaths => (Axis::linear("% of nodes that die at once", 0.0, 50.0), Axis::linear(self.y, 0.0, 100.0)),
            Over::Nodes => (Axis::log("nodes", least(&x)?, greatest(&x)?), axis(self.y, Scale::Log, &y, 0.0)?),
        };
        (!series.is_empty() && x.range.0 < x.range.1).then(|| Figure {
            name: self.name,
            title: self.title.into(),
            x,
            y,
            series,
        })
    }

    fn series(&self, place: usize, mode: &Compared, nodes: u32) -> Option<Series> {
        let at = |x: f64, variation: &str| Some((x, mode.estimate(variation, self.measure)?));
        let sized = |shrink: u32, variation| at(f64::from(nodes / shrink), variation);
        let points: Vec<(f64, Estimate)> = match self.over {
            Over::Deaths => DEATHS.iter().filter_map(|(x, variation)| at(*x, variation)).collect(),
            Over::Nodes => [sized(16, SIXTEENTH), sized(4, QUARTER), sized(1, BASE)].into_iter().flatten().collect(),
        };
        let scaled = |estimate: &Estimate| if self.over == Over::Deaths { per_cent(estimate) } else { *estimate };
        let points: Vec<(f64, f64)> = points.iter().map(|(x, estimate)| (*x, scaled(estimate).value)).collect();
        // Equal curves lie upon each other: the upper one is dashed, so that the lower one is seen.
        let style = if place.is_multiple_of(2) { Style::Line } else { Style::Dashed };
        (points.len() > 1).then(|| Series::new(mode.mode.to_string(), tone(mode), style, points).marked())
    }
}

fn per_cent(estimate: &Estimate) -> Estimate {
    let scaled = |value: f64| (value * 100.0).clamp(0.0, 100.0);
    Estimate {
        value: scaled(estimate.value),
        low: estimate.low.map(scaled),
        high: estimate.high.map(scaled),
        trials: estimate.trials,
    }
}

/// The same colour for an overlay in all reports.
fn tone(mode: &Compared) -> Tone {
    Tone::Nth(ModeName::ALL.iter().position(|listed| *listed == mode.mode).unwrap_or_default() as u8)
}

/// An axis that holds these values; `None` if there is nothing to hold. On one of equal ratios there is `room`, in powers of
/// ten, below the least of them: a bar needs some.
fn axis(label: &'static str, scale: Scale, values: &[f64], room: f64) -> Option<Axis> {
    let high = greatest(values)?;
    match scale {
        Scale::Percent => Some(Axis::linear(label, 0.0, 100.0)),
        Scale::Linear => (high > 0.0).then(|| Axis::linear(label, 0.0, high * 1.05)),
        Scale::Log => {
            let positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
            let low = step_below(least(&positive)? / libm::pow(10.0, room));
            Some(Axis::log(label, low, step_above(high).max(2.0 * low)))
        }
    }
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above `value`.
fn step_below(value: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(value)));
    [5.0, 2.0].into_iter().map(|step| step * decade).find(|step| *step <= value).unwrap_or(decade)
}

/// The least of them that is not below it, and above what is below.
fn step_above(value: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(value)));
    [1.0, 2.0, 5.0].into_iter().map(|step| step * decade).find(|step| *step >= value).unwrap_or(10.0 * decade)
}

fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

fn greatest(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

const DEATHS: &[(f64, &str)] = &[(0.0, BASE), (10.0, "random-10"), (30.0, "random-30"), (50.0, "random-50")];
const BARS: &[BarPlan] = &[
    BarPlan {
        name: "messages",
        title: "What a lookup costs",
        axis: "messages per lookup",
        scale: Scale::Log,
        bars: &[("", BASE, "messages")],
    },
    BarPlan {
        name: "latency",
        title: "How long a lookup takes",
        axis: "milliseconds to the first byte",
        scale: Scale::Linear,
        bars: &[("mean", BASE, "latency_ms.mean"), ("95 % are faster", BASE, "latency_ms.p95")],
    },
    BarPlan {
        name: "state",
        title: "What nodes must remember",
        axis: "entries",
        scale: Scale::Log,
        bars: &[("the fullest node", BASE, "state.max"), ("the median node", BASE, "state.p50")],
    },
    BarPlan {
        name: "upkeep",
        title: "What it costs to be there: an hour without lookups",
        axis: "bytes per node and second",
        scale: Scale::Log,
        bars: &[("", REST, "upkeep")],
    },
    BarPlan {
        name: "exposure",
        title: "Who learns of a lookup",
        axis: "nodes per lookup",
        scale: Scale::Log,
        bars: &[("learn who asks, and for what", BASE, "exposure.both"), ("learn only for what", BASE, "exposure.key")],
    },
    BarPlan {
        name: "colluders",
        title: "Of how many lookups colluders learn who asks for what",
        axis: "% of lookups",
        scale: Scale::Percent,
        bars: &[
            ("the one node that learns the most", BASE, "linkage.best_placed"),
            ("a tenth of all nodes", BASE, "linkage.ten_percent"),
            ("a hundredth", BASE, "linkage.one_percent"),
        ],
    },
    BarPlan {
        name: "first-victim",
        title: "Without the busiest node",
        axis: "% of lookups that succeed, before repair",
        scale: Scale::Percent,
        bars: &[("", "busiest-one", "success")],
    },
    BarPlan {
        name: "sessions",
        title: "Nodes that come and go: sessions of five minutes",
        axis: "% of lookups that succeed",
        scale: Scale::Percent,
        bars: &[
            ("of documents a live node holds", "sessions-5min", "success_of_existing"),
            ("of all", "sessions-5min", "success"),
        ],
    },
];
const LINES: &[LinePlan] = &[
    LinePlan {
        name: "deaths",
        title: "When nodes die at once, before repair",
        y: "% of lookups that succeed",
        measure: "success",
        over: Over::Deaths,
    },
    LinePlan {
        name: "deaths-existing",
        title: "When nodes die at once: of the documents that still exist, before repair",
        y: "% of lookups that succeed",
        measure: "success_of_existing",
        over: Over::Deaths,
    },
    LinePlan {
        name: "growth-messages",
        title: "How the cost of a lookup grows with the network",
        y: "messages per lookup",
        measure: "messages",
        over: Over::Nodes,
    },
    LinePlan {
        name: "growth-hops",
        title: "How paths grow with the network",
        y: "hops",
        measure: "hops.mean",
        over: Over::Nodes,
    },
];
