use crate::Result;
use crate::workspace::{self, Workspace};

/// Runs the benchmarks, which write their report to `target/bench`.
pub(crate) fn run(workspace: &Workspace, options: &[String]) -> Result<bool> {
    let mut benches = workspace.cargo(["run", "--release", "--package", "keyward-benches", "--"]);
    benches.args(options);
    Ok(workspace::status(&mut benches)?.success())
}
