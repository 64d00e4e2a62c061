//! One file for each command.

mod audit;
mod bulk_revoke;
mod change;
mod doctor;
mod import;
mod init;
mod issue;
mod list;
mod report;
mod revoke;
mod rotate;
mod scanner_rule;
mod show;
mod verify;
mod which;

use clap::Subcommand;

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes the schema, or brings it up to date
    Init,
    /// Issues a key, and prints it this one time
    Issue(Box<issue::Issue>),
    /// Lists keys, newest first
    List(list::List),
    /// Shows all that may be shown of a key
    Show(show::Show),
    /// Replaces a key by a new one, which is printed this one time
    Rotate(rotate::Rotate),
    /// Revokes keys, for good
    Revoke(revoke::Revoke),
    /// Refuses keys until they are resumed
    Suspend(change::Keys),
    /// Ends the suspension of keys
    Resume(change::Keys),
    /// Revokes every key that fits, for good
    BulkRevoke(bulk_revoke::BulkRevoke),
    /// Takes over keys of another system by their hashes
    Import(import::Import),
    /// Shows who did what, when
    Audit(audit::Audit),
    /// Looks for keys that need attention
    Report(report::Report),
    /// Says whether a key is good, and whose; the key is read from standard input
    Verify(verify::Verify),
    /// Prints the rules by which secret scanners find keys of the formats
    ScannerRule(scanner_rule::ScannerRule),
    /// Looks for what is wrong with the database and the ways to it
    Doctor,
}

impl Command {
    pub(crate) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        match self {
            Self::Init => init::run(options, out).await,
            Self::Issue(issue) => issue.run(options, out).await,
            Self::List(list) => list.run(options, out).await,
            Self::Show(show) => show.run(options, out).await,
            Self::Rotate(rotate) => rotate.run(options, out).await,
            Self::Revoke(revoke) => revoke.run(options, out).await,
            Self::Suspend(keys) => keys.suspend(options, out).await,
            Self::Resume(keys) => keys.resume(options, out).await,
            Self::BulkRevoke(bulk) => bulk.run(options, out).await,
            Self::Import(import) => import.run(options, out).await,
            Self::Audit(audit) => audit.run(options, out).await,
            Self::Report(report) => report.run(options, out).await,
            Self::Verify(verify) => verify.run(options, out).await,
            Self::ScannerRule(rule) => rule.run(options, out),
            Self::Doctor => doctor::run(options, out).await,
        }
    }
}
