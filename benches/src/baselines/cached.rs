//! What a careful team writes by itself: async middleware around `moka::future`, keyed by the digest.
//!
//! It keeps no key in memory and checks the expiry on each hit. It revokes nothing before its entries run out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tower::Service;
use tower::layer::layer_fn;

use super::guard::{Handed, bearer};
use super::{TOKEN, name};
use crate::Result;
use crate::bed::Bare;
use crate::lineup::{Lineup, Traffic};

pub(super) fn enter(lineup: &mut Lineup) -> Result<()> {
    let traffic = Traffic::bearer(TOKEN, StatusCode::OK)?;
    let keys = Keys::with(TOKEN)?;

    let held = keys.clone();
    let layer = layer_fn(move |inner| Boxed {
        keys: held.clone(),
        inner,
    });
    lineup.bare(name::CACHED, layer, traffic.clone());

    lineup.router(
        name::CACHED,
        |router| router.layer(from_fn_with_state(keys, guard)),
        traffic,
    );
    Ok(())
}

#[derive(Clone)]
struct Keys(Cache<String, Arc<Known>>);

struct Known {
    tenant: String,
    scopes: Vec<String>,
    expires_at: SystemTime,
}

impl Keys {
    fn with(token: &str) -> Result<Self> {
        let keys = Self(
            Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_secs(3_600))
                .build(),
        );
        let known = Known {
            tenant: "acme-inc".to_owned(),
            scopes: vec!["orders:read".to_owned()],
            expires_at: SystemTime::now() + Duration::from_secs(86_400),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(keys.0.insert(digest(token), Arc::new(known)));
        Ok(keys)
    }

    /// Who presents this key. A miss would ask the database here; in this run there is none.
    async fn find(&self, headers: &HeaderMap) -> Option<Handed<Known>> {
        let known = self.0.get(&digest(bearer(headers)?)).await?;
        let usable = SystemTime::now() < known.expires_at
            && !known.tenant.is_empty()
            && !known.scopes.is_empty();
        usable.then_some(Handed(known))
    }
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// On a router: an async function.
async fn guard(State(keys): State<Keys>, mut request: Request<Body>, next: Next) -> Response<Body> {
    let Some(caller) = keys.find(request.headers()).await else {
        let mut refusal = Response::new(Body::empty());
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        return refusal;
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Around a bare service: a boxed future.
#[derive(Clone)]
struct Boxed {
    keys: Keys,
    inner: Bare,
}

impl<B: Send + 'static> Service<Request<B>> for Boxed {
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<B>>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Self { keys, mut inner } = self.clone();
        Box::pin(async move {
            let Some(caller) = keys.find(request.headers()).await else {
                let mut refusal = Response::new(Full::default());
                *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                return Ok(refusal);
            };
            request.extensions_mut().insert(caller);
            inner.call(request).await
        })
    }
}
