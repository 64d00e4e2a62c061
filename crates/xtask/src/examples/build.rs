use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;

use serde_json::Value;

use crate::Result;
use crate::workspace::Workspace;

/// Builds examples as `cargo run --example NAME` does, and finds their programs.
///
/// With the default features, not with all: what is tried is what the README tells people to run.
/// One that does not build is left out, after cargo has said why.
pub(super) fn examples(
    workspace: &Workspace,
    names: &[&str],
) -> Result<BTreeMap<String, OsString>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut build = workspace.cargo(["build", "--locked", "--keep-going"]);
    build.arg("--message-format=json-render-diagnostics");
    build.args(names.iter().flat_map(|name| ["--example", name]));
    let output = build.stderr(Stdio::inherit()).output()?;
    Ok(programs(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads where cargo put the programs of examples.
fn programs(messages: &str) -> BTreeMap<String, OsString> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["kind"][0] == "example")
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?;
            let program = message["executable"].as_str()?;
            Some((name.to_owned(), program.into()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_examples_are_found() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"kind":["lib"],"name":"a"},"executable":null}
            {"reason":"compiler-artifact","target":{"kind":["bin"],"name":"b"},"executable":"/b"}
            {"reason":"compiler-artifact","target":{"kind":["example"],"name":"c"},"executable":"/c"}
            {"reason":"build-finished","success":true}
            not json"#;
        let found: Vec<_> = programs(messages).into_iter().collect();
        assert_eq!(found, [("c".to_owned(), OsString::from("/c"))]);
    }
}
