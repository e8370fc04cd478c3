//! Draws a figure as SVG: axes, bands, series and their legend.

use std::fmt::Write;

use crate::lab::axis::{Layout, number};
use crate::lab::canvas::{Canvas, escape, tone};
use crate::lab::figure::{Figure, Series, Style};

/// The drawing, with a legend above.
pub fn draw(figure: &Figure) -> String {
    compose(figure, WIDTH - RIGHT, Drawing::legend)
}

/// The drawing of many curves, each with its name where it ends: a legend of nine is no help.
pub fn draw_named(figure: &Figure) -> String {
    compose(figure, WIDTH - NAMES, Drawing::names)
}

fn compose(figure: &Figure, right: f64, tell: impl FnOnce(&mut Drawing, &Figure, &Layout, &Layout)) -> String {
    let x = Layout::new(&figure.x, LEFT, right);
    let y = Layout::new(&figure.y, HEIGHT - BOTTOM, TOP);
    let mut drawing = Drawing { canvas: Canvas::new(WIDTH, HEIGHT, &figure.title), right };
    drawing.grid(figure, &x, &y);
    figure.series.iter().for_each(|series| drawing.band(series, &x, &y));
    figure.series.iter().for_each(|series| drawing.series(series, &x, &y));
    tell(&mut drawing, figure, &x, &y);
    drawing.canvas.close()
}

struct Drawing {
    canvas: Canvas,
    right: f64,
}

impl Drawing {
    fn grid(&mut self, figure: &Figure, x: &Layout, y: &Layout) {
        let (right, bottom) = (self.right, HEIGHT - BOTTOM);
        for tick in y.ticks() {
            let at = y.at(tick);
            self.canvas.line(&format!("<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>"));
            self.canvas.label(LEFT - 8.0, at + 4.0, "tick end", &number(tick));
        }
        for tick in x.ticks() {
            let at = x.at(tick);
            self.canvas.line(&format!("<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>"));
            self.canvas.label(at, bottom + 18.0, "tick mid", &number(tick));
        }
        self.canvas.line(&format!("<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>"));
        self.canvas.label(f64::midpoint(LEFT, right), HEIGHT - 10.0, "name mid", figure.x.label);
        let middle = f64::midpoint(TOP, bottom);
        let label = escape(figure.y.label);
        self.canvas.line(&format!(
            "<text class=\"name mid\" transform=\"translate(16 {middle:.1}) rotate(-90)\">{label}</text>"
        ));
    }

    fn band(&mut self, series: &Series, x: &Layout, y: &Layout) {
        if series.band.len() < 2 {
            return;
        }
        let above = series.band.iter().map(|(at, _, high)| (*at, *high));
        let below = series.band.iter().rev().map(|(at, low, _)| (*at, *low));
        let points: Vec<(f64, f64)> = above.chain(below).collect();
        let tone = tone(series.tone);
        self.canvas.line(&format!("<path class=\"band {tone}\" d=\"{}Z\"/>", path(&points, x, y)));
    }

    fn series(&mut self, series: &Series, x: &Layout, y: &Layout) {
        if series.style != Style::Dots {
            let path = path(&series.points, x, y);
            let (tone, style) = (tone(series.tone), style(series.style));
            self.canvas.line(&format!("<path class=\"line {style} {tone}\" d=\"{path}\"/>"));
        }
        if series.style == Style::Dots || series.marked {
            self.dots(series, x, y);
        }
    }

    fn dots(&mut self, series: &Series, x: &Layout, y: &Layout) {
        let tone = tone(series.tone);
        for (at, value) in series.points.iter().filter(|(at, value)| x.holds(*at) && y.holds(*value)) {
            let (cx, cy) = (x.at(*at), y.at(*value));
            self.canvas.line(&format!("<circle class=\"dot {tone}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3\"/>"));
        }
    }

    /// Under the title, in as many rows as it takes; series without a label are not in it.
    fn legend(&mut self, figure: &Figure, _: &Layout, _: &Layout) {
        let (mut at, mut row) = (LEFT, first_row(figure));
        for series in figure.series.iter().filter(|series| !series.label.is_empty()) {
            let width = key_width(series);
            if at > LEFT && at + width > WIDTH {
                (at, row) = (LEFT, row + ROW);
            }
            self.key(series, at, row);
            at += width;
        }
    }

    /// Beside the ends of the curves, from top to bottom as they end, none upon another.
    fn names(&mut self, figure: &Figure, x: &Layout, y: &Layout) {
        let end = |series: &Series| series.points.last().map(|(at, value)| (x.at(*at), y.at(*value)));
        let named = figure.series.iter().filter(|series| !series.label.is_empty());
        let mut ends: Vec<(&Series, (f64, f64))> = named.filter_map(|series| Some((series, end(series)?))).collect();
        ends.sort_by(|(_, one), (_, other)| one.1.total_cmp(&other.1));
        // Never below the ground: the lowest first, each above the one below it; then down again as far as there is room.
        let mut rows: Vec<f64> = Vec::new();
        let mut free = HEIGHT - BOTTOM;
        for (_, (_, height)) in ends.iter().rev() {
            let row = height.min(free);
            rows.push(row);
            free = row - NAME;
        }
        rows.reverse();
        let mut least = TOP - NAME;
        for ((series, (from, height)), row) in ends.into_iter().zip(rows) {
            let row = row.max(least);
            least = row + NAME;
            let (tone, to) = (tone(series.tone), self.right + 16.0);
            self.canvas.line(&format!(
                "<path class=\"line {tone}\" style=\"stroke-width:1\" d=\"M{from:.1} {height:.1}L{to:.1} {row:.1}\"/>"
            ));
            self.canvas.label(self.right + 20.0, row + 4.0, "key", &series.label);
        }
    }

    fn key(&mut self, series: &Series, at: f64, row: f64) {
        let (tone, style) = (tone(series.tone), style(series.style));
        if series.style == Style::Dots {
            let middle = at + 13.0;
            self.canvas.line(&format!("<circle class=\"dot {tone}\" cx=\"{middle}\" cy=\"{row}\" r=\"3.5\"/>"));
        } else {
            if !series.band.is_empty() {
                let top = row - 6.0;
                self.canvas
                    .line(&format!("<rect class=\"band {tone}\" x=\"{at}\" y=\"{top}\" width=\"26\" height=\"12\"/>"));
            }
            self.canvas.line(&format!("<path class=\"line {style} {tone}\" d=\"M{at} {row}h26\"/>"));
        }
        self.canvas.label(at + 33.0, row + 4.0, "key", &series.label);
    }
}

/// Where the legend's first row lies: higher if there are two.
fn first_row(figure: &Figure) -> f64 {
    let labelled = figure.series.iter().filter(|series| !series.label.is_empty());
    let width: f64 = labelled.map(key_width).sum();
    if LEFT + width > WIDTH { LEGEND - 7.0 } else { LEGEND }
}

fn key_width(series: &Series) -> f64 {
    33.0 + series.label.chars().count() as f64 * KEY_CHARACTER + 22.0
}

fn path(points: &[(f64, f64)], x: &Layout, y: &Layout) -> String {
    let mut path = String::new();
    for (number, (at, value)) in points.iter().enumerate() {
        let command = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", x.at(*at), y.at(*value));
    }
    path
}

const fn style(style: Style) -> &'static str {
    match style {
        Style::Line | Style::Dots => "solid",
        Style::Dashed => "dashed",
        Style::Faint => "faint",
    }
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 30.0;
/// Room for the names of curves.
const NAMES: f64 = 104.0;
/// From one of them to the next.
const NAME: f64 = 15.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 58.0;
/// Where the legend's row lies.
const LEGEND: f64 = 52.0;
/// From one row of it to the next.
const ROW: f64 = 17.0;
/// About how wide a character of the legend is.
const KEY_CHARACTER: f64 = 6.4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::figure::{Axis, Tone};

    #[test]
    fn a_drawing_holds_every_series_escaped_and_within_its_frame() {
        let points = vec![(0.0, 1.0), (5.0, 100.0), (10.0, 9_999.0)];
        let series = |label: &str, style| Series::new(label, Tone::Ours, style, points.clone());
        let figure = Figure {
            name: "test",
            title: "Less < more & \"so on\"".into(),
            x: Axis::linear("time", 0.0, 10.0),
            y: Axis::log("nodes", 1.0, 500.0),
            series: vec![series("a line", Style::Line).between(&points, &points), series("dots", Style::Dots)],
        };
        let drawing = draw(&figure);
        assert!(drawing.contains("Less &lt; more &amp; &quot;so on&quot;"));
        assert_eq!(drawing.matches("<circle").count(), 3, "two dots on the axes, one in the legend");
        assert!(drawing.contains(&format!("L730.0 {TOP:.1}")), "what lies beyond is drawn at the edge: {drawing}");
        assert!(drawing.trim_end().ends_with("</svg>"));
    }
}
