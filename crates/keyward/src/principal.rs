use http::Extensions;
use keyward_core::{Anonymous, Denied, Principal};

/// The verified key of a request, for services without extractors.
///
/// ```
/// # use keyward::{Denied, Principal};
/// # fn handler(request: http::Request<()>) -> Result<String, Denied> {
/// let key = keyward::principal(request.extensions())?;
/// # Ok(key.tenant().to_owned())
/// # }
/// ```
///
/// # Errors
/// [`Denied`] without one: told apart are a request that came without a credential where that is
/// allowed, and a service that forgot its [`ApiKeyLayer`](crate::ApiKeyLayer).
pub fn principal(extensions: &Extensions) -> Result<&Principal, Denied> {
    match extensions.get() {
        Some(principal) => Ok(principal),
        None if extensions.get::<Anonymous>().is_some() => Err(Denied::no_credential()),
        None => {
            tracing::error!(target: "keyward", "a route asks for a key without ApiKeyLayer");
            Err(Denied::layer_missing())
        }
    }
}
