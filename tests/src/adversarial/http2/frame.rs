//! The frames of RFC 9113 that a client needs, and the plainest encoding of field blocks.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PING: u8 = 0x6;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const CONTINUATION: u8 = 0x9;

pub(super) const ACK: u8 = 0x1;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// The largest payload a peer must take before it says otherwise.
pub(super) const MAX_PAYLOAD: usize = 16_384;

/// One frame as it came.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The fragment of a HEADERS frame without padding and priority.
    pub(super) fn fragment(&self) -> io::Result<&[u8]> {
        let mut rest = self.payload.as_slice();
        let mut padding = 0;
        if self.has(PADDED) {
            let (first, after) = rest.split_first().ok_or(io::ErrorKind::InvalidData)?;
            (padding, rest) = (usize::from(*first), after);
        }
        if self.has(PRIORITY) {
            rest = rest.get(5..).ok_or(io::ErrorKind::InvalidData)?;
        }
        let end = rest.len().checked_sub(padding);
        let end = end.ok_or(io::ErrorKind::InvalidData)?;
        Ok(rest.get(..end).unwrap_or_default())
    }
}

/// Reads one frame.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let mut head = [0; 9];
    from.read_exact(&mut head).await?;
    let [l0, l1, l2, kind, flags, stream @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes([0, l0, l1, l2]));
    let mut payload = vec![0; length.map_err(io::Error::other)?];
    from.read_exact(&mut payload).await?;
    Ok(Frame {
        kind,
        flags,
        stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        payload,
    })
}

/// Writes one frame whose payload is at most [`MAX_PAYLOAD`].
pub(super) fn write(to: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    to.extend(length.to_be_bytes().iter().skip(1));
    to.extend([kind, flags]);
    to.extend(stream.to_be_bytes());
    to.extend(payload);
}

/// Writes a field block as HEADERS and as many CONTINUATION frames as it takes.
pub(super) fn write_block(to: &mut Vec<u8>, flags: u8, stream: u32, block: &[u8]) {
    let mut chunks = block.chunks(MAX_PAYLOAD).peekable();
    let first = chunks.next().unwrap_or_default();
    let end = |last: bool| if last { END_HEADERS } else { 0 };
    let last = chunks.peek().is_none();
    write(to, HEADERS, flags | end(last), stream, first);
    while let Some(chunk) = chunks.next() {
        write(
            to,
            CONTINUATION,
            end(chunks.peek().is_none()),
            stream,
            chunk,
        );
    }
}

/// Encodes one field as a literal with a literal name (RFC 7541 §6.2.2 and §6.2.3).
///
/// `Authorization` is never indexed, as the RFC asks of secrets; everything else merely is not.
pub(super) fn encode_field(to: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let secret = name.eq_ignore_ascii_case(b"authorization");
    to.push(if secret { 0x10 } else { 0x00 });
    for text in [name, value] {
        encode_length(to, text.len());
        to.extend(text);
    }
}

/// An integer with a 7-bit prefix whose eighth bit, "Huffman", is off (RFC 7541 §5.1).
fn encode_length(to: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(0x7f) else {
        to.push(length as u8);
        return;
    };
    to.push(0x7f);
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_rfc() {
        let encoded = |length| {
            let mut to = Vec::new();
            encode_length(&mut to, length);
            to
        };
        assert_eq!(encoded(10), [10]);
        assert_eq!(encoded(126), [126]);
        assert_eq!(encoded(127), [127, 0]);
        // 1337 in a 5-bit prefix is the RFC's example; 1337 - 127 in ours.
        assert_eq!(encoded(1337), [127, 0xba, 0x09]);
    }

    #[test]
    fn a_decoder_reads_what_was_encoded() {
        let long = vec![b'a'; 17_000];
        let mut block = Vec::new();
        encode_field(&mut block, b"Authorization", &long);
        encode_field(&mut block, b"x", b"");
        let mut fields = Vec::new();
        let mut decoder = httlib_hpack::Decoder::default();
        decoder.decode(&mut block, &mut fields).unwrap();
        assert_eq!(
            (fields[0].0.as_slice(), fields[0].1.len()),
            (&b"Authorization"[..], 17_000)
        );
        assert_eq!((fields[1].0.as_slice(), fields[1].1.len()), (&b"x"[..], 0));
    }

    #[tokio::test]
    async fn a_long_block_is_continued() {
        let mut wire = Vec::new();
        write_block(&mut wire, END_STREAM, 1, &vec![7; MAX_PAYLOAD + 1]);
        let mut from = wire.as_slice();
        let first = read(&mut from).await.unwrap();
        assert_eq!(
            (first.kind, first.flags, first.payload.len()),
            (HEADERS, END_STREAM, MAX_PAYLOAD)
        );
        let second = read(&mut from).await.unwrap();
        assert_eq!(
            (second.kind, second.flags, second.payload.len()),
            (CONTINUATION, END_HEADERS, 1)
        );
        assert!(from.is_empty());
    }
}
