mod compilers;
mod features;
mod sources;

use crate::metadata::Metadata;
use crate::tally::{Counts, Tally};
use crate::workspace::{self, Workspace};
use crate::{Result, tools};

/// Everything that can be known without running the product, the quickest first.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let metadata = Metadata::read(workspace)?;
    let mut tally = Tally::default();
    tally.step("format", || cargo(workspace, "fmt --all --check"));
    tally.step("sources", || sources::check(workspace));
    tally.step("compilers", || compilers::check(&metadata));
    tally.step("dependencies", || {
        tools::DENY.ensure(workspace)?;
        // Advisories are left out: their database is not on every network that this runs on.
        cargo(
            workspace,
            "deny --config .deny.toml check bans licenses sources",
        )
    });
    tally.step("lints", || {
        cargo(
            workspace,
            "clippy --workspace --all-targets --all-features --locked -- -D warnings",
        )
    });
    features::check(workspace, &metadata, &mut tally);
    tally.step("documentation", || documentation(workspace));
    Ok(tally.finish())
}

fn cargo(workspace: &Workspace, command: &str) -> Result<Counts> {
    workspace::succeed(&mut workspace.cargo(command.split(' ')))?;
    Ok(Counts::ONE)
}

fn documentation(workspace: &Workspace) -> Result<Counts> {
    let mut doc = workspace.cargo([
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--locked",
    ]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    workspace::succeed(&mut doc)?;
    Ok(Counts::ONE)
}
