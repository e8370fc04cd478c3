//! Draws a figure as SVG: one file without scripts, fonts or outside parts.
//!
//! Colours are mid-tones on a transparent ground, and the ink follows the reader's scheme, so that a plot is legible on
//! white and on black. Published values are dashed in a warm tone wherever they stand beside ours.

use std::fmt::Write;

use crate::lab::axis::{Layout, number};
use crate::lab::figure::{Figure, Series, Style, Tone};

/// The drawing.
pub fn draw(figure: &Figure) -> String {
    let x = Layout::new(&figure.x, LEFT, WIDTH - RIGHT);
    let y = Layout::new(&figure.y, HEIGHT - BOTTOM, TOP);
    let mut drawing = Drawing { text: String::new() };
    drawing.open(figure);
    drawing.grid(figure, &x, &y);
    figure.series.iter().for_each(|series| drawing.band(series, &x, &y));
    figure.series.iter().for_each(|series| drawing.series(series, &x, &y));
    drawing.legend(figure);
    drawing.text.push_str("</svg>\n");
    drawing.text
}

struct Drawing {
    text: String,
}

impl Drawing {
    fn open(&mut self, figure: &Figure) {
        let title = escape(&figure.title);
        self.line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
        ));
        self.line(STYLE);
        self.label(16.0, 27.0, "title", &figure.title);
    }

    fn grid(&mut self, figure: &Figure, x: &Layout, y: &Layout) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in y.ticks() {
            let at = y.at(tick);
            self.line(&format!("<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>"));
            self.label(LEFT - 8.0, at + 4.0, "tick end", &number(tick));
        }
        for tick in x.ticks() {
            let at = x.at(tick);
            self.line(&format!("<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>"));
            self.label(at, bottom + 18.0, "tick mid", &number(tick));
        }
        self.line(&format!("<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>"));
        self.label(f64::midpoint(LEFT, right), HEIGHT - 10.0, "name mid", figure.x.label);
        let middle = f64::midpoint(TOP, bottom);
        let label = escape(figure.y.label);
        self.line(&format!(
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
        self.line(&format!("<path class=\"band {tone}\" d=\"{}Z\"/>", path(&points, x, y)));
    }

    fn series(&mut self, series: &Series, x: &Layout, y: &Layout) {
        let (tone, style) = (tone(series.tone), style(series.style));
        if series.style == Style::Dots {
            for (at, value) in series.points.iter().filter(|(at, value)| x.holds(*at) && y.holds(*value)) {
                let (cx, cy) = (x.at(*at), y.at(*value));
                self.line(&format!("<circle class=\"dot {tone}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3\"/>"));
            }
        } else {
            let path = path(&series.points, x, y);
            self.line(&format!("<path class=\"line {style} {tone}\" d=\"{path}\"/>"));
        }
    }

    /// One row under the title; series without a label are not in it.
    fn legend(&mut self, figure: &Figure) {
        let mut at = LEFT;
        for series in figure.series.iter().filter(|series| !series.label.is_empty()) {
            let (tone, style) = (tone(series.tone), style(series.style));
            if series.style == Style::Dots {
                let middle = at + 13.0;
                self.line(&format!("<circle class=\"dot {tone}\" cx=\"{middle}\" cy=\"{LEGEND}\" r=\"3.5\"/>"));
            } else {
                if !series.band.is_empty() {
                    let top = LEGEND - 6.0;
                    self.line(&format!(
                        "<rect class=\"band {tone}\" x=\"{at}\" y=\"{top}\" width=\"26\" height=\"12\"/>"
                    ));
                }
                self.line(&format!("<path class=\"line {style} {tone}\" d=\"M{at} {LEGEND}h26\"/>"));
            }
            self.label(at + 33.0, LEGEND + 4.0, "key", &series.label);
            at += 33.0 + series.label.chars().count() as f64 * KEY_CHARACTER + 22.0;
        }
    }

    fn label(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escape(text);
        self.line(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

fn path(points: &[(f64, f64)], x: &Layout, y: &Layout) -> String {
    let mut path = String::new();
    for (number, (at, value)) in points.iter().enumerate() {
        let command = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", x.at(*at), y.at(*value));
    }
    path
}

const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Ours => "ours",
        Tone::Second => "second",
        Tone::Third => "third",
        Tone::Published => "published",
    }
}

const fn style(style: Style) -> &'static str {
    match style {
        Style::Line | Style::Dots => "solid",
        Style::Dashed => "dashed",
        Style::Faint => "faint",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 58.0;
/// Where the legend's row lies.
const LEGEND: f64 = 52.0;
/// About how wide a character of the legend is.
const KEY_CHARACTER: f64 = 6.4;
const STYLE: &str = "<style>
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px;fill:#4b5563}
.title{font-size:16px;font-weight:600;fill:#1f2937}.name{font-size:13px}.key{font-size:12.5px}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:#9ca3af;stroke-opacity:.28;fill:none}.axis{stroke:#9ca3af;fill:none}
.line{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:8 6;stroke-width:2}.faint{stroke-dasharray:2 5;stroke-width:1.7}
.band{stroke:none;fill-opacity:.17}.dot{stroke:none;fill-opacity:.8}
.line.ours{stroke:#2f7fd6}.band.ours,.dot.ours{fill:#2f7fd6}
.line.second{stroke:#1f9d72}.band.second,.dot.second{fill:#1f9d72}
.line.third{stroke:#9a63c9}.band.third,.dot.third{fill:#9a63c9}
.line.published{stroke:#d9822b}.band.published,.dot.published{fill:#d9822b}
@media (prefers-color-scheme:dark){text{fill:#b6bdc8}.title{fill:#e5e7eb}}
</style>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::figure::Axis;

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
