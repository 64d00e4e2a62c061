use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use httlib_hpack::Decoder;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::frame::{self, Frame};
use crate::adversarial::answer::{Answer, Outcome};

/// The field blocks of one request.
pub(super) struct Request {
    head: Vec<u8>,
    trailers: Option<Vec<u8>>,
}

impl Request {
    /// `GET /protected` with these fields; a name that starts with `(trailers) ` is a trailer.
    pub(super) fn new(fields: &[(String, String)]) -> Self {
        let mut head = Vec::new();
        for (name, value) in [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/protected"),
        ] {
            frame::encode_field(&mut head, name.as_bytes(), value.as_bytes());
        }
        if fields.first().is_none_or(|(name, _)| name != ":authority") {
            frame::encode_field(&mut head, b":authority", b"localhost");
        }
        let mut trailers = None::<Vec<u8>>;
        for (name, value) in fields {
            let (block, name) = match name.strip_prefix("(trailers) ") {
                Some(name) => (trailers.get_or_insert_default(), name),
                None => (&mut head, name.as_str()),
            };
            frame::encode_field(block, name.as_bytes(), value.as_bytes());
        }
        Self { head, trailers }
    }

    fn wire(&self) -> Vec<u8> {
        let mut wire = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frame::write(&mut wire, frame::SETTINGS, 0, 0, NO_PUSH);
        let end = frame::END_STREAM;
        match &self.trailers {
            None => frame::write_block(&mut wire, end, STREAM, &self.head),
            Some(trailers) => {
                frame::write_block(&mut wire, 0, STREAM, &self.head);
                frame::write_block(&mut wire, end, STREAM, trailers);
            }
        }
        wire
    }
}

/// Sends the request and reads frames until its stream has an end.
pub(super) async fn exchange(address: SocketAddr, request: &Request) -> io::Result<Outcome> {
    let (reader, writer) = TcpStream::connect(address).await?.into_split();
    let mut reading = Reading {
        reader,
        writer,
        unsent: None,
        decoder: Decoder::default(),
        answer: None,
        interim: Vec::new(),
        received: Vec::new(),
    };
    reading.send(&request.wire()).await;
    let outcome = match tokio::time::timeout(READ_LIMIT, reading.until_the_end()).await {
        Ok(Ok(how)) => how,
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
        Ok(Err(error)) => format!("connection lost: {}", error.kind()),
        // Silence is not a stream error.
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    Ok(match reading.answer {
        Some((status, challenges)) => Outcome::Answered(Answer {
            status,
            interim: reading.interim,
            challenges,
            received: reading.received,
        }),
        None => Outcome::Refused(match reading.unsent {
            None => outcome,
            Some(why) => format!("{outcome}; not all was sent: {why}"),
        }),
    })
}

struct Reading {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    /// Why something could not be sent.
    unsent: Option<io::ErrorKind>,
    decoder: Decoder<'static>,
    /// The status and the challenges, once they are there.
    answer: Option<(u16, Vec<String>)>,
    interim: Vec<u16>,
    received: Vec<u8>,
}

impl Reading {
    /// Says how the stream ended.
    async fn until_the_end(&mut self) -> io::Result<String> {
        loop {
            let frame = frame::read(&mut self.reader).await?;
            match frame.kind {
                frame::SETTINGS | frame::PING if frame.stream == 0 && !frame.has(frame::ACK) => {
                    self.acknowledge(&frame).await;
                }
                frame::RST_STREAM if frame.stream == STREAM => {
                    return Ok(format!("stream error {}", code(&frame, 0)));
                }
                frame::GOAWAY => {
                    return Ok(format!("connection error {}", code(&frame, 4)));
                }
                frame::HEADERS if frame.stream == STREAM => self.headers(&frame).await?,
                frame::DATA if frame.stream == STREAM => self.received.extend(&frame.payload),
                _ => continue,
            }
            let ends = matches!(frame.kind, frame::HEADERS | frame::DATA);
            if ends && frame.stream == STREAM && frame.has(frame::END_STREAM) {
                let answered = self.answer.is_some().then(|| "answered".to_owned());
                return answered.ok_or_else(|| io::ErrorKind::InvalidData.into());
            }
        }
    }

    async fn acknowledge(&mut self, frame: &Frame) {
        let mut wire = Vec::new();
        let payload = match frame.kind {
            frame::PING => frame.payload.as_slice(),
            _ => &[],
        };
        frame::write(&mut wire, frame.kind, frame::ACK, 0, payload);
        self.send(&wire).await;
    }

    /// A server may have refused the first bytes already, and what it said of them is still to be read: it
    /// is no end that the others cannot be sent, but it is told with the end that there is.
    async fn send(&mut self, wire: &[u8]) {
        if let Err(error) = self.writer.write_all(wire).await {
            self.unsent.get_or_insert(error.kind());
        }
    }

    async fn headers(&mut self, first: &Frame) -> io::Result<()> {
        let mut block = first.fragment()?.to_vec();
        let mut complete = first.has(frame::END_HEADERS);
        while !complete {
            let next = frame::read(&mut self.reader).await?;
            if next.kind != frame::CONTINUATION || next.stream != STREAM {
                return Err(io::ErrorKind::InvalidData.into());
            }
            complete = next.has(frame::END_HEADERS);
            block.extend(next.payload);
        }
        let mut fields = Vec::new();
        let decoded = self.decoder.decode(&mut block, &mut fields);
        decoded.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;

        let mut status = None;
        let mut challenges = Vec::new();
        for (name, value, _) in &fields {
            self.received.extend([name.as_slice(), value].concat());
            let value = String::from_utf8_lossy(value);
            match name.as_slice() {
                b":status" => status = value.parse::<u16>().ok(),
                b"www-authenticate" => challenges.push(value.into_owned()),
                _ => {}
            }
        }
        match status {
            Some(status) if status < 200 => self.interim.push(status),
            Some(status) => self.answer = Some((status, challenges)),
            // Trailers have no status.
            None => {}
        }
        Ok(())
    }
}

/// The error code that stands at this place of the payload.
fn code(frame: &Frame, at: usize) -> u32 {
    let bytes = frame.payload.get(at..at + 4).unwrap_or_default();
    bytes
        .iter()
        .fold(0, |code, byte| code << 8 | u32::from(*byte))
}

const STREAM: u32 = 1;

/// SETTINGS_ENABLE_PUSH = 0.
const NO_PUSH: &[u8] = &[0, 2, 0, 0, 0, 0];

const READ_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;

    use super::*;

    /// Answers with as many challenges as there are `x` fields, in a body as long as the longest.
    async fn plain(fields: &[(&str, &str)]) -> io::Result<Outcome> {
        let answer = async |got: HeaderMap| {
            let challenges = got.get_all("x").iter();
            let challenges = challenges.map(|it| ("www-authenticate", it.clone()));
            let mut headers = HeaderMap::new();
            for (name, value) in challenges {
                headers.append(name, value);
            }
            (StatusCode::IM_A_TEAPOT, headers, "body")
        };
        let app = Router::new().route("/protected", get(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        let fields: Vec<_> = fields
            .iter()
            .map(|(n, v)| ((*n).into(), (*v).into()))
            .collect();
        exchange(address, &Request::new(&fields)).await
    }

    #[tokio::test]
    async fn a_whole_answer_is_read() {
        let long = "a".repeat(10_000);
        let outcome = plain(&[("x", "Bearer realm=\"a\""), ("x", &long)])
            .await
            .unwrap();
        let Outcome::Answered(answer) = outcome else {
            panic!("refused");
        };
        assert_eq!(answer.status, 418);
        assert!(answer.challenges == ["Bearer realm=\"a\"", long.as_str()]);
        assert!(answer.received.ends_with(b"body"));
    }

    #[tokio::test]
    async fn trailers_follow_the_head() {
        let outcome = plain(&[("(trailers) x", "a")]).await.unwrap();
        assert!(
            matches!(outcome, Outcome::Answered(it) if it.status == 418 && it.challenges.is_empty())
        );
    }

    #[tokio::test]
    async fn malformed_fields_end_the_stream() {
        for bad in [("X", "a"), ("x", "a\r\nb: c"), ("x", "\0")] {
            let outcome = plain(&[bad]).await.unwrap();
            assert!(matches!(outcome, Outcome::Refused(_)), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn fields_beyond_the_limit_are_answered() {
        let long = "a".repeat(17_000);
        let outcome = plain(&[("x", &long)]).await.unwrap();
        assert!(matches!(outcome, Outcome::Answered(it) if it.status == 431));
    }
}
