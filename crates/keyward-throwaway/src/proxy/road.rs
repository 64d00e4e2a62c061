use std::io;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::faults::Faults;

/// How much is read at once, and how many such pieces are on their way each way at most.
const PIECE: usize = 16 * 1024;
const ON_THE_WAY: usize = 16;

/// The way of one connection's bytes.
#[derive(Debug, Clone)]
pub(super) struct Road {
    faults: watch::Receiver<Faults>,
    epoch: u64,
}

/// A piece read, and when it may arrive; none is the end.
type Piece = (Instant, Option<Vec<u8>>);

impl Road {
    /// The way of a connection that was made before the faults change again.
    pub(super) fn new(faults: watch::Receiver<Faults>) -> Self {
        let epoch = faults.borrow().epoch;
        Self { faults, epoch }
    }

    /// Carries until one of both sides, an error or a cut ends it.
    pub(super) async fn run(self, client: TcpStream, upstream: String) {
        tokio::select! {
            () = self.clone().closed() => {}
            // Both sides see how it ended.
            _ended = self.carry(client, upstream) => {}
        }
    }

    async fn closed(mut self) {
        let epoch = self.epoch;
        // The proxy being gone closes too.
        drop(self.faults.wait_for(|faults| faults.closes(epoch)).await);
    }

    async fn carry(mut self, client: TcpStream, upstream: String) -> io::Result<()> {
        self.passing(|| Ok(())).await?;
        let server = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::try_join!(
            self.clone().one_way(from_client, to_server),
            self.clone().one_way(from_server, to_client),
        )?;
        Ok(())
    }

    async fn one_way(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        let reading = self.clone().read(from, sender);
        tokio::try_join!(reading, self.write(to, receiver))?;
        Ok(())
    }

    async fn read(mut self, from: OwnedReadHalf, pieces: mpsc::Sender<Piece>) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        loop {
            from.readable().await?;
            let length = match from.try_read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                // A reset is held back like bytes.
                Err(error) => return self.passing(|| Err(error)).await,
                Ok(length) => length,
            };
            let arrives = Instant::now() + self.faults.borrow().delay;
            let piece = (length > 0).then(|| buffer[..length].to_vec());
            let sent = pieces.send((arrives, piece)).await;
            if length == 0 || sent.is_err() {
                return Ok(());
            }
        }
    }

    async fn write(
        mut self,
        to: OwnedWriteHalf,
        mut pieces: mpsc::Receiver<Piece>,
    ) -> io::Result<()> {
        while let Some((arrives, piece)) = pieces.recv().await {
            sleep_until(arrives).await;
            let Some(piece) = piece else { break };
            let mut left = &piece[..];
            while !left.is_empty() {
                to.writable().await?;
                match self.passing(|| to.try_write(left)).await {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    written => left = &left[written?..],
                }
            }
        }
        // Dropping the half tells the other side of the end, which is held back like bytes.
        self.passing(|| {
            drop(to);
            Ok(())
        })
        .await
    }

    /// Waits until bytes may pass, and acts while that cannot change.
    async fn passing<T>(&mut self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let epoch = self.epoch;
        let passes = self.faults.wait_for(|faults| faults.passes(epoch)).await;
        // What is borrowed here is a lock that whoever changes the faults waits for.
        let _unchanged = passes.map_err(io::Error::other)?;
        act()
    }
}
