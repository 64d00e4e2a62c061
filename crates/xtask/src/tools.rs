use std::process::Stdio;

use crate::Result;
use crate::workspace::{self, Workspace};

/// A cargo subcommand that is not part of the toolchain.
#[derive(Debug)]
pub(crate) struct Tool {
    subcommand: &'static str,
    package: &'static str,
    /// Installed when none is there; any version that is there already is taken.
    version: &'static str,
}

pub(crate) const NEXTEST: Tool = Tool {
    subcommand: "nextest",
    package: "cargo-nextest",
    version: "0.9.151",
};

pub(crate) const DENY: Tool = Tool {
    subcommand: "deny",
    package: "cargo-deny",
    version: "0.20.2",
};

impl Tool {
    /// Installs the tool when it is missing.
    ///
    /// As a debug build, which takes a third of the time and is fast enough for its work.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Result<()> {
        let there = workspace
            .cargo([self.subcommand, "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if there.success() {
            return Ok(());
        }
        println!("{} is missing; installing it", self.package);
        workspace::succeed(&mut workspace.cargo([
            "install",
            "--locked",
            "--debug",
            self.package,
            "--version",
            self.version,
        ]))
    }
}
