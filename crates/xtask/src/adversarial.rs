use crate::Result;
use crate::workspace::{self, Workspace};

/// Runs the adversarial cases alone.
///
/// The environment passes through, so that `ADVERSARIAL_CASES` can name another file of cases.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let mut runner = workspace.cargo([
        "run",
        "--quiet",
        "--package",
        "keyward-tests",
        "--bin",
        "adversarial",
    ]);
    Ok(workspace::status(&mut runner)?.success())
}
