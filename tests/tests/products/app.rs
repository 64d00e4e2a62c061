//! An example, started as its users start it, and asked over HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use keyward_throwaway::Database;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// A running example. It is killed when this is dropped.
pub(crate) struct App {
    name: &'static str,
    database: Option<Database>,
    address: SocketAddr,
    printed: String,
    _child: Child,
}

/// Where an example keeps its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    Memory,
    Postgres,
}

impl App {
    pub(crate) async fn start(name: &'static str, on: On) -> Self {
        Self::with(name, on, &[]).await
    }

    /// With more in its environment.
    pub(crate) async fn with(name: &'static str, on: On, more: &[(&str, &str)]) -> Self {
        let database = match on {
            On::Memory => None,
            On::Postgres => Some(Database::fresh().await.unwrap()),
        };
        let url = database.as_ref().map(Database::url);
        let (child, address, printed) = run(name, url, more).await;
        Self {
            name,
            database,
            address,
            printed,
            _child: child,
        }
    }

    /// Another instance, on the same database.
    pub(crate) async fn beside(&self) -> Self {
        self.beside_with(&[]).await
    }

    /// The same, with more in its environment.
    pub(crate) async fn beside_with(&self, more: &[(&str, &str)]) -> Self {
        let url = self.database.as_ref().unwrap().url();
        let (child, address, printed) = run(self.name, Some(url), more).await;
        Self {
            name: self.name,
            database: None,
            address,
            printed,
            _child: child,
        }
    }

    /// What it has printed before it listened.
    pub(crate) fn printed(&self) -> &str {
        &self.printed
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every row that its database holds of keys, as text.
    pub(crate) async fn all_rows(&self) -> String {
        let mut session = self.database.as_ref().unwrap().connect().await.unwrap();
        let sql = "SELECT string_agg(query_to_xml(format('SELECT * FROM keyward.%I', tablename), \
            true, false, '')::text, '') FROM pg_tables WHERE schemaname = 'keyward'";
        sqlx::query_scalar(sql)
            .fetch_one(&mut session)
            .await
            .unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Request {
        self.request("POST", path).json(&body)
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Request {
        self.request("PUT", path).json(&body)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request {
            address: self.address,
            head: format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
                self.address
            ),
            body: String::new(),
        }
    }

    /// Has someone create a key; the answer holds its secret.
    pub(crate) async fn create(&self, who: &str, body: Value) -> Value {
        let answer = self.post("/api/api-keys", body).by(who).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// The keys that someone sees.
    pub(crate) async fn list(&self, who: &str) -> Vec<Value> {
        let answer = self.get("/api/api-keys").by(who).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json().as_array().unwrap().clone()
    }

    pub(crate) async fn plan(&self, tenant: &str, plan: &str) {
        let path = format!("/demo/plan?tenant={tenant}&plan={plan}");
        let answer = self.request("POST", &path).send().await;
        assert!(answer.status < 300, "{}", answer.text);
    }

    /// What a key gets from a path.
    pub(crate) async fn status(&self, key: &str, path: &str) -> u16 {
        self.get(path).key(key).send().await.status
    }
}

/// A request that is being made.
pub(crate) struct Request {
    address: SocketAddr,
    head: String,
    body: String,
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// By someone who has signed in.
    pub(crate) fn by(self, who: &str) -> Self {
        self.header("Demo-User", who)
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("Content-Type", "application/json")
    }

    pub(crate) fn form(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self.header("Content-Type", "application/x-www-form-urlencoded")
    }

    pub(crate) async fn send(self) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{}Content-Length: {}\r\n\r\n{}",
            self.head,
            self.body.len(),
            self.body
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        timeout(ANSWER, read).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            head: head.to_owned(),
            text: text.to_owned(),
        }
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// Waits until that is so.
pub(crate) async fn soon(mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < SOON, "it never was so");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The field of a JSON object, as text.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field}: {object}"))
}

/// Well within it a change reaches every instance, even when no notification does.
const SOON: Duration = Duration::from_secs(5);
const START: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(20);

async fn run(
    name: &str,
    database: Option<&str>,
    more: &[(&str, &str)],
) -> (Child, SocketAddr, String) {
    let program = program(name);
    let mut command = Command::new(&program);
    command.env("PORT", "0").env_remove("DATABASE_URL");
    command.envs(database.map(|url| ("DATABASE_URL", url)));
    command.envs(more.iter().copied());
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo build --example {name}` makes it",
            program.display()
        )
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    let address = loop {
        let line = timeout(START, lines.next_line()).await.unwrap().unwrap();
        let line = line.expect("it has ended");
        printed.push_str(&line);
        printed.push('\n');
        if let Some((_, rest)) = line.split_once("http://") {
            break rest.split('/').next().unwrap().parse().unwrap();
        }
    };
    // What it prints from now on is read, so that it never waits for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address, printed)
}

/// Examples lie beside the programs of this package.
fn program(name: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_node"));
    beside.parent().unwrap().join("examples").join(name)
}
