//! A way to a server that loses the answer to a commit: the server has it, the client never hears.
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use chassis::{DatabaseSettings, Secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The way. While `losses` is above zero, the next commits lose their answers, each with its connection.
pub(crate) struct Lossy {
    pub(crate) settings: DatabaseSettings,
    pub(crate) losses: Arc<AtomicU32>,
    _ways: JoinSet<()>,
}

impl Lossy {
    /// A way to this database.
    pub(crate) async fn to(database: &DatabaseSettings) -> Self {
        let url = database.url.expose();
        let (before, place) = url.rsplit_once('@').unwrap();
        let (server, name) = place.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let (losses, server) = (Arc::new(AtomicU32::new(0)), server.to_owned());
        let mut ways = JoinSet::new();
        let lost = losses.clone();
        ways.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (server, lost) = (server.clone(), lost.clone());
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        carry(client, server, &lost).await;
                    }
                });
            }
        });
        let settings = DatabaseSettings { url: Secret::new(format!("{before}@{own}/{name}")), ..database.clone() };
        Self { settings, losses, _ways: ways }
    }
}

/// Carries both ways, until either side ends or a commit's answer is to be lost.
async fn carry(mut client: TcpStream, mut server: TcpStream, losses: &AtomicU32) {
    // Without this a small answer waits for the acknowledgement of the one before.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (mut from_client, mut from_server) = ([0; 65_536], [0; 65_536]);
    let mut lose = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(count @ 1..) = read else { return };
                let sent = &from_client[..count];
                // A simple query: Q, its length, the statement.
                if sent.starts_with(b"Q") && sent.get(5..).is_some_and(|statement| statement.starts_with(b"COMMIT")) {
                    lose = losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                }
                if server.write_all(sent).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Ok(count @ 1..) = read else { return };
                // It has answered, so it has committed; nobody will hear of it.
                if lose || client.write_all(&from_server[..count]).await.is_err() { return }
            }
        }
    }
}
