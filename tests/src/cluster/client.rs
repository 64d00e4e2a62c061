use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// One connection to a node, which is kept; HTTP/1.1, written by hand so that nothing tries again
/// behind the test's back.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// An answer, and between which moments it was given.
#[derive(Debug)]
pub struct Answer {
    /// When the request was about to be sent.
    pub asked: Instant,
    /// When the answer was there.
    pub answered: Instant,
    /// Its status.
    pub status: u16,
    /// Whether it says when to try again.
    pub retry_after: bool,
    /// Its body, where that is JSON.
    pub body: Value,
}

impl Client {
    /// A client of the node at that address.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// Whether the node accepts a key.
    ///
    /// # Errors
    /// When the node cannot be reached.
    pub async fn whoami(&mut self, key: &str) -> io::Result<Answer> {
        let header = format!("Authorization: Bearer {key}\r\n");
        self.ask("GET", "/whoami", &header).await
    }

    /// Makes a request without a body.
    ///
    /// # Errors
    /// When the node cannot be reached.
    pub async fn ask(&mut self, method: &str, path: &str, header: &str) -> io::Result<Answer> {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: node\r\n{header}\r\n");
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.address).await?,
        };
        stream.set_nodelay(true)?;
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let (head, body) = read(&mut stream).await?;
        let answered = Instant::now();
        self.stream = Some(stream);
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Ok(Answer {
            asked,
            answered,
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            retry_after: head.to_ascii_lowercase().contains("\r\nretry-after:"),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = read.split_off(end + 4);
            let head = String::from_utf8_lossy(&read).into_owned();
            return Ok((head.clone(), rest(stream, &head, body).await?));
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn rest(stream: &mut TcpStream, head: &str, mut body: Vec<u8>) -> io::Result<Vec<u8>> {
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length
        .map_or(Some(0), |length| length.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}
