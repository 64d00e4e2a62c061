use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use crate::{Error, Result};

/// Below the ports that systems hand out by themselves, so that none of those is ours by chance
/// while a server is down.
const PORTS: Range<u16> = 20_000..30_000;

/// A TCP port of 127.0.0.1 that is free, and that the system gives to nobody who does not name it.
///
/// # Errors
///
/// When a hundred of them are taken.
pub fn free_port() -> Result<u16> {
    (0..100)
        .map(|_| random_port())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| Error::new(format!("no free port between {PORTS:?} found")))
}

fn random_port() -> u16 {
    let span = u64::from(PORTS.end - PORTS.start);
    // The remainder is below the span, and that is a u16.
    PORTS.start + (random() % span) as u16
}

/// The standard library's own source of randomness: the keys of its maps.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
