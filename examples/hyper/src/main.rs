//! API keys for a hyper service, without axum.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example hyper
//! ```
//!
//! and try the curl lines that it prints. `PORT` chooses another port than 3000.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells people what to try, and what went wrong"
)]

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use keyward::{ApiKeyLayer, KeyFormat, Keyward, NewKey, Principal, Sources};
use keyward_memory::MemoryStore;
use tower::ServiceBuilder;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live")?)
        .start()
        .await?;
    let issued = keys
        .issue(NewKey::named("hyper").tenant("acme-inc"))
        .await?;

    // A key may come in either header, but not in both at once.
    let sources = Sources::bearer().and_header(X_API_KEY);
    let service = ServiceBuilder::new()
        .layer(ApiKeyLayer::new(keys.verifier()).sources(sources))
        .service_fn(greet);
    let service = TowerToHyperService::new(service);

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    print_what_to_try(issued.secret.expose(), listener.local_addr()?);

    let server = auto::Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            _ = tokio::signal::ctrl_c() => break,
        };
        let connection = server.serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("connection: {error}");
            }
        });
    }
    // Open requests are answered, and the last uses of keys written down.
    connections.shutdown().await;
    keys.shutdown().await;
    Ok(())
}

/// The inner service. The layer calls it for good keys alone, and leaves in the request who calls.
async fn greet(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::default();
    match request.extensions().get::<Principal>() {
        Some(key) => {
            let greeting = format!("Hello {}, by your key {}\n", key.tenant(), key.name());
            *response.body_mut() = Full::from(greeting);
        }
        // Only if the layer was taken away: then nobody is served.
        None => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    Ok(response)
}

fn print_what_to_try(key: &str, address: std::net::SocketAddr) {
    println!("key: {key}");
    println!();
    let bearer = format!("-H 'Authorization: Bearer {key}'");
    let header = format!("-H 'x-api-key: {key}'");
    for (what, line) in [
        ("with the key, 200", format!("{bearer} http://{address}/")),
        (
            "in the other header, 200",
            format!("{header} http://{address}/"),
        ),
        ("without a key, 401", format!("http://{address}/")),
        (
            "in both headers at once, 400",
            format!("{bearer} {header} http://{address}/"),
        ),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}
