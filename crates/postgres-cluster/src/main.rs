//! A throwaway Postgres for a person: prints its URL, and is gone when standard input ends or this
//! process does.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::io::Read;

use postgres_cluster::{Cluster, Result};

fn main() -> Result<()> {
    let cluster = Cluster::options().start()?;
    println!("{}", cluster.url());
    // An input that cannot be read has ended too.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    drop(cluster);
    Ok(())
}
