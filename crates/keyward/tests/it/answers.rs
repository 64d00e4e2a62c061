//! Each situation, and the whole of its answer.

use axum::Router;
use axum::routing::get as route;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request};
use keyward::{Denied, GrpcStatus, ProblemJson, Reject, RequireScopes};
use keyward_testkit::{Call, Fault};

use crate::support::{Fixture, WRITE, get, send};

fn app(fixture: &Fixture) -> Router {
    let write = route(async || "read").post(async || "written");
    let write = write.route_layer(RequireScopes::all([WRITE]));
    Router::new()
        .route("/", route(async || "ok"))
        .route("/write", write)
        .layer(fixture.layer())
}

/// Everything but the body's words, in one line each.
async fn line(app: &Router, request: Request<axum::body::Body>) -> String {
    let answer = send(app, request).await;
    assert_eq!(
        answer.header(CONTENT_TYPE),
        Some("application/problem+json")
    );
    assert_eq!(answer.header(CACHE_CONTROL), Some("no-store"));
    let challenge = answer.challenge().unwrap_or("-");
    format!("{} {} {challenge}", answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn every_situation_has_its_answer() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let bearer = |value: &str| get("/", &[("authorization", &format!("Bearer {value}"))]);
    assert_eq!(
        line(&app, get("/", &[])).await,
        "401 no_credential Bearer realm=\"api\""
    );
    let malformed = "400 invalid_request Bearer realm=\"api\", error=\"invalid_request\"";
    assert_eq!(line(&app, bearer("a,b")).await, malformed);
    let (key, other) = (fixture.bearer(), "Bearer other");
    let twice = get("/", &[("authorization", &key), ("authorization", other)]);
    assert_eq!(line(&app, twice).await, malformed);
    let invalid = "401 invalid_token Bearer realm=\"api\", error=\"invalid_token\"";
    assert_eq!(line(&app, bearer("no-key")).await, invalid);
    assert_eq!(
        line(&app, get("/write", &[("authorization", &key)])).await,
        "403 insufficient_scope Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"docs:write\""
    );
    fixture.keys.tenant("acme").entitle(false).await.unwrap();
    assert_eq!(
        line(&app, fixture.request()).await,
        "403 not_entitled Bearer realm=\"api\""
    );
}

/// To whoever tries keys, all bad ones look alike to the last byte.
#[tokio::test]
async fn bad_keys_cannot_be_told_apart() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let issue = async |new: keyward::NewKey| {
        let issued = fixture.keys.issue(new).await.unwrap();
        fixture.watch.issued(&issued);
        (issued.key.id, format!("Bearer {}", issued.secret.expose()))
    };
    let named = |tenant: &str| keyward::NewKey::named("a").tenant(tenant);
    let (id, revoked) = issue(named("t")).await;
    fixture.keys.revoke(&id).await.unwrap();
    let (_, suspended) = issue(named("suspended")).await;
    fixture.keys.tenant("suspended").suspend().await.unwrap();
    let (_, expired) = issue(named("t").expires_in(std::time::Duration::from_millis(1))).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let unknown = keyward::KeyFormat::new("acme_live")
        .unwrap()
        .generate()
        .unwrap();
    let unknown = format!("Bearer {}", unknown.plaintext.expose());
    let long = format!("Bearer {}", "a".repeat(300));
    let mut answers = Vec::new();
    for value in [&revoked, &suspended, &expired, &unknown, &long, "Bearer x"] {
        let answer = send(&app, get("/", &[("authorization", value)])).await;
        answers.push((answer.status, format!("{:?}", answer.headers), answer.body));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}

#[tokio::test]
async fn an_outage_is_a_503_that_says_when_to_come_back() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    fixture.faults.once(Call::Load, Fault::Fail);
    let answer = send(&app, fixture.request()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "unavailable")
    );
    assert_eq!(answer.header(RETRY_AFTER), Some("1"));
    assert_eq!(answer.challenge(), None);
    assert_eq!(send(&app, fixture.request()).await.status, 200);
}

#[tokio::test]
async fn grpc_requests_are_answered_in_their_own_way() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let proto = "application/grpc+proto";
    let key = fixture.bearer();
    for (headers, path, code) in [
        (vec![], "/", "16"),
        (vec![("authorization", "Bearer a,b")], "/", "3"),
        (vec![("authorization", "Bearer x")], "/", "16"),
        (vec![("authorization", key.as_str())], "/write", "7"),
    ] {
        let headers: Vec<_> = headers
            .into_iter()
            .chain([("content-type", proto)])
            .collect();
        let mut request = get(path, &headers);
        *request.method_mut() = Method::POST;
        let answer = send(&app, request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header(CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.header(CONTENT_TYPE), Some("application/grpc"));
        assert_eq!(answer.header("grpc-status"), Some(code), "{path}");
        assert!(answer.header("grpc-message").is_some());
        assert_eq!(answer.body, "");
    }
}

/// Whoever only says that it speaks gRPC does not turn a refusal into a success.
#[tokio::test]
async fn other_requests_are_not_taken_for_grpc() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    for (method, content_type) in [
        (Method::GET, "application/grpc"),
        (Method::POST, "application/grpcweb"),
        (Method::POST, "application/grpc-web+proto"),
        (Method::POST, "text/plain, application/grpc"),
    ] {
        let mut request = get("/", &[("content-type", content_type)]);
        *request.method_mut() = method;
        assert_eq!(send(&app, request).await.status, 401, "{content_type}");
    }
}

#[tokio::test]
async fn headers_of_layers_in_between_stay_on_refusals() {
    let fixture = Fixture::new().await;
    let scoped = route(async || "ok").route_layer(RequireScopes::all([WRITE]));
    let app = Router::new()
        .route("/", scoped)
        .layer(axum::middleware::map_response(
            async |mut response: axum::response::Response| {
                let allowed = HeaderValue::from_static("https://app.example");
                response
                    .headers_mut()
                    .insert("access-control-allow-origin", allowed);
                response
            },
        ))
        .layer(fixture.layer());
    let answer = send(&app, fixture.request()).await;
    assert_eq!(answer.code(), "insufficient_scope");
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://app.example"));
    assert_eq!(answer.headers.get_all(CONTENT_TYPE).iter().count(), 1);
}

#[tokio::test]
async fn the_realm_is_the_hosts_to_name() {
    let fixture = Fixture::new().await;
    let reject = ProblemJson::realm(r#"my "api" \o/"#).unwrap();
    let app = Router::new().layer(fixture.layer().on_reject(reject));
    let answer = send(&app, get("/", &[])).await;
    assert_eq!(
        answer.challenge(),
        Some(r#"Bearer realm="my \"api\" \\o/""#)
    );
    assert!(ProblemJson::realm("a\r\nb").is_err());
}

/// One hook sees the refusals of the layer, of scope layers and of extractors alike.
#[tokio::test]
async fn one_hook_renders_every_refusal() {
    let fixture = Fixture::new().await;
    let hook = |denied: &Denied| {
        let body = format!("mine: {}", denied.kind().code());
        http::Response::builder()
            .status(418)
            .body(body.into())
            .unwrap()
    };
    let scoped = route(async || "ok").route_layer(RequireScopes::all([WRITE]));
    let extracted = route(async |key: keyward::Principal| key.require(&WRITE).map(|()| "ok"));
    let app = Router::new()
        .route("/scoped", scoped)
        .route("/extracted", extracted)
        .layer(fixture.layer().on_reject(hook));
    let key = fixture.bearer();
    for (path, expected) in [
        ("/scoped", "mine: insufficient_scope"),
        ("/extracted", "mine: insufficient_scope"),
    ] {
        let answer = send(&app, get(path, &[("authorization", &key)])).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (418, expected)
        );
    }
    assert_eq!(
        send(&app, get("/scoped", &[])).await.body,
        "mine: no_credential"
    );
}

/// What operators are told never reaches the client, however the answer is made.
#[test]
fn reasons_stay_with_the_operator() {
    use keyward::Reason;
    let kinds = [
        Reason::Unknown,
        Reason::WrongSecret,
        Reason::Revoked,
        Reason::OwnerSuspended,
    ];
    let answers = kinds.map(|reason| {
        let denied = Denied::invalid_token(reason);
        let problem: http::Response<axum::body::Body> = ProblemJson::default().reject(&denied);
        let grpc: http::Response<String> = GrpcStatus::new().reject(&denied);
        format!("{denied} {:?} {:?}", problem.headers(), grpc.headers())
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}
