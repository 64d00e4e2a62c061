//! The documents of four products, sentence by sentence, against the examples that keep them: over HTTP,
//! on memory and on Postgres.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod app;
mod citatra;
mod cotizera;
mod curl;
mod katalo;
mod page;
mod sitemarks;

/// Each law on both stores.
macro_rules! on_both_stores {
    ($($law:ident)*) => {
        mod on_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                super::$law(crate::app::On::Memory).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                super::$law(crate::app::On::Postgres).await;
            })*
        }
    };
}
use on_both_stores;
