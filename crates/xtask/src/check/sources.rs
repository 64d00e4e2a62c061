use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::tally::Counts;
use crate::workspace::Workspace;

/// What no Rust file may hold: work left out, and tests that do not run.
///
/// Joined at compile time, so that this file does not hold them either.
const UNFINISHED: [&str; 4] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[", "ignore"),
    concat!("```", "ignore"),
];

/// The word that stands in `crates` only where a lint forbids it.
const UNCHECKED: &str = concat!("un", "safe");
const ITS_LINT: &str = concat!("un", "safe", "_code");

/// Looks for words that must not stand in the sources.
///
/// It walks the directories instead of asking git, so that an exported tree can be checked too.
pub(super) fn check(workspace: &Workspace) -> Result<Counts> {
    let root = workspace.root();
    let mut total = 0;
    for path in files(root)? {
        let place = path.strip_prefix(root).unwrap_or(&path);
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", place.display()))?;
        let found = findings(place, &text);
        for (line, word) in &found {
            println!("{}:{line}: {word}", place.display());
        }
        total += found.len();
    }
    match total {
        0 => Ok(Counts::ONE),
        _ => Err(format!("{total} words that must not stand there").into()),
    }
}

/// The lines of a file, counted from 1, that hold a word they must not.
fn findings(place: &Path, text: &str) -> Vec<(usize, &'static str)> {
    let rust = place.extension().is_some_and(|extension| extension == "rs");
    let ours = place.starts_with("crates");
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let unfinished = UNFINISHED
            .iter()
            .filter(|word| rust && line.contains(**word));
        found.extend(unfinished.map(|word| (number, *word)));
        if ours && line.contains(UNCHECKED) && !line.contains(ITS_LINT) {
            found.push((number, UNCHECKED));
        }
    }
    found
}

/// The Rust, manifest and prose files below a directory, without hidden and built ones.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut next = vec![directory.to_path_buf()];
    while let Some(directory) = next.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if entry.file_type()?.is_dir() {
                next.push(entry.path());
            } else if [".rs", ".toml", ".md"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_work_is_found_in_rust_files_anywhere() {
        for word in UNFINISHED {
            let text = format!("fn a() {{\n    {word}\n}}");
            assert_eq!(findings(Path::new("tests/a.rs"), &text), [(2, word)]);
            assert_eq!(findings(Path::new("docs/a.md"), &text), []);
        }
    }

    #[test]
    fn the_unchecked_word_is_found_in_crates_and_allowed_in_its_lint() {
        let text = format!("{UNCHECKED} {{}}\n#![forbid({ITS_LINT})]");
        assert_eq!(
            findings(Path::new("crates/a/src/lib.rs"), &text),
            [(1, UNCHECKED)]
        );
        assert_eq!(
            findings(Path::new("crates/a/README.md"), &text),
            [(1, UNCHECKED)]
        );
        assert_eq!(findings(Path::new("benches/src/main.rs"), &text), []);
    }

    #[test]
    fn the_walk_finds_this_file_and_nothing_built() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = files(package).unwrap();
        assert!(files.contains(&package.join("src/check/sources.rs")));
        assert!(files.contains(&package.join("Cargo.toml")));
    }
}
