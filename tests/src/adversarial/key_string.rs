//! Text that is read as a key, by the parser alone and by a verifier.

use keyward_store::Clock;

use super::fixtures::format;
use super::rows::Rows;
use super::{Case, Fixtures, Verdict, judge};

/// Parses the input, and verifies it against the store of the fixtures.
pub(super) async fn run(case: &Case, fixtures: &Fixtures) -> Verdict {
    let parses = match case.expect.as_deref() {
        Some("ok" | "ok-syntax") => true,
        Some("reject") => false,
        _ => return Verdict::Elsewhere,
    };
    match &case.input {
        // "generate: ..." tells how to make an input too long to be written out.
        Some(input) if !input.starts_with("generate") => {
            judged(case, input, parses, fixtures).await.into()
        }
        _ => Verdict::Elsewhere,
    }
}

async fn judged(case: &Case, input: &str, parses: bool, fixtures: &Fixtures) -> Result<(), String> {
    let format = format().map_err(|error| error.to_string())?;
    let parsed = format.parse(input.as_bytes()).is_some();
    if parsed != parses {
        let said = |parsed| if parsed { "parsed" } else { "rejected" };
        return Err(format!("{}, expected {}", said(parsed), said(parses)));
    }
    if case.statuses().is_empty() {
        return Ok(());
    }
    let verifier = Rows::new(fixtures.rows()?)
        .verifier(Clock::system())
        .await?;
    let status = match verifier.verify(input.as_bytes()).await {
        Ok(_) => 200,
        Err(denied) => denied.kind().status(),
    };
    judge::same_status(case, status)
}
