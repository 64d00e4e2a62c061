mod faults;
mod listener;
mod road;

use std::time::Duration;

use postgres_cluster::url;
use tokio::sync::{Mutex, watch};

use self::faults::Faults;
use self::listener::Listener;
use crate::Error;

/// A TCP proxy on 127.0.0.1: the network between a client and a server, and its faults.
///
/// From the return of [`freeze`](Self::freeze), [`cut`](Self::cut) or
/// [`blackhole`](Self::blackhole) on, no byte passes. Its port stays the same. Dropping it closes
/// every connection.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    upstream: String,
    faults: watch::Sender<Faults>,
    listener: Mutex<Option<Listener>>,
}

impl Proxy {
    /// Starts one in front of `HOST:PORT`.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn to(address: impl Into<String>) -> Result<Self, Error> {
        let proxy = Self {
            port: postgres_cluster::free_port()?,
            upstream: address.into(),
            faults: watch::Sender::new(Faults::default()),
            listener: Mutex::new(None),
        };
        proxy.restore().await?;
        Ok(proxy)
    }

    /// `127.0.0.1:PORT`, where clients connect.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL, going through the proxy. One that holds no `HOST` is returned as it is.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        url::with_address(url, &self.address()).unwrap_or_else(|| url.to_owned())
    }

    /// Bytes stop, both ways. Connections stay open, new ones are accepted and not answered.
    pub fn freeze(&self) {
        self.faults.send_modify(Faults::freeze);
    }

    /// Ends [`freeze`](Self::freeze): what was held back arrives now.
    pub fn thaw(&self) {
        self.faults.send_modify(Faults::thaw);
    }

    /// Closes every connection, and refuses new ones until [`restore`](Self::restore).
    pub async fn cut(&self) {
        // Dropping the listener is what makes the system refuse.
        if let Some(listener) = self.listener.lock().await.take() {
            listener.close().await;
        }
        self.faults.send_modify(Faults::cut);
    }

    /// The connections of now, and those made until [`restore`](Self::restore), stay open and carry
    /// nothing, for ever: neither bytes nor the end of the other side.
    pub fn blackhole(&self) {
        self.faults.send_modify(Faults::blackhole);
    }

    /// Ends [`cut`](Self::cut) and [`blackhole`](Self::blackhole) for new connections.
    ///
    /// # Errors
    ///
    /// When another process has taken the port meanwhile.
    pub async fn restore(&self) -> Result<(), Error> {
        let mut listener = self.listener.lock().await;
        // Clients that have connected, but which the task has not seen yet, met the blackhole too.
        if let Some(listener) = &*listener {
            listener.accept_waiting();
        }
        self.faults.send_modify(Faults::restore);
        if listener.is_none() {
            let started = Listener::start(self.port, &self.upstream, &self.faults);
            *listener = Some(started.map_err(Error::because("the proxy cannot listen"))?);
        }
        Ok(())
    }

    /// Every byte from now on arrives that much later than it would, each way. Throughput is
    /// unchanged.
    pub fn delay(&self, delay: Duration) {
        self.faults.send_modify(|faults| faults.delay = delay);
    }
}
