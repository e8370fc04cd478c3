//! The ground of a drawing: the frame of one SVG file, its style, lines and labels. One file without scripts, fonts or outside parts.
//!
//! Colours are mid-tones on a transparent ground, and the ink follows the reader's scheme, so that a plot is legible on
//! white and on black. Published values are dashed in a warm tone wherever they stand beside ours.

use crate::lab::figure::Tone;

/// A drawing under way.
#[derive(Debug)]
pub(super) struct Canvas {
    text: String,
}

impl Canvas {
    /// An empty drawing of this size with its title.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut canvas = Self { text: String::new() };
        let shown = escape(title);
        canvas.line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{shown}\">"
        ));
        canvas.line(&format!("<style>\n{STYLE}{}{DARK}</style>", of_tones()));
        canvas.label(16.0, 27.0, "title", title);
        canvas
    }

    /// A text at its place.
    pub(super) fn label(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escape(text);
        self.line(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    /// One element.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The file.
    pub(super) fn close(mut self) -> String {
        self.line("</svg>");
        self.text
    }
}

/// The class of a tone.
pub(super) fn tone(tone: Tone) -> String {
    match tone {
        Tone::Ours => "ours".into(),
        Tone::Second => "second".into(),
        Tone::Third => "third".into(),
        Tone::Published => "published".into(),
        Tone::Nth(number) => format!("n{}", usize::from(number) % MANY.len()),
    }
}

/// A text as it stands in a file.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn of_tones() -> String {
    let few = [("ours", MANY[0]), ("second", MANY[3]), ("third", MANY[1]), ("published", MANY[4])];
    let few = few.map(|(name, colour)| (name.to_owned(), colour));
    let many = MANY.iter().enumerate().map(|(number, colour)| (format!("n{number}"), *colour));
    let rule = |(name, colour): (String, &str)| {
        format!(".line.{name}{{stroke:{colour}}}.band.{name},.dot.{name},.bar.{name}{{fill:{colour}}}\n")
    };
    few.into_iter().chain(many).map(rule).collect()
}

/// Colours that are told apart on white and on black.
const MANY: &[&str] =
    &["#2f7fd6", "#9a63c9", "#d64545", "#1f9d72", "#d9822b", "#d65a9e", "#7d8c1f", "#16a3b5", "#8d6e4a", "#6b7685"];
const STYLE: &str =
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px;fill:#4b5563}
.title{font-size:16px;font-weight:600;fill:#1f2937}.name{font-size:13px}.key{font-size:12.5px}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:#9ca3af;stroke-opacity:.28;fill:none}.axis{stroke:#9ca3af;fill:none}
.line{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:8 6;stroke-width:2}.faint{stroke-dasharray:2 5;stroke-width:1.7}
.band{stroke:none;fill-opacity:.17}.dot{stroke:none;fill-opacity:.8}
.bar{stroke:none}.pale{fill-opacity:.5}.paler{fill-opacity:.22}.whisker{stroke:#4b5563;stroke-width:1.3;fill:none}
";
const DARK: &str =
    "@media (prefers-color-scheme:dark){text{fill:#b6bdc8}.title{fill:#e5e7eb}.whisker{stroke:#b6bdc8}}\n";
