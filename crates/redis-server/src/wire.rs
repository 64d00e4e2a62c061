//! As much of the protocol as a test needs (RESP2): a command there, an answer back.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any command of a test takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends commands over one connection, and returns the answer to the last of them: its text, or the
/// texts of its parts, a line each.
pub(crate) fn ask(port: u16, commands: &[&[&str]]) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut answer = String::new();
    for command in commands {
        let mut request = format!("*{}\r\n", command.len());
        for word in *command {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes())?;
        answer = read(&mut reader)?;
    }
    Ok(answer)
}

fn read(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let strange = || io::Error::new(io::ErrorKind::InvalidData, format!("answer {line:?}"));
    let rest = line.get(1..).map(str::trim_end).ok_or_else(strange)?;
    match line.as_bytes()[0] {
        b'+' | b':' => Ok(rest.to_owned()),
        b'-' => Err(io::Error::other(rest.to_owned())),
        b'$' if rest == "-1" => Ok(String::new()),
        b'$' => {
            let length: usize = rest.parse().map_err(|_| strange())?;
            let mut bytes = vec![0; length + 2];
            reader.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        b'*' => {
            let parts: usize = rest.parse().map_err(|_| strange())?;
            let parts: io::Result<Vec<String>> = (0..parts).map(|_| read(reader)).collect();
            Ok(parts?.join("\n"))
        }
        _ => Err(strange()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &str) -> io::Result<String> {
        read(&mut bytes.as_bytes())
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(answer("+PONG\r\n").unwrap(), "PONG");
        assert_eq!(answer(":12\r\n").unwrap(), "12");
        assert_eq!(answer("$4\r\na\r\nb\r\n").unwrap(), "a\r\nb");
        assert_eq!(answer("*2\r\n$1\r\na\r\n:2\r\n").unwrap(), "a\n2");
        assert_eq!(answer("$-1\r\n").unwrap(), "");
        assert_eq!(answer("-ERR no\r\n").unwrap_err().to_string(), "ERR no");
        assert!(answer("").is_err());
        assert!(answer("$5\r\nab").is_err());
    }
}
