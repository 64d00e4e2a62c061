use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, ContentArrangement, Table, presets};
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

    /// A table of the result, for people.
    pub(crate) fn table(
        &mut self,
        header: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> io::Result<()> {
        let width = console::Term::stdout().size_checked();
        let text = table(header, rows, width.map(|(_, columns)| columns));
        self.line(&text)
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
    pub(crate) fn note_table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let width = console::Term::stderr().size_checked();
        self.note(&table(header, rows, width.map(|(_, columns)| columns)));
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

/// Columns without lines between them; as wide as they are where nobody looks at it.
fn table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    if !header.is_empty() {
        table.set_header(header.iter().map(Cell::new));
    }
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(shown(text))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

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

    #[test]
    fn tables_keep_their_columns() {
        let rows = vec![vec!["x\u{7}".to_owned(), "long".to_owned()]];
        let text = table(&["A", "B"], rows, None);
        assert_eq!(text, "A       B\nx\\u{7}  long");
    }
}
