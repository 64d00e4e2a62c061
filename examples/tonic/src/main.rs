//! API keys for a gRPC service of tonic, and a client that presents one.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example tonic
//! ```
//!
//! It serves, calls itself, prints what came of each call, and ends. With `SERVE=1` it goes on
//! serving instead. `PORT` chooses another port than 3000.
#![expect(clippy::print_stdout, reason = "it tells people what happens")]

use keyward::{ApiKeyLayer, Denied, GrpcStatus, KeyFormat, Keyward, NewKey, Principal};
use keyward::{RequireScopes, Scope};
use keyward_memory::MemoryStore;
use tokio::net::TcpListener;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::LayerExt;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

use proto::reports_client::ReportsClient;
use proto::reports_server::{Reports, ReportsServer};
use proto::{ReadRequest, Report, WriteResponse};

#[expect(unreachable_pub, reason = "generated for crates of its own too")]
mod proto {
    tonic::include_proto!("reports.v1");
}

const READ: Scope = Scope::from_static("reports:read");
const WRITE: Scope = Scope::from_static("reports:write");

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Archive;

#[tonic::async_trait]
impl Reports for Archive {
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Report>, Status> {
        let tenant = principal(&request)?.tenant();
        let text = format!("what {tenant} did");
        let month = request.into_inner().month;
        Ok(Response::new(Report { month, text }))
    }

    async fn write(&self, request: Request<Report>) -> Result<Response<WriteResponse>, Status> {
        principal(&request)?.require(&WRITE).map_err(status)?;
        Ok(Response::new(WriteResponse {}))
    }
}

/// Who calls, as the layer left it in the request.
fn principal<T>(request: &Request<T>) -> Result<&Principal, Status> {
    let principal = request.extensions().get::<Principal>();
    principal.ok_or_else(|| status(Denied::layer_missing()))
}

/// What the caller is told of a refusal.
fn status(denied: Denied) -> Status {
    let code = Code::from_i32(denied.kind().grpc_status().into());
    Status::new(code, denied.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live")?)
        .start()
        .await?;
    let new = NewKey::named("tonic").tenant("acme-inc").scopes([READ]);
    let issued = keys.issue(new).await?;

    // Around the server: every call needs a key. Around a service: it needs this scope too.
    let need_a_key = ApiKeyLayer::new(keys.verifier()).on_reject(GrpcStatus::new());
    let need_to_read = RequireScopes::all([READ]).on_reject(GrpcStatus::new());
    let server = Server::builder()
        .layer(need_a_key)
        .add_service(need_to_read.named_layer(ReportsServer::new(Archive)));

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let key = issued.secret.expose();
    if std::env::var_os("SERVE").is_some() {
        println!("key: {key}");
        println!("serving reports.v1.Reports on {address}");
        return Ok(serving.await??);
    }

    let mut client = ReportsClient::connect(format!("http://{address}")).await?;
    let ask = || ReadRequest {
        month: "2026-10".to_owned(),
    };

    let outcome = client.read(with_key(key, ask())?).await;
    expect("read with the key", Code::Ok, outcome)?;

    let outcome = client.read(ask()).await;
    expect("read without a key", Code::Unauthenticated, outcome)?;

    let powerless = keys.issue(NewKey::named("none").tenant("acme-inc")).await?;
    let outcome = client.read(with_key(powerless.secret.expose(), ask())?);
    expect(
        "read without its scope",
        Code::PermissionDenied,
        outcome.await,
    )?;

    let outcome = client.write(with_key(key, Report::default())?).await;
    expect("write without its scope", Code::PermissionDenied, outcome)?;

    keys.revoke(&issued.key.id).await?;
    let outcome = client.read(with_key(key, ask())?).await;
    expect("read once revoked", Code::Unauthenticated, outcome)
}

/// A request that bears the key, marked so that nothing prints it.
fn with_key<T>(key: &str, message: T) -> Result<Request<T>, Error> {
    let mut bearer: AsciiMetadataValue = format!("Bearer {key}").parse()?;
    bearer.set_sensitive(true);
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", bearer);
    Ok(request)
}

/// Prints what came of a call, and fails if it is not what should have.
fn expect<T>(
    call: &str,
    expected: Code,
    outcome: Result<Response<T>, Status>,
) -> Result<(), Error> {
    let code = outcome.map_or_else(|status| status.code(), |_| Code::Ok);
    let word = match code {
        Code::Ok => "OK",
        Code::Unauthenticated => "UNAUTHENTICATED",
        Code::PermissionDenied => "PERMISSION_DENIED",
        other => other.description(),
    };
    println!("{call}: {word}");
    if code == expected {
        Ok(())
    } else {
        Err(format!("{call}: expected {expected:?}").into())
    }
}
