//! A layer that adds itself and nothing else.

use std::task::{Context, Poll};

use tower::Service;

#[derive(Debug, Clone, Copy)]
pub(super) struct NoOp<S>(pub(super) S);

impl<R, S: Service<R>> Service<R> for NoOp<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}
