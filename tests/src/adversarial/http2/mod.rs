//! Requests written frame by frame to an HTTP/2 server.
//!
//! A library refuses to send what these cases send, so the frames are made here.

mod client;
mod frame;

use super::server::Server;
use super::{Case, Fixtures, Verdict, judge};
use client::Request;

/// Puts the case to a server of its own, whose cache is cold.
pub(super) async fn run(case: &Case, fixtures: &Fixtures) -> Verdict {
    let Some(fields) = &case.fields else {
        return Verdict::Elsewhere;
    };
    let server = match Server::start(fixtures).await {
        Ok(server) => server,
        Err(error) => return Verdict::Failed(format!("no server: {error}")),
    };
    match client::exchange(server.address(), &Request::new(fields)).await {
        Ok(outcome) => judge::served(case, &outcome, server.lookups(), fixtures).into(),
        Err(error) => Verdict::Failed(format!("no whole exchange: {}", error.kind())),
    }
}
