use super::{Case, Verdict};
pub(super) async fn run(_: &Case) -> Verdict {
    Verdict::Elsewhere
}
