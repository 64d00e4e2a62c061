use super::{Case, Fixtures, Verdict};
pub(super) async fn run(_: &Case, _: &Fixtures) -> Verdict {
    Verdict::Elsewhere
}
