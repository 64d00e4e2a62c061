//! The routes, described.

use keyward::{RequireScopes, Scope};
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{AdditionalProperties, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Info, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
    SecurityRequirement,
};

/// The description of the routes, with what holds for all of them.
pub(crate) fn document(mut document: OpenApi) -> OpenApi {
    document.info = Info::new("API keys", env!("CARGO_PKG_VERSION"));
    for (path, item) in &mut document.paths.paths {
        let names_a_key = path.contains("{id}");
        let reads = [&mut item.get, &mut item.delete];
        for operation in reads.into_iter().flatten() {
            complete(operation, names_a_key, false);
        }
        let writes = [&mut item.post, &mut item.patch];
        for operation in writes.into_iter().flatten() {
            complete(operation, names_a_key, true);
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && path.ends_with("/rotate")
            {
                body.required = Some(Required::False);
            }
        }
    }
    let schemas = document.components.iter_mut();
    let schemas = schemas.flat_map(|components| &mut components.schemas);
    for (name, schema) in schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && CLOSED.contains(&name.as_str())
        {
            let nothing_else = AdditionalProperties::FreeForm(false);
            object.additional_properties = Some(Box::new(nothing_else));
        }
    }
    document
}

/// What requests are made of, in which nothing else may be.
const CLOSED: [&str; 6] = [
    "ApiKeyLimit",
    "NewApiKey",
    "ApiKeyUpdate",
    "ApiKeyRotation",
    "ApiKeyRevocation",
    "PresentedApiKey",
];

/// Adds the answers that every operation may give.
fn complete(operation: &mut Operation, names_a_key: bool, may_have_a_body: bool) {
    for parameter in operation.parameters.iter_mut().flatten() {
        // What may be left out may not be null.
        if let RefOr::T(Parameter {
            schema: Some(RefOr::T(Schema::Object(object))),
            ..
        }) = parameter
            && let SchemaType::Array(types) = &object.schema_type
            && let Some(one) = types.iter().find(|one| **one != Type::Null)
        {
            object.schema_type = SchemaType::Type(one.clone());
        }
    }
    let responses = &mut operation.responses.responses;
    let mut add = |status: &str, response: Response| {
        let status = responses.entry(status.to_owned());
        status.or_insert(RefOr::T(response));
    };
    let unknown = ResponseBuilder::new().description("It is not known who asks");
    add("401", unknown.build());
    add(
        "400",
        problem("The request cannot be read, or a parameter is wrong"),
    );
    add("403", problem("Whoever asks may not do this"));
    let mut unavailable = problem("The store cannot answer");
    let after = RefOr::T(Header::default());
    unavailable.headers.insert("Retry-After".to_owned(), after);
    add("503", unavailable);
    if names_a_key {
        add(
            "404",
            problem("There is no such key, or none to be known of"),
        );
    }
    if may_have_a_body {
        add("413", problem("The body is too long"));
        add("415", problem("The body is not JSON"));
        add("422", problem("A field of the body is wrong"));
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

/// What a route needs, as its `security` in a document: the scopes of the requirement that guards it, from
/// keys that come by the security scheme of this name.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use keyward::{RequireScopes, Scope};
/// use keyward_admin::{bearer_scheme, security_of};
/// use utoipa::OpenApi;
/// use utoipa::openapi::path::Operation;
///
/// const READ: Scope = Scope::from_static("orders:read");
///
/// #[utoipa::path(get, path = "/orders", responses((status = 200)))]
/// async fn orders() {}
///
/// #[derive(OpenApi)]
/// #[openapi(paths(orders))]
/// struct Orders;
///
/// let guard = RequireScopes::all([READ]);
/// let mut document = Orders::openapi();
/// let components = document.components.get_or_insert_default();
/// components.add_security_scheme("apiKey", bearer_scheme("acme_live_…"));
/// let path = document.paths.paths.get_mut("/orders");
/// if let Some(orders) = path.and_then(|path| path.get.as_mut()) {
///     orders.security = Some(security_of("apiKey", &guard));
/// }
/// let app: Router = Router::new().route("/orders", get(orders)).route_layer(guard);
///
/// let json = document.to_json()?;
/// assert!(json.contains(r#""security":[{"apiKey":["orders:read"]}]"#));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn security_of<R>(scheme: &str, guard: &RequireScopes<R>) -> Vec<SecurityRequirement> {
    let scopes = guard.scopes().iter().map(Scope::as_str);
    if guard.needs_all() {
        return vec![SecurityRequirement::new(scheme, scopes)];
    }
    // One of several will do.
    let one = |scope| SecurityRequirement::new(scheme, [scope]);
    scopes.map(one).collect()
}

/// The security scheme of keys in `Authorization: Bearer`, which look like this.
#[must_use]
pub fn bearer_scheme(looks_like: &str) -> SecurityScheme {
    let http = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format(looks_like);
    SecurityScheme::Http(http.build())
}
