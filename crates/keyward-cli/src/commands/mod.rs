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
    ///
    /// The key alone goes to standard output, so that it can be piped to where secrets are kept; what
    /// is known of it goes to standard error. With --json one object has both.
    Issue(Box<issue::Issue>),
    /// Lists keys, newest first
    List(list::List),
    /// Shows all that may be shown of a key
    Show(show::Show),
    /// Replaces a key by a new one, which is printed this one time
    ///
    /// The new key may do what the old one may. It goes to standard output, as from `keyward issue`.
    Rotate(rotate::Rotate),
    /// Revokes keys, for good
    ///
    /// While a key and the one that replaces it overlap, both are revoked, whichever is named. On a
    /// terminal it asks before.
    Revoke(revoke::Revoke),
    /// Refuses keys until they are resumed
    Suspend(change::Keys),
    /// Ends the suspension of keys
    Resume(change::Keys),
    /// Revokes every key that fits, for good
    ///
    /// A key fits if all that is asked for holds of it. Unlike `keyward revoke` this takes no key for
    /// the other half of a rotation.
    BulkRevoke(bulk_revoke::BulkRevoke),
    /// Takes over keys of another system by their hashes
    ///
    /// Whoever holds such a key goes on using it, once the service is built with the same system. An
    /// import that broke off is simply done again: keys that are there already are passed over.
    Import(import::Import),
    /// Shows who did what, when
    ///
    /// These are the last lines of the audit log, oldest first.
    Audit(audit::Audit),
    /// Looks for keys that need attention
    Report(report::Report),
    /// Says whether a key is good, and whose; the key is read from standard input
    ///
    /// It is no use of the key: nothing is written. The exit code is 3 where the key is not valid, and
    /// 4 where that cannot be found out.
    Verify(verify::Verify),
    /// Prints the rules by which secret scanners find keys of the formats
    ScannerRule(scanner_rule::ScannerRule),
    /// Looks for what is wrong with the database and the ways to it
    ///
    /// Nothing is changed. The exit code is 1 where something is wrong that a service does not start
    /// with; warnings alone leave it 0.
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
