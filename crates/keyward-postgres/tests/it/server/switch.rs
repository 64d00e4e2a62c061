use keyward_throwaway::Server;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The address that clients know, whichever server is behind it.
#[derive(Debug)]
pub(super) struct Switch {
    port: u16,
    towards: watch::Sender<String>,
    accepting: AbortHandle,
}

impl Switch {
    pub(super) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let towards = watch::Sender::new(server.address());
        let accepting = tokio::spawn(accept(listener, towards.clone())).abort_handle();
        Self {
            port,
            towards,
            accepting,
        }
    }

    /// Connections from now on lead to this server; those of before are cut.
    pub(super) fn turn_to(&self, server: &Server) {
        self.towards.send_replace(server.address());
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, towards: watch::Sender<String>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let mut turned = towards.subscribe();
        tokio::spawn(async move {
            let address = turned.borrow_and_update().clone();
            let carried = async {
                let mut server = TcpStream::connect(address).await?;
                copy_bidirectional(&mut client, &mut server).await
            };
            // Either way, both connections are closed by being dropped.
            tokio::select! {
                _carried = carried => {}
                _turned = turned.changed() => {}
            }
        });
    }
}
