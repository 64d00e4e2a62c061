use std::io;
use std::net::{Ipv4Addr, TcpListener};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::faults::Faults;
use super::road::Road;

/// What listens, and the task that accepts; dropping it stops both.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    entrance: Entrance,
    accepting: JoinHandle<()>,
}

/// What a connection needs to be carried.
#[derive(Debug, Clone)]
struct Entrance {
    upstream: String,
    faults: watch::Receiver<Faults>,
}

impl Listener {
    pub(super) fn start(
        port: u16,
        upstream: &str,
        faults: &watch::Sender<Faults>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        let entrance = Entrance {
            upstream: upstream.to_owned(),
            faults: faults.subscribe(),
        };
        let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
        let accepting = tokio::spawn(accept(listener, entrance.clone()));
        Ok(Self {
            socket,
            entrance,
            accepting,
        })
    }

    /// Accepts whoever has connected up to now, with the faults of now.
    pub(super) fn accept_waiting(&self) {
        while let Ok((client, _)) = self.socket.accept() {
            // A client that has left already is none.
            if client.set_nonblocking(true).is_ok()
                && let Ok(client) = TcpStream::from_std(client)
            {
                self.entrance.admit(client);
            }
        }
    }

    /// Returns when the socket is closed, so that the system refuses.
    pub(super) async fn close(mut self) {
        self.accepting.abort();
        // It ends as it was told to.
        drop((&mut self.accepting).await);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Entrance {
    fn admit(&self, client: TcpStream) {
        let road = Road::new(self.faults.clone());
        tokio::spawn(road.run(client, self.upstream.clone()));
    }
}

async fn accept(listener: tokio::net::TcpListener, entrance: Entrance) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => entrance.admit(client),
            // For example a client that has left already.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
