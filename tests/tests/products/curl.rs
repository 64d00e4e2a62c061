//! The lines of the documents, run as their readers run them, the host name and the key aside.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::app::{App, On, text};

crate::on_both_stores! {
    the_line_of_cotizera_works
    the_line_of_sitemarks_works
    the_environment_variable_of_katalo_works
    the_header_of_citatra_works
}

async fn the_line_of_cotizera_works(on: On) {
    let app = App::start("cotizera", on).await;
    let key = app
        .create("olga:owner@acme", json!({"name": "Zapier"}))
        .await;
    let line = r#"curl https://cotizera.com/api/v1/quotes \
  -H "Authorization: Bearer ctza_a1b2c3d4...""#;
    let line = line.replace("https://cotizera.com", &format!("http://{}", app.address()));
    let line = line.replace("ctza_a1b2c3d4...", text(&key, "key"));
    assert_eq!(status(&line).await, "200");
}

async fn the_line_of_sitemarks_works(on: On) {
    let app = App::start("sitemarks", on).await;
    let key = app
        .create("ann:owner@acme", json!({"name": "CI Pipeline"}))
        .await;
    let line = r#"curl -H "Authorization: Bearer sk_live_abc123..." \
  https://sitemarks.ai/api/v1/projects"#;
    let line = line.replace("https://sitemarks.ai", &format!("http://{}", app.address()));
    let line = line.replace("sk_live_abc123...", text(&key, "key"));
    assert_eq!(status(&line).await, "200");
}

async fn the_environment_variable_of_katalo_works(on: On) {
    let app = App::start("katalo", on).await;
    let key = app.create("ann:admin@acme", json!({"name": "Shop"})).await;
    let line = r#"export KATALO_API_KEY="your-api-key-here""#;
    let line = line.replace("your-api-key-here", text(&key, "key"));
    let curl = r#"curl -H "Authorization: Bearer $KATALO_API_KEY""#;
    let line = format!("{line}; {curl} http://{}/v1/usage", app.address());
    assert_eq!(status(&line).await, "200");
}

async fn the_header_of_citatra_works(on: On) {
    let app = App::start("citatra", on).await;
    let key = app
        .create("ann:admin@acme", json!({"name": "Zapier integration"}))
        .await;
    let header = "Authorization: Bearer YOUR_API_KEY";
    let header = header.replace("YOUR_API_KEY", text(&key, "key"));
    let base = "https://app.citatra.com/api/v1";
    let base = base.replace(
        "https://app.citatra.com",
        &format!("http://{}", app.address()),
    );
    let line = format!("curl -H '{header}' {base}/workspaces/acme/prompts");
    assert_eq!(status(&line).await, "200");
}

/// What a shell's curl is answered.
async fn status(line: &str) -> String {
    let line = format!("{line} --silent --output /dev/null --write-out '%{{http_code}}'");
    let mut shell = Command::new("sh");
    let shell = shell.arg("-c").arg(line).stderr(Stdio::inherit());
    let output = shell.output().await.unwrap();
    assert!(output.status.success(), "curl failed");
    String::from_utf8(output.stdout).unwrap()
}
