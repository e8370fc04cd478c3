//! Bars as a value, and their drawing as SVG: one row for each of many that stand side by side.
//!
//! A row has one bar or several. Each bar bears its number, so that a plot can be read without a ruler. On an axis of equal
//! ratios a bar begins at the axis' lower end; what lies below has no length, only its number.

use serde::Serialize;

use crate::lab::axis::{Layout, number};
use crate::lab::canvas::{Canvas, escape, tone};
use crate::lab::figure::{Axis, Tone};
use crate::lab::statistics::Estimate;

/// One plot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bars {
    /// Its file's name without ending.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// What the lengths mean.
    pub axis: Axis,
    /// What the bars of a row are, the first first; one without a name if there is one only.
    pub keys: Vec<&'static str>,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// What stands beside each other for one of many.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Whose.
    pub label: String,
    /// Its colour.
    pub tone: Tone,
    /// One for each key; nothing where nothing was measured.
    pub bars: Vec<Option<Estimate>>,
}

/// The drawing.
pub fn draw(bars: &Bars) -> String {
    let row_height = bars.keys.len() as f64 * BAR + GAP;
    let bottom = TOP + bars.rows.len() as f64 * row_height;
    let mut canvas = Canvas::new(WIDTH, bottom + BELOW, &bars.title);
    let x = Layout::new(&bars.axis, LEFT, WIDTH - RIGHT);
    for tick in x.ticks() {
        let at = x.at(tick);
        canvas.line(&format!("<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>"));
        canvas.label(at, bottom + 18.0, "tick mid", &number(tick));
    }
    canvas.line(&format!("<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}\"/>"));
    canvas.label(f64::midpoint(LEFT, WIDTH - RIGHT), bottom + 40.0, "name mid", bars.axis.label);
    legend(&mut canvas, bars);
    for (place, row) in bars.rows.iter().enumerate() {
        draw_row(&mut canvas, row, TOP + place as f64 * row_height + GAP / 2.0, &x);
    }
    canvas.close()
}

fn draw_row(canvas: &mut Canvas, row: &Row, top: f64, x: &Layout) {
    let tone = tone(row.tone);
    let middle = top + row.bars.len() as f64 * BAR / 2.0;
    canvas.label(LEFT - 10.0, middle + 4.5, "name end", &row.label);
    for (place, bar) in row.bars.iter().enumerate() {
        let y = top + place as f64 * BAR;
        let Some(estimate) = bar else {
            canvas.label(LEFT + 6.0, y + BAR - 5.0, "tick", "not run");
            continue;
        };
        let end = x.at(estimate.value);
        let (width, height) = (end - LEFT, BAR - 3.0);
        let pale = paleness(place);
        canvas.line(&format!(
            "<rect class=\"bar{pale} {tone}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\"/>"
        ));
        let (low, high) = (estimate.low.unwrap_or(estimate.value), estimate.high.unwrap_or(estimate.value));
        let (from, to, at) = (x.at(low), x.at(high), y + height / 2.0);
        if to - from > 2.0 {
            canvas.line(&format!(
                "<path class=\"whisker\" d=\"M{from:.1} {at:.1}H{to:.1}M{from:.1} {0:.1}v6M{to:.1} {0:.1}v6\"/>",
                at - 3.0
            ));
        }
        canvas.label(to.max(end) + 7.0, at + 4.5, "tick", &number(estimate.value));
    }
}

/// Squares beside the names of the bars, in the grey that stands for any colour.
fn legend(canvas: &mut Canvas, bars: &Bars) {
    let mut at = LEFT;
    for (place, key) in bars.keys.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
        let pale = paleness(place);
        canvas.line(&format!(
            "<rect class=\"bar{pale} n9\" x=\"{at}\" y=\"{}\" width=\"13\" height=\"13\"/>",
            LEGEND - 7.0
        ));
        canvas.label(at + 20.0, LEGEND + 4.0, "key", key);
        at += 20.0 + escape(key).chars().count() as f64 * 6.6 + 22.0;
    }
}

/// Each bar of a row is paler than the one before.
const fn paleness(place: usize) -> &'static str {
    match place {
        0 => "",
        1 => " pale",
        _ => " paler",
    }
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 104.0;
/// Room for the number at the longest bar.
const RIGHT: f64 = 76.0;
const TOP: f64 = 66.0;
const BELOW: f64 = 52.0;
const LEGEND: f64 = 50.0;
/// From one bar of a row to the next.
const BAR: f64 = 19.0;
/// Between two rows.
const GAP: f64 = 11.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::statistics::mean_estimate;

    #[test]
    fn every_bar_bears_its_number_and_what_was_not_run_says_so() {
        let row = |label: &str, values: &[f64]| Row {
            label: label.into(),
            tone: Tone::Nth(2),
            bars: vec![mean_estimate(values), None],
        };
        let bars = Bars {
            name: "test",
            title: "A & B".into(),
            axis: Axis::log("messages", 0.1, 1_000.0),
            keys: vec!["all", "some"],
            rows: vec![row("central", &[2.0]), row("can", &[90.0, 110.0]), row("none", &[0.0])],
        };
        let drawing = draw(&bars);
        assert!(drawing.contains(">2</text>") && drawing.contains(">100</text>") && drawing.contains(">0</text>"));
        assert!(drawing.contains("width=\"0.0\""), "nothing has no length: {drawing}");
        assert_eq!(drawing.matches("not run").count(), 3);
        assert_eq!(drawing.matches("whisker\" d").count(), 1, "only two trials have an interval");
        assert!(drawing.contains("A &amp; B") && drawing.trim_end().ends_with("</svg>"));
    }
}
