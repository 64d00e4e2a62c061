//! Starts, breaks and removes a Postgres cluster, with nothing but the standard library.
//!
//! Two use it: xtask, which must be quick to build and starts one cluster for a whole run, and
//! `keyward-throwaway`, which gives it to tests. `redis-server` shares its directories, ports and signals.
//! Every call blocks.
//!
//! Nothing is left behind: when the process ends in any way, even killed, a shell that waits
//! stops the servers and deletes their directory.
#![cfg(unix)]

mod binaries;
mod cluster;
mod directory;
mod error;
mod faults;
mod pgbouncer;
mod port;
mod processes;
mod program;
mod standby;
pub mod url;
mod user;

pub use binaries::{Binaries, POSTGRES_BIN};
pub use cluster::{Cluster, Options, tail};
pub use directory::Directory;
pub use error::{Error, Result};
pub use pgbouncer::{PGBOUNCER, PgBouncer, PoolMode, find_pgbouncer, try_pgbouncer};
pub use port::free_port;
pub use processes::signal;
pub use program::{find_program, search_path, try_program};
pub use user::servers_may_enter;
