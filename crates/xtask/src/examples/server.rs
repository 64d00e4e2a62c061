use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::curl::{self, CurlLine};
use super::table::{Key, Request};
use crate::Result;
use crate::running::{Read, Running};
use crate::tally::{self, Counts};

/// How long an example may take to print its key and to listen.
const START: Duration = Duration::from_secs(30);
/// How long it is quiet after its last line.
const QUIET: Duration = Duration::from_millis(300);
/// How long to wait before asking anew for an answer that is to change.
const AGAIN: Duration = Duration::from_millis(250);

/// Starts an example, runs the curl lines that it prints, and compares the statuses.
pub(super) fn answers(
    program: &OsStr,
    root: &Path,
    port: u16,
    variables: &[(&str, String)],
    requests: &[Request],
) -> Result<Counts> {
    curl::ensure()?;
    let mut example = Running::start(program, &[], root, variables, Stdio::inherit())?;
    let key = key(&mut example)?;
    listens(port)?;
    let printed = curl_lines(&mut example, &key);

    let mut counts = Counts::default();
    for line in &printed {
        if !requests.iter().any(|request| line.asks(request)) {
            println!(
                "FAIL {}: printed, but the table does not know it",
                line.title()
            );
            counts.add(false);
        }
    }
    for request in requests {
        let lines = lines_for(request, &printed, port);
        if lines.is_empty() {
            let Request { method, path, .. } = request;
            println!("FAIL {method} {path} with the key: no curl line for it is printed");
            counts.add(false);
        }
        for line in lines {
            counts.add(compare(&line, request, root));
        }
    }
    Ok(counts)
}

/// Waits for the line `key: …`.
fn key(example: &mut Running) -> Result<String> {
    let find = |lines: &[String]| {
        lines
            .iter()
            .find_map(|line| line.strip_prefix("key: ").map(str::to_owned))
    };
    let read = example.read_until(START, |lines| find(lines).is_some());
    match (read, find(example.lines())) {
        (_, Some(key)) if !key.is_empty() => Ok(key),
        (Read::TimedOut, _) => Err(format!("no line `key: …` within {} s", START.as_secs()).into()),
        _ => Err("it ended, or printed an empty key".into()),
    }
}

/// Waits until somebody listens.
pub(super) fn listens(port: u16) -> Result<()> {
    let pause = Duration::from_millis(20);
    for _ in 0..START.as_millis() / pause.as_millis() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        thread::sleep(pause);
    }
    Err(format!(
        "it does not listen on 127.0.0.1:$PORT within {} s",
        START.as_secs()
    )
    .into())
}

/// The curl lines that it has printed once it is quiet.
fn curl_lines(example: &mut Running, key: &str) -> Vec<CurlLine> {
    read_until_quiet(example);
    let id = example
        .lines()
        .iter()
        .find_map(|line| line.strip_prefix("id: "));
    example
        .lines()
        .iter()
        .filter_map(|line| CurlLine::parse(line, key, id))
        .collect()
}

/// Reads all that it prints, until it prints no more.
pub(super) fn read_until_quiet(example: &mut Running) {
    example.read_until(START, |lines| !lines.is_empty());
    let mut before = 0;
    while example.lines().len() > before {
        before = example.lines().len();
        example.read_until(QUIET, |_| false);
    }
}

/// The printed lines that make a request; without a key, one can be made up.
fn lines_for(request: &Request, printed: &[CurlLine], port: u16) -> Vec<CurlLine> {
    let lines: Vec<_> = printed
        .iter()
        .filter(|line| line.asks(request))
        .cloned()
        .collect();
    if lines.is_empty() && request.key == Key::Missing {
        return vec![CurlLine::without_key(request, port)];
    }
    lines
}

/// Runs a line, anew for as long as its answer may take to change, and says whether the expected
/// status answered it.
fn compare(line: &CurlLine, request: &Request, root: &Path) -> bool {
    let expected = request.status;
    let is_expected = |answer: &Result<u16>| matches!(answer, Ok(status) if *status == expected);
    let mut answer = line.status(root);
    for _ in 0..request.within.as_millis() / AGAIN.as_millis() {
        if is_expected(&answer) {
            break;
        }
        thread::sleep(AGAIN);
        answer = line.status(root);
    }
    let passed = is_expected(&answer);
    let answer = match answer {
        Ok(status) if passed => status.to_string(),
        Ok(status) => format!("{status} instead of {expected}"),
        Err(error) => error.to_string(),
    };
    println!("{} {}: {answer}", tally::mark(passed), line.title());
    passed
}
