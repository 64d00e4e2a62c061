mod grpc;
mod problem;

use http::Response;
use keyward_core::Denied;

pub use grpc::GrpcStatus;
pub use problem::ProblemJson;

/// Makes the answer to a refused request.
///
/// A closure `Fn(&Denied) -> Response<B>` does. What it tells the client is its own choice;
/// [`Denied::kind`] is made for that, [`Denied::reason`] is not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer with a `{B}`",
    note = "`ProblemJson` answers with bodies that can be made from `Bytes`",
    note = "tonic's cannot: give `ApiKeyLayer` and `RequireScopes` an `.on_reject(GrpcStatus::new())`"
)]
pub trait Reject<B> {
    /// The answer.
    fn reject(&self, denied: &Denied) -> Response<B>;
}

impl<B, F> Reject<B> for F
where
    F: Fn(&Denied) -> Response<B>,
{
    fn reject(&self, denied: &Denied) -> Response<B> {
        self(denied)
    }
}
