use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::Result;

/// The checkout that the commands work on, and the cargo that runs them.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
    cargo: OsString,
    variables: Vec<(&'static str, String)>,
}

impl Workspace {
    /// The workspace that this program was started from.
    pub(crate) fn find() -> Result<Self> {
        let (Some(package), Some(cargo)) = (
            std::env::var_os("CARGO_MANIFEST_DIR"),
            std::env::var_os("CARGO"),
        ) else {
            return Err("started without cargo; run it as `cargo xtask`".into());
        };
        let root = Path::new(&package)
            .ancestors()
            .nth(2)
            .ok_or("the package of xtask is not at crates/xtask")?
            .to_path_buf();
        Ok(Self {
            root,
            cargo,
            variables: Vec::new(),
        })
    }

    /// The same, with these variables added to the environment of every cargo command.
    pub(crate) fn with(&self, variables: &[(&'static str, String)]) -> Self {
        let mut with = self.clone();
        with.variables.extend_from_slice(variables);
        with
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command at the root. Every command that builds or tests starts here.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(arguments).current_dir(&self.root);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Runs a command with its output shown, and fails when it does.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{}: {status}", shown(command)).into())
}

/// Runs a command with its output shown.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command
        .status()
        .map_err(|error| format!("cannot run {}: {error}", shown(command)).into())
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy(),
    ];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    words.join(" ")
}
