//! Inputs that have broken systems like ours, each with the answer it must get.
//!
//! A [`Suite`] is read from JSON, [`run`] puts each case to the real thing (a server on a socket,
//! the key parser, the verifier) and the [`Report`] says which answers were wrong. Nothing here
//! looks at a case's name: the fields decide. A case whose input is told in words, or whose kind
//! is not run here, belongs to a test of its own and is reported as elsewhere: [`places`] says where.

mod answer;
mod cases;
mod challenge;
mod expiry;
mod fixtures;
mod hex;
mod http1;
mod http2;
mod instant;
mod issued;
mod judge;
mod key_string;
pub mod places;
mod report;
mod rows;
mod scope;
mod server;

use std::sync::Arc;
use std::time::Duration;

pub use cases::{Case, Suite, SuiteError};
pub use fixtures::{Fixtures, format};
pub use report::{Report, Verdict};

/// Puts every case of the suite to the code under test, one after the other.
pub async fn run(suite: &Suite) -> Report {
    let fixtures = Arc::new(suite.fixtures.clone());
    let mut report = Report::default();
    for case in &suite.cases {
        let verdict = match case {
            Ok(case) => guarded(case.clone(), Arc::clone(&fixtures)).await,
            Err(malformed) => Verdict::Failed(malformed.reason.clone()),
        };
        let name = match case {
            Ok(case) => &case.name,
            Err(malformed) => &malformed.name,
        };
        report.record(name, verdict);
    }
    report
}

/// Runs one case in a task of its own, so that a panic or a hang fails that case alone.
async fn guarded(case: Case, fixtures: Arc<Fixtures>) -> Verdict {
    let task = tokio::spawn(async move { one(&case, &fixtures).await });
    let abort = task.abort_handle();
    match tokio::time::timeout(CASE_LIMIT, task).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(_)) => Verdict::Failed("it panicked".to_owned()),
        Err(_) => {
            abort.abort();
            Verdict::Failed(format!("no verdict within {} s", CASE_LIMIT.as_secs()))
        }
    }
}

async fn one(case: &Case, fixtures: &Fixtures) -> Verdict {
    match case.kind.as_str() {
        "http1_header" | "http1_request" => http1::run(case, fixtures).await,
        "http2" => http2::run(case, fixtures).await,
        "key_string" => key_string::run(case, fixtures).await,
        "scope" => scope::run(case).await,
        "expiry" => expiry::run(case).await,
        _ => Verdict::Elsewhere,
    }
}

/// Far above what any case needs, so that only a real hang is reported as one.
const CASE_LIMIT: Duration = Duration::from_secs(60);
