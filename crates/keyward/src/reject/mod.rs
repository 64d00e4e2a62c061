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
