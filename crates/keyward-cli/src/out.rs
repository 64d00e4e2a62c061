use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::failure::Failure;

/// Where results go, and what is said beside them.
#[derive(Debug)]
pub(crate) struct Out {
    /// For programs: objects, one on a line.
    pub(crate) json: bool,
    result: io::Stdout,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        let result = io::stdout();
        Self { json, result }
    }

    /// A line of the result.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.result, "{text}")?;
        self.result.flush()
    }

    /// An object of the result, for programs.
    pub(crate) fn object(&mut self, value: &Value) -> io::Result<()> {
        let text = escaped(&value.to_string());
        self.line(&text)
    }

    /// A table of the result, for people. Columns that are `soft` are wrapped where the terminal is too
    /// narrow; the others hold what is copied.
    pub(crate) fn table(
        &mut self,
        header: &[&str],
        soft: &[usize],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> io::Result<()> {
        let text = table(header, soft, rows, self.columns());
        self.line(&text)
    }

    /// How wide the terminal is that results go to; `None` where they go elsewhere.
    pub(crate) fn columns(&self) -> Option<usize> {
        columns(&console::Term::stdout())
    }

    /// Something that is said to people beside the result.
    pub(crate) fn note(&self, text: &str) {
        // Whoever does not listen misses it.
        let _unheard = writeln!(io::stderr(), "{}", shown_lines(text));
    }

    /// The same, unless a program asks.
    pub(crate) fn remark(&self, text: &str) {
        if !self.json {
            self.note(text);
        }
    }

    /// A table that is said beside the result.
    pub(crate) fn note_table(
        &self,
        header: &[&str],
        soft: &[usize],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) {
        let width = columns(&console::Term::stderr());
        self.note(&table(header, soft, rows, width));
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.is_news() {
            self.note(&format!("keyward: {}", shown(&failure.told())));
        }
    }

    /// Whether someone sits before it who can be asked.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal()
    }
}

/// What was not written of a change that was made. It keeps nothing else from being done.
#[derive(Debug, Default)]
pub(crate) struct Unwritten(Option<io::Error>);

impl Unwritten {
    /// Keeps the first error.
    pub(crate) fn keep(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.0.get_or_insert(error);
        }
    }

    /// What has come of it all: a failure to do it before one to say so.
    pub(crate) fn after(self, done: Result<(), Failure>) -> Result<(), Failure> {
        done?;
        self.0.map_or(Ok(()), |error| Err(Failure::Untold(error)))
    }
}

fn columns(terminal: &console::Term) -> Option<usize> {
    terminal.size_checked().map(|(_, columns)| columns.into())
}

/// Columns without lines between them; as wide as they are where nobody looks at it, and where a
/// terminal has no room for what is not to be wrapped.
fn table(
    header: &[&str],
    soft: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
    width: Option<usize>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.iter().map(Cell::new));
    }
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(shown(text))));
    }
    let mut firm = 0;
    let widths = table.column_max_content_widths();
    for (place, (column, width)) in table.column_iter_mut().zip(widths).enumerate() {
        column.set_padding((0, GAP));
        if !soft.contains(&place) {
            column.set_constraint(ColumnConstraint::ContentWidth);
            firm += usize::from(width) + usize::from(GAP);
        }
    }
    let room = width.filter(|width| *width >= firm + soft.len() * LEAST);
    if let Some(Ok(room)) = room.map(u16::try_from) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(room);
    }
    table.trim_fmt()
}

const GAP: u16 = 2;
/// What is narrower cannot be read.
const LEAST: usize = 8;

/// Text that others wrote, so that a terminal shows it and does nothing else: what would move the
/// cursor, change colours or turn the order of letters round is spelled out.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn shown_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(shown).collect();
    lines.join("\n")
}

/// JSON in which such characters, which can stand in strings alone, are escaped.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_active(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Control characters, and those that govern the direction of text or cannot be seen.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(shown("ci \u{1b}[2Jé"), "ci \\u{1b}[2Jé");
        assert_eq!(shown("a\nb\u{9b}c\u{202e}d"), "a\\u{a}b\\u{9b}c\\u{202e}d");
    }

    #[test]
    fn json_says_the_same_with_such_characters_escaped() {
        let value = Value::from("a\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041}\n\"é");
        let text = escaped(&value.to_string());
        assert!(!text.chars().any(is_active), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    fn rows() -> Vec<Vec<String>> {
        vec![vec!["x\u{7}".to_owned(), "some words".to_owned()]]
    }

    #[test]
    fn tables_keep_their_columns() {
        let text = table(&["A", "B"], &[1], rows(), None);
        assert_eq!(text, "A       B\nx\\u{7}  some words");
    }

    #[test]
    fn narrow_terminals_wrap_what_is_soft() {
        let text = table(&["A", "B"], &[1], rows(), Some(16));
        assert_eq!(text, "A       B\nx\\u{7}  some\n        words");
        // There is no room for the rest.
        assert_eq!(table(&["A", "B"], &[1], rows(), Some(9)).lines().count(), 2);
    }
}
