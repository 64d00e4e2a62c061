//! A cluster that is started, broken and left to its janitor, seen from outside.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use postgres_cluster::{Binaries, Cluster};

#[test]
fn settings_reach_the_server_and_the_last_one_counts() {
    let cluster = Cluster::options()
        .setting("fsync", "on")
        .setting("fsync", "off")
        .setting("cluster_name", "it's")
        .start()
        .unwrap();
    assert_eq!(sql(&cluster.url(), "SHOW fsync"), "off");
    assert_eq!(sql(&cluster.url(), "SHOW cluster_name"), "it's");
    assert_eq!(sql(&cluster.url(), "SHOW max_connections"), "200");
}

#[test]
fn a_setting_that_is_none_fails_with_the_log() {
    let error = Cluster::options().setting("fsynk", "on").start();
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("unrecognized configuration parameter"),
        "{text}"
    );
}

#[test]
fn a_dropped_cluster_leaves_no_server_and_no_directory_even_when_paused() {
    let mut cluster = Cluster::options().start().unwrap();
    let directory = sql(&cluster.url(), "SHOW data_directory");
    let port = cluster.port();
    cluster.pause().unwrap();
    drop(cluster);
    assert!(!fs::exists(directory).unwrap());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_killed_process_leaves_no_server_and_no_directory() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_postgres-cluster"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    let output = holder.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut url).unwrap();
    let directory = sql(url.trim(), "SHOW data_directory");
    assert!(fs::exists(&directory).unwrap());

    holder.kill().unwrap();
    holder.wait().unwrap();
    let mut tries = 500;
    while fs::exists(&directory).unwrap() {
        assert_ne!(tries, 0, "{directory} is still there");
        tries -= 1;
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs SQL with `psql` and returns what it prints.
fn sql(url: &str, sql: &str) -> String {
    let psql = Binaries::find().unwrap().directory().join("psql");
    let output = Command::new(psql)
        .args([url, "-v", "ON_ERROR_STOP=1", "-Atc", sql])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
