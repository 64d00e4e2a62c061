//! `keyward`, the operator's command line: keys in Postgres, issued, looked at, rotated, revoked and
//! imported from a terminal or a script.
//!
//! ```console
//! $ export DATABASE_URL=postgres://keyward@db.internal/app KEYWARD_FORMATS=acme_live
//! $ keyward init
//! $ keyward issue ci --tenant acme-inc --scope orders:read --expires-in 90d
//! $ keyward list --tenant acme-inc
//! $ keyward revoke 019aa8f0-3c1e-7bb2-9f52-0d3c5f3c8a11 --everywhere
//! $ keyward doctor
//! ```
//!
//! # Where the database is
//! In `DATABASE_URL`, or in the file that `--database-url-file` names; never in an argument, which
//! everyone on the machine can read. Where that leads to a pooler, `KEYWARD_DIRECT_URL` has the direct
//! address. The connection has no TLS of its own: to a database that asks for it, go through a proxy or a
//! tunnel that ends on this machine.
//!
//! # How keys are spelled
//! `--format`, or `KEYWARD_FORMATS` with commas between them: what the service is built with, the format
//! of new keys first.
//!
//! | spelling | keys |
//! |---|---|
//! | `acme_live` | `KeyFormat::new("acme_live")`: that prefix, a public id, a secret and a checksum |
//! | `acme_live_<id>_<secret:24><checksum>` | the same, spelled out |
//! | `kat_live_<id:11>.<secret:32>` | eleven characters of id, a dot, 32 of secret, no checksum |
//! | `ctza_<hex:40>` | no id, a secret of 40 hexadecimal digits |
//! | `sk_live_<hex:64>@12` | the same with 64, of which lists show the first twelve characters |
//!
//! Peppers are named by `--pepper NAME=FILE`, or in `KEYWARD_PEPPERS`, the current one first. Keys of
//! other systems are named by `--foreign`; `keyward import --help` has their spellings.
//!
//! # Exit codes
//! | code | when |
//! |---|---|
//! | 0 | it is done |
//! | 1 | something is wrong with some of it: bad lines of an import, findings of `doctor`, output of a change that could not be written |
//! | 2 | it was asked for in a way that makes no sense |
//! | 3 | it cannot be: no such key, a key that is not valid, something that is not done to such a key |
//! | 4 | the database cannot be reached, or cannot be used as it is |

mod ask;
mod commands;
mod failure;
mod foreign_spec;
mod format_spec;
mod key;
mod named;
mod options;
mod out;
mod service;
mod time;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;
use crate::options::Options;
use crate::out::Out;

/// API keys in Postgres: issues, lists, rotates, revokes and imports them, and finds what is wrong.
#[derive(Debug, Parser)]
#[command(name = "keyward", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
Environment:
  DATABASE_URL         where the keys are: postgres://user:password@host/database
                       (no TLS: go through a local proxy to a database that asks for it)
  KEYWARD_DIRECT_URL   the same without the pooler, where DATABASE_URL leads to one
  KEYWARD_FORMATS      the formats of keys, as --format, with commas between them
  KEYWARD_PEPPERS      the peppers, as --pepper, with commas between them
  KEYWARD_FOREIGN      the keys of other systems, as --foreign, with commas between them

Exit codes:
  0  it is done
  1  something is wrong with some of it: bad lines of an import, findings of doctor,
     output of a change that could not be written
  2  it was asked for in a way that makes no sense
  3  it cannot be: no such key, a key that is not valid, not done to such a key
  4  the database cannot be reached, or cannot be used as it is";

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| usage::without_secrets(error).exit());
    let mut out = Out::new(cli.options.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(cli.command.run(&cli.options, &mut out)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}
