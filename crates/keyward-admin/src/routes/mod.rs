//! Every route, with its description.

mod change;
mod create;
mod events;
mod list;
mod many;
mod one;
mod rotate;
mod verify;

use std::panic::resume_unwind;

use keyward::LifecycleError;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::admin::Desk;
use crate::problem::Problem;

pub(crate) fn all(desk: &Desk) -> OpenApiRouter<Desk> {
    let routes = OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(one::show, change::change, one::delete))
        .routes(routes!(one::revoke))
        .routes(routes!(rotate::rotate))
        .routes(routes!(rotate::undo))
        .routes(routes!(one::suspend))
        .routes(routes!(one::resume))
        .routes(routes!(events::events))
        .routes(routes!(many::revoke_all))
        .routes(routes!(list::unused))
        .routes(routes!(list::expiring));
    match &desk.introspection {
        None => routes,
        Some(_) => routes.routes(routes!(verify::verify)),
    }
}

/// Does what must not stop half way when the client goes away, and waits for it.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, LifecycleError>> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => Ok(outcome?),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is going down.
            Err(_) => Err(Problem::unavailable()),
        },
    }
}
