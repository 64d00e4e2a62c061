//! A browser, and what a person does with it.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use chromium::Driver;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::site::Site;

#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) client: Client,
    // After the client, which it serves.
    _driver: Driver,
}

impl Browser {
    /// A new one, in which that user has signed in.
    pub(crate) async fn of(site: &Site, user: &str) -> Self {
        let driver = tokio::task::spawn_blocking(Driver::start);
        let driver = driver.await.unwrap().unwrap();
        let options = json!({
            "goog:chromeOptions": { "binary": driver.browser(), "args": driver.arguments() },
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "accept",
        });
        let Value::Object(options) = options else {
            unreachable!()
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(options)
            .connect(&driver.url())
            .await
            .unwrap();
        let browser = Self {
            client,
            _driver: driver,
        };
        browser.size(1200, 900).await;
        browser.goto(&format!("{}/as/{user}", site.origin)).await;
        browser
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The one that is found soon.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(Duration::from_secs(10));
        let found = wait.for_element(Locator::Css(css)).await;
        match found {
            Ok(found) => found,
            Err(error) => panic!("{css}: {error}\n{}", self.source().await),
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        !self
            .client
            .find_all(Locator::Css(css))
            .await
            .unwrap()
            .is_empty()
    }

    pub(crate) async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[Key]) {
        for key in keys {
            let focused = self.client.active_element().await.unwrap();
            let text = char::from(*key).to_string();
            // The answer to a key that leads to another page may be that its element is gone.
            drop(focused.send_keys(&text).await);
        }
    }

    /// Waits until something is so.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, is: impl Fn() -> F) {
        for _ in 0..200 {
            if is().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{what}: not within ten seconds\n{}\n{}",
            self.url().await,
            self.source().await
        );
    }

    /// What the clipboard holds.
    pub(crate) async fn clipboard(&self) -> String {
        let permissions =
            json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        self.devtools("Browser.grantPermissions", permissions).await;
        let script = "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))";
        let text = self.client.execute_async(script, Vec::new()).await.unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// The window's size, and with it the page's.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    pub(crate) async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": feature }))
            .await;
    }

    pub(crate) async fn without_scripts(&self) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": true }),
        )
        .await;
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.issue("goog/cdp/execute", body).await.unwrap()
    }

    /// What the browser has complained of since the last question.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self
            .issue("se/log", json!({ "type": "browser" }))
            .await
            .unwrap();
        let lines = log.as_array().unwrap().iter();
        let lines = lines.map(|line| line["message"].as_str().unwrap().to_owned());
        lines.collect()
    }

    /// Fails if a page did what its policy forbids, or its script threw.
    pub(crate) async fn nothing_was_forbidden(&self) {
        for line in self.complaints().await {
            let is_bad = [
                "Content Security Policy",
                "Uncaught",
                "TrustedScript",
                "Refused to",
            ];
            assert!(!is_bad.iter().any(|bad| line.contains(bad)), "{line}");
        }
    }

    async fn issue(&self, path: &'static str, body: Value) -> Result<Value, CmdError> {
        self.client.issue_cmd(Command { path, body }).await
    }

    /// Leaves a picture of the whole page where somebody wants to look at it.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(directory) = env::var_os("KEYWARD_TEST_SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        fs::create_dir_all(&directory).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        fs::write(directory.join(format!("{name}.png")), picture).unwrap();
    }
}

/// One of the driver's own.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
