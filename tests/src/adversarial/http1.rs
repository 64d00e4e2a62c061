//! Requests written byte by byte to an HTTP/1.1 server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{Answer, Outcome};
use super::server::Server;
use super::{Case, Fixtures, Verdict, judge};

/// Puts the case to a server of its own, whose cache is cold.
pub(super) async fn run(case: &Case, fixtures: &Fixtures) -> Verdict {
    let request = match request(case) {
        Ok(Some(request)) => request,
        Ok(None) => return Verdict::Elsewhere,
        Err(reason) => return Verdict::Failed(reason),
    };
    let server = match Server::start(fixtures).await {
        Ok(server) => server,
        Err(error) => return Verdict::Failed(format!("no server: {error}")),
    };
    match exchange(server.address(), request).await {
        Ok(outcome) => judge::served(case, &outcome, server.lookups(), fixtures).into(),
        Err(error) => Verdict::Failed(format!("no whole exchange: {}", error.kind())),
    }
}

/// The bytes of the request, or `None` when the case holds none.
fn request(case: &Case) -> Result<Option<Vec<u8>>, String> {
    let mut lines: Vec<Vec<u8>> = match (&case.header_hex, &case.header_gen, &case.raw_lines_hex) {
        (Some(value), _, _) => vec![authorization(bytes(value)?)],
        (_, Some(repeated), _) => {
            let mut value = bytes(&repeated.prefix_hex)?;
            value.extend(bytes(&repeated.repeat_hex)?.repeat(repeated.count));
            vec![authorization(value)]
        }
        (_, _, Some(lines)) => lines.iter().map(|it| bytes(it)).collect::<Result<_, _>>()?,
        // The request line alone may be the input.
        (None, None, None) if case.path.is_some() => Vec::new(),
        (None, None, None) => return Ok(None),
    };
    let has_host = lines.iter().any(|line| {
        line.get(..5)
            .is_some_and(|it| it.eq_ignore_ascii_case(b"host:"))
    });
    if !has_host {
        lines.insert(0, b"Host: localhost".to_vec());
    }
    lines.push(b"Connection: close".to_vec());

    let method = case.method.as_deref().unwrap_or("GET");
    let path = case.path.as_deref().unwrap_or("/protected");
    let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for line in lines {
        request.extend(line);
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    Ok(Some(request))
}

fn authorization(value: Vec<u8>) -> Vec<u8> {
    [b"Authorization: ".to_vec(), value].concat()
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    super::hex::decode(hex).ok_or_else(|| "the case's hexadecimal text is not that".to_owned())
}

/// Writes the request and reads to the end of the connection, both at once: a server may answer
/// and close before it has read a long header, and would then wait for nobody.
pub(super) async fn exchange(address: SocketAddr, request: Vec<u8>) -> io::Result<Outcome> {
    let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
    // The writer comes back, so that the sending half stays open until the answer is there.
    let writing = tokio::spawn(async move {
        let written = writer.write_all(&request).await;
        (writer, written)
    });
    let mut received = Vec::new();
    let read = tokio::time::timeout(READ_LIMIT, reader.read_to_end(&mut received)).await;
    writing.abort();
    match read {
        Ok(Ok(_)) => {}
        // What arrived before the reset counts.
        Ok(Err(_)) if !received.is_empty() => {}
        Ok(Err(error)) => return Ok(Outcome::Refused(format!("connection lost: {error}"))),
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    }
    Ok(parse(received))
}

fn parse(received: Vec<u8>) -> Outcome {
    let mut interim = Vec::new();
    let mut rest = received.as_slice();
    loop {
        let Some(end) = rest.windows(4).position(|it| it == b"\r\n\r\n") else {
            return Outcome::Refused("the connection closed without a whole answer".to_owned());
        };
        let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        rest = rest.get(end + 4..).unwrap_or_default();
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let Some(status) = status(status_line) else {
            return Outcome::Refused("the answer is not HTTP/1.1".to_owned());
        };
        if status < 200 {
            interim.push(status);
            continue;
        }
        let challenges = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"))
            .map(|(_, value)| value.trim().to_owned())
            .collect();
        return Outcome::Answered(Answer {
            status,
            interim,
            challenges,
            received,
        });
    }
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ")?;
    rest.split(' ').next()?.parse().ok()
}

const READ_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(received: &[u8]) -> Answer {
        match parse(received.to_vec()) {
            Outcome::Answered(answer) => answer,
            Outcome::Refused(how) => panic!("{how}"),
        }
    }

    #[test]
    fn an_interim_answer_is_not_the_answer() {
        let got = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n\r\n");
        assert_eq!((got.status, got.interim), (401, vec![100]));
        assert_eq!(got.challenges, ["Bearer"]);
    }

    #[test]
    fn half_an_answer_is_none() {
        let half = parse(b"HTTP/1.1 200 OK\r\n".to_vec());
        assert!(matches!(half, Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn an_early_close_does_not_hide_the_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            // Answers after a little and drops the socket with megabytes unread.
            let mut some = [0; 1024];
            socket.read_exact(&mut some).await.unwrap();
            socket
                .write_all(b"HTTP/1.1 431 Too Large\r\n\r\n")
                .await
                .unwrap();
        });
        let outcome = exchange(address, vec![b'a'; 8 << 20]).await.unwrap();
        assert!(matches!(
            outcome,
            Outcome::Answered(Answer { status: 431, .. })
        ));
    }
}
