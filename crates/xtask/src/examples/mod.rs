mod build;
mod curl;
mod program;
mod server;
mod session;
mod table;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use self::table::{EXAMPLES, Example, Shows};
use crate::Result;
use crate::metadata::Metadata;
use crate::servers::Servers;
use crate::tally::{Counts, Tally};
use crate::workspace::Workspace;

/// Starts the examples and asks them what their users would ask; with names, only those.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<bool> {
    let metadata = Metadata::read(workspace)?;
    let mut tally = Tally::default();
    let needed = EXAMPLES
        .iter()
        .any(|example| example.database && is_wanted(example.name, names));
    let servers = match needed {
        true => Servers::step(metadata.target_directory(), &mut tally),
        false => None,
    };
    steps(workspace, &metadata, names, servers.as_ref(), &mut tally)?;
    Ok(tally.finish())
}

/// The same, as steps of a longer run.
pub(crate) fn steps(
    workspace: &Workspace,
    metadata: &Metadata,
    names: &[String],
    servers: Option<&Servers>,
    tally: &mut Tally,
) -> Result<()> {
    let known: BTreeSet<&str> = EXAMPLES.iter().map(|example| example.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
        return Err(format!("no such example: {unknown}").into());
    }
    let wanted = |name: &str| is_wanted(name, names);
    let existing: BTreeSet<&str> = metadata
        .members()
        .flat_map(|member| member.examples.iter().map(String::as_str))
        .collect();
    for unlisted in existing.difference(&known).filter(|_| names.is_empty()) {
        tally.step(&format!("example {unlisted}"), || {
            Err("it is not in the table of examples in xtask, so nothing tries it".into())
        });
    }

    let to_build: Vec<&str> = known
        .intersection(&existing)
        .copied()
        .filter(|name| wanted(name))
        .collect();
    let built = build::examples(workspace, &to_build)?;
    for example in EXAMPLES.iter().filter(|example| wanted(example.name)) {
        tally.step(&format!("example {}", example.name), || {
            if !existing.contains(example.name) {
                return Err("the workspace has no such example".into());
            }
            let program = built.get(example.name).ok_or("it does not build")?;
            show(example, program, workspace.root(), servers)
        });
    }
    Ok(())
}

fn is_wanted(name: &str, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|chosen| chosen == name)
}

/// Shows one, with a database of its own when it needs one.
fn show(
    example: &Example,
    program: &OsString,
    root: &Path,
    servers: Option<&Servers>,
) -> Result<Counts> {
    let port = free_port()?;
    let mut variables = vec![("PORT", port.to_string())];
    let database = match (example.database, servers) {
        (false, _) => None,
        (true, Some(servers)) => Some(servers.database(example.name)?),
        (true, None) => return Err("it needs a Postgres, and there is none".into()),
    };
    variables.extend(
        database
            .as_ref()
            .map(|database| ("DATABASE_URL", database.url().to_owned())),
    );
    match example.shows {
        Shows::Answers(requests) => server::answers(program, root, port, &variables, requests),
        Shows::Session(statuses) => session::answers(program, root, port, &variables, statuses),
        Shows::Prints(words) => program::prints(program, root, &variables, words),
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
