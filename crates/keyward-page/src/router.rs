use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::csrf::ProtectionError;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::assets::{Kept, SCRIPT, STYLE, asset};
use crate::base::Base;
use crate::failure::Failure;
use crate::page::Page;
use crate::{change, create, details, list};

pub(crate) fn router<S: Clone + Send + Sync + 'static>(page: Page) -> Router<S> {
    let csrf = page.csrf.clone();
    let page = Arc::new(page);
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/", get(list::list).post(create::create))
        .route("/assets/{file}", get(asset))
        .route("/{key}", get(details::details))
        .route("/{key}/rotate", post(change::rotate))
        .route("/{key}/undo", post(change::undo))
        .route("/{key}/revoke", post(change::revoke))
        .route("/{key}/suspend", post(change::suspend))
        .route("/{key}/resume", post(change::resume))
        .fallback(async || Failure::NoPage)
        .method_not_allowed_fallback(async || Failure::Method)
        .layer(csrf)
        .layer(from_fn_with_state(Arc::clone(&page), framed))
        .layer(always(CONTENT_SECURITY_POLICY, POLICY))
        .layer(always(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(X_FRAME_OPTIONS, "DENY"))
        // `no-referrer` would make browsers send `Origin: null` with our own forms.
        .layer(always(REFERRER_POLICY, "same-origin"))
        .with_state(page)
}

/// Tells handlers where the page is mounted, and makes pages of failures.
async fn framed(State(page): State<Arc<Page>>, mut request: Request, next: Next) -> Response {
    let base = Base::of(&request, &page.behind);
    request.extensions_mut().insert(base.clone());
    let mut response = next.run(request).await;
    let extensions = response.extensions_mut();
    let failure = extensions.remove::<Failure>();
    let is_kept = extensions.remove::<Kept>().is_some();
    let failure = failure.or_else(|| {
        let refused = extensions.get::<ProtectionError>();
        refused.map(|_| Failure::OtherSite)
    });
    let mut response = match failure {
        None => response,
        Some(failure) => {
            let allow = response.headers_mut().remove(ALLOW);
            failure.page(&page, &base, allow)
        }
    };
    if !is_kept {
        // The answers of the host, too, whatever they say themselves.
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
    }
    response
}

/// Nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
    object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every page has around its content.
#[derive(Clone, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) stylesheet: Option<&'a str>,
    pub(crate) back: Option<(&'a str, &'a str)>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(page: &'a Page, base: &Base, title: &'a str) -> Self {
        let path = |name: String| format!("{}/assets/{name}", base.as_str());
        let back = page.back.as_ref();
        Self {
            title,
            style: path(STYLE.name()),
            script: path(SCRIPT.name()),
            stylesheet: page.stylesheet.as_deref(),
            back: back.map(|(name, path)| (name.as_str(), path.as_str())),
        }
    }
}
