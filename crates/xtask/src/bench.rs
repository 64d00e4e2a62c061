use crate::Result;
use crate::metadata::Metadata;
use crate::servers::Programs;
use crate::workspace::{self, Workspace};

/// Runs the benchmarks, which write their report to `target/bench`.
///
/// They start servers of their own: a Redis, and a Postgres that waits for the disk.
pub(crate) fn run(workspace: &Workspace, options: &[String]) -> Result<bool> {
    let programs = Programs::find(Metadata::read(workspace)?.target_directory())?;
    let workspace = workspace.with(&[programs.variable(), programs.redis()?]);
    let mut benches = workspace.cargo(["run", "--release", "--package", "keyward-benches", "--"]);
    benches.args(options);
    Ok(workspace::status(&mut benches)?.success())
}
