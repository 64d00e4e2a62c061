//! How long a hit takes at most, when there are very many keys and some are being revoked.
//!
//! Requests come one after the other, each for a key drawn from all: once by Zipf, as customers come,
//! and once evenly, where every cache is of the least use that it can be. Another thread revokes.

mod keys;
mod latencies;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{future::Future, pin::pin};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use keyward::ApiKeyLayer;
use tokio::runtime::Runtime;
use tower::{Layer, Service};

use self::keys::{Keys, Standing};
use self::latencies::{Latencies, Stopwatch};
use crate::Result;
use crate::bed::Bare;
use crate::random::{Random, Zipf};
use crate::rows::Row;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) keys: usize,
    pub(crate) seconds: usize,
}

/// Rows of the hits' percentiles over windows of a second.
pub(crate) fn run(runtime: &Runtime, plan: Plan) -> Result<Vec<Row>> {
    // As a task: there each look-up is a neighbour on the same thread, and not a thread away.
    let filling = runtime.spawn(Keys::start(plan.keys));
    let keys = Arc::new(runtime.block_on(filling)??);
    let revoking = runtime.spawn(keys.clone().revoke(REVOKED_PER_MINUTE));

    let mut rows = Vec::new();
    for draw in [Draw::Zipf(Zipf::new(plan.keys)), Draw::Even] {
        let service = ApiKeyLayer::new(keys.verifier()).layer(Bare);
        let mut latencies = Latencies::new(plan, draw.name());
        measure(runtime, &keys, &draw, service, &mut latencies)?;
        rows.extend(latencies.rows()?);
    }
    revoking.abort();
    runtime.block_on(keys.stop());
    Ok(rows)
}

/// Which key comes next.
enum Draw {
    Zipf(Zipf),
    Even,
}

impl Draw {
    const fn name(&self) -> &'static str {
        match self {
            Self::Zipf(_) => "by Zipf",
            Self::Even => "drawn evenly",
        }
    }

    fn next(&self, random: &mut Random, keys: usize) -> usize {
        match self {
            // The keys are revoked from the first on: the last are the ones most asked for.
            Self::Zipf(zipf) => keys - 1 - zipf.draw(random),
            Self::Even => random.below(keys),
        }
    }
}

/// The share of the keys that is revoked in a minute.
const REVOKED_PER_MINUTE: f64 = 0.01;

fn measure<S>(
    runtime: &Runtime,
    keys: &Keys,
    draw: &Draw,
    mut service: S,
    latencies: &mut Latencies,
) -> Result<()>
where
    S: Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let mut random = Random::new(3);
    let mut context = Context::from_waker(Waker::noop());
    while latencies.is_open() {
        let n = draw.next(&mut random, keys.len());
        let request = request(keys.credential(n))?;
        let before = keys.standing(n);

        let watch = Stopwatch::start();
        let mut answer = {
            if service.poll_ready(&mut context).is_pending() {
                return Err("the service is not ready".into());
            }
            pin!(service.call(request))
        };
        let at_once = answer.as_mut().poll(&mut context);
        let took = watch.elapsed();

        let (answer, hit) = match at_once {
            Poll::Ready(answer) => (answer, true),
            Poll::Pending => (runtime.block_on(answer), false),
        };
        let Ok(answer) = answer;
        match (answer.status(), before, keys.standing(n)) {
            (StatusCode::OK, Standing::Good | Standing::Leaving, _) if hit => latencies.hit(took),
            (StatusCode::OK, Standing::Good | Standing::Leaving, _) => latencies.miss(),
            (StatusCode::UNAUTHORIZED, _, Standing::Leaving | Standing::Revoked) => {}
            (status, before, after) => {
                return Err(
                    format!("{status} for a key that was {before:?} and is {after:?}").into(),
                );
            }
        }
    }
    Ok(())
}

fn request(credential: &str) -> Result<Request<()>> {
    let value = HeaderValue::try_from(format!("Bearer {credential}"))?;
    Ok(Request::builder()
        .uri(crate::bed::PATH)
        .header(AUTHORIZATION, value)
        .body(())?)
}

/// How long the windows are.
const WINDOW: Duration = Duration::from_secs(1);
