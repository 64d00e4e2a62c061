//! The report, once for people and once for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::machine;
use crate::rows::Row;

/// Writes `report.md` and `report.json` into `folder`; the former is returned.
///
/// # Errors
/// When a figure is not a number, or the folder can not be written.
pub(crate) fn write(folder: &Path, rows: &[Row], notes: &[String]) -> Result<String> {
    if let Some(row) = rows
        .iter()
        .find(|row| !(row.min + row.median + row.ratio).is_finite())
    {
        return Err(format!("{}: no figure came of it", row.name).into());
    }
    let text = markdown(rows, notes)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("report.md"), &text)?;
    fs::write(
        folder.join("report.json"),
        serde_json::to_string_pretty(rows)? + "\n",
    )?;
    Ok(text)
}

fn markdown(rows: &[Row], notes: &[String]) -> Result<String> {
    let mut text = String::from("# What a request costs\n\n");
    for (name, value) in machine::facts() {
        writeln!(text, "- {name}: {value}")?;
    }
    for note in notes {
        writeln!(text, "\n{note}")?;
    }
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = row.section;
            writeln!(text, "\n## {section}\n")?;
            writeln!(text, "| what | unit | min | median | ratio | to |")?;
            writeln!(text, "|---|---|---:|---:|---:|---|")?;
        }
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.2} | {} |",
            row.name,
            row.unit,
            figure(row.min),
            figure(row.median),
            row.ratio,
            row.ratio_to
        )?;
    }
    Ok(text)
}

/// Three digits are more than the machine is good for.
fn figure(value: f64) -> String {
    if value.abs() < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}
