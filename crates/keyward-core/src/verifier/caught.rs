use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a store's future, and takes a panic of it for an answer.
///
/// The future is not touched again after it panicked, so what it left behind is its own affair.
pub(crate) async fn caught<T>(future: impl Future<Output = T> + Send) -> Result<T, Panicked> {
    let mut future = Box::pin(future);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(poll) => poll.map(Ok),
            // The payload may hold anything, a credential too: it is dropped unread.
            Err(_payload) => std::task::Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

/// The store panicked. What it said has gone to the panic hook.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the store panicked")]
pub(crate) struct Panicked;
