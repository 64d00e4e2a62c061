//! A database, and the program run on it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use keyward::{Digest, KeyId};
use keyward_throwaway::Database;
use serde_json::Value;

/// What every run gets, unless it says otherwise.
pub(crate) const FORMAT: &str = "acme_live";

/// A database with the schema.
pub(crate) struct Site {
    pub(crate) database: Database,
}

impl Site {
    pub(crate) async fn fresh() -> Self {
        let site = Self::empty().await;
        site.run(&["init"]).done();
        site
    }

    /// Without the schema.
    pub(crate) async fn empty() -> Self {
        let database = Database::fresh().await.unwrap();
        Self { database }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(self.database.url(), arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments), b"")
    }

    /// With something on standard input.
    pub(crate) fn fed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        ran(self.command(arguments), input)
    }

    /// With an output that nobody reads.
    pub(crate) fn unheard(&self, arguments: &[&str]) -> Ran {
        self.unheard_fed(arguments, b"")
    }

    pub(crate) fn unheard_fed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        ran_into(self.command(arguments), input, writer.into())
    }

    /// A new key of that name: its id, and itself.
    pub(crate) fn issue(&self, name: &str, more: &[&str]) -> (String, String) {
        let arguments = [&["issue", name, "--tenant", "acme", "--json"], more].concat();
        let ran = self.run(&arguments).done();
        let key = ran.object();
        let text = |field: &str| key[field].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// How the key stands.
    pub(crate) fn status(&self, id: &str) -> String {
        let shown = self.run(&["show", id, "--json"]).done().object();
        shown["status"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.database.execute(sql).await.unwrap();
    }
}

/// The program as an operator has it: nothing in its environment but what is said.
pub(crate) fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command
        .env_clear()
        .env("DATABASE_URL", url)
        .env("KEYWARD_FORMATS", FORMAT)
        .env("USER", "ada")
        .args(arguments);
    command
}

pub(crate) fn ran(command: Command, input: &[u8]) -> Ran {
    ran_into(command, input, Stdio::piped())
}

fn ran_into(mut command: Command, input: &[u8], stdout: Stdio) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing closes its end.
    let _unread = child.stdin.take().unwrap().write_all(input);
    Ran::of(child.wait_with_output().unwrap())
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text} is not in {}", self.out);
        self
    }

    #[track_caller]
    pub(crate) fn notes(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text} is not in {}", self.err);
        self
    }

    /// The only object of the result.
    #[track_caller]
    pub(crate) fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{}", self.out);
        objects.remove(0)
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Nothing of it may hold the secret part of a key, or its digest.
    #[track_caller]
    pub(crate) fn hides(self, secret: &str) -> Self {
        let hidden = secret.rsplit('_').next().unwrap();
        let digest = Digest::sha256(secret.as_bytes()).to_hex();
        for text in [&self.out, &self.err] {
            assert!(!text.contains(hidden), "the secret is told");
            assert!(!text.contains(&*digest), "the digest is told");
        }
        self
    }
}

pub(crate) fn some_id() -> String {
    KeyId::generate().to_string()
}
