//! A tap on the way between a service and its server: it passes everything on, understands just enough of PostgreSQL's and AMQP's
//! protocols to notice that a moment has come, and holds that moment for as long as it takes to kill somebody.
use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, oneshot, watch},
    task::JoinSet,
};

use crate::proxy;

/// Read at once; messages that matter here are far smaller, so that none is cut in two but by bad luck, and then the next is caught.
const CHUNK: usize = 64 * 1024;

/// How sqlx begins the name of a prepared statement.
const NAME: &[u8] = b"sqlx_s_";
/// The answer to a commit: `C`, its length, the command.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";
/// The server is ready for more, and in no transaction.
const READY: &[u8] = b"Z\0\0\0\x05I";

/// A moment that a tap can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The service has asked to commit a transaction in which it ran this statement; the server never hears of it.
    CommitAsked(&'static str),
    /// The server has committed it; the service never hears of that.
    CommitAnswered(&'static str),
    /// The service has sent a message; the broker never hears of it.
    Sent,
    /// The broker has confirmed a message; the service never hears of that.
    Confirmed,
    /// The service acknowledges a message; the broker never hears of it.
    Acknowledging,
    /// The broker has heard the acknowledgement.
    Acknowledged,
}

/// What to do with what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    On,
    HoldBefore,
    HoldAfter,
}

type Armed = Arc<Mutex<Option<(Moment, oneshot::Sender<()>)>>>;

/// A tap; it ends when dropped.
pub struct Tap {
    /// Where it listens instead of the server.
    pub port: u16,
    server: watch::Sender<SocketAddr>,
    armed: Armed,
    _life: JoinSet<()>,
}

impl Tap {
    /// In front of a server on this machine; of SQL it listens for these statements.
    pub async fn on(server: u16, statements: &'static [&'static str]) -> Self {
        Self::before(here(server), statements).await
    }

    /// In front of the server that a URL names; with the URL by which it is reached through the tap.
    pub async fn before_url(url: &str, statements: &'static [&'static str]) -> (Self, String) {
        let tap = Self::before(proxy::server(url).await, statements).await;
        let through = proxy::through(url, tap.port);
        (tap, through)
    }

    async fn before(server: SocketAddr, statements: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Armed::default();
        let mut life = JoinSet::new();
        let (server, way) = watch::channel(server);
        life.spawn(listen(listener, way, statements, armed.clone()));
        Self { port, server, armed, _life: life }
    }

    /// Leads to another server from now on, and hangs up on everybody who still speaks with the one before.
    pub fn redirect(&self, server: u16) {
        self.server.send_replace(here(server));
    }

    /// Hangs up on everybody; what was held is lost.
    pub fn hang_up(&self) {
        self.server.send_modify(|_| {});
    }

    /// Waits for this moment and holds it; whoever awaits the answer then has all the time there is. What is held is lost when its connection ends.
    pub async fn hold(&self, moment: Moment) -> oneshot::Receiver<()> {
        let (reached, hears) = oneshot::channel();
        *self.armed.lock().await = Some((moment, reached));
        hears
    }

    /// Holds nothing from now on.
    pub async fn rest(&self) {
        *self.armed.lock().await = None;
    }
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn listen(listener: TcpListener, way: watch::Receiver<SocketAddr>, statements: &'static [&'static str], armed: Armed) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connection(client, way.clone(), Ear { statements, ..Ear::default() }, armed.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(client: TcpStream, mut way: watch::Receiver<SocketAddr>, ear: Ear, armed: Armed) {
    let server = *way.borrow_and_update();
    // A server that is away hangs up on the client, as it would itself.
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        // Only slower without.
        let _ = stream.set_nodelay(true);
    }
    let ear = Arc::new(Mutex::new(ear));
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    // Whichever side ends, both do.
    tokio::select! {
        () = pump(client_in, server_out, true, ear.clone(), armed.clone()) => {}
        () = pump(server_in, client_out, false, ear, armed) => {}
        _ = way.changed() => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, asks: bool, ear: Arc<Mutex<Ear>>, armed: Armed) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let Ok(read @ 1..) = from.read(&mut chunk).await else { return };
        let bytes = &chunk[..read];
        let (pass, reached) = {
            let mut armed = armed.lock().await;
            let moment = armed.as_ref().map(|(moment, _)| *moment);
            let pass = ear.lock().await.hear(moment, asks, bytes);
            (pass, if pass == Pass::On { None } else { armed.take() })
        };
        if pass != Pass::HoldBefore && to.write_all(bytes).await.is_err() {
            return;
        }
        if let Some((_, reached)) = reached {
            // Nobody waits any more if the test has failed meanwhile.
            let _ = reached.send(());
            // Whatever else it says is not heard either, until it is dead.
            while matches!(from.read(&mut chunk).await, Ok(1..)) {}
            return;
        }
    }
}

/// What is known of one connection.
#[derive(Debug, Default)]
struct Ear {
    /// The statements that are listened for.
    statements: &'static [&'static str],
    /// Names under which the server has prepared them.
    prepared: Vec<(&'static str, Vec<u8>)>,
    /// Whether a transaction has begun that is not yet over.
    inside: bool,
    /// Those that were run since it began.
    ran: Vec<&'static str>,
    /// One that runs outside: a transaction by itself.
    by_itself: Option<&'static str>,
}

impl Ear {
    fn hear(&mut self, moment: Option<Moment>, asks: bool, bytes: &[u8]) -> Pass {
        let by_itself = self.by_itself;
        if asks {
            self.hear_sql(bytes);
        } else if has(bytes, READY) {
            self.by_itself = None;
        }
        match moment {
            Some(Moment::CommitAsked(statement)) if asks => {
                let asked = self.ran.contains(&statement) && has(bytes, b"COMMIT\0");
                if asked || self.by_itself == Some(statement) { Pass::HoldBefore } else { Pass::On }
            }
            Some(Moment::CommitAnswered(statement)) if !asks => {
                let answered = self.ran.contains(&statement) && has(bytes, COMMITTED);
                if answered || by_itself == Some(statement) && has(bytes, READY) { Pass::HoldBefore } else { Pass::On }
            }
            Some(Moment::Sent) if asks && frame(bytes, 40) => Pass::HoldBefore,
            Some(Moment::Confirmed) if !asks && frame(bytes, 80) => Pass::HoldBefore,
            Some(Moment::Acknowledging) if asks && frame(bytes, 80) => Pass::HoldBefore,
            Some(Moment::Acknowledged) if asks && frame(bytes, 80) => Pass::HoldAfter,
            _ => Pass::On,
        }
    }

    fn hear_sql(&mut self, bytes: &[u8]) {
        if has(bytes, b"BEGIN") {
            self.inside = true;
            self.ran.clear();
        }
        for statement in self.statements {
            if let Some(at) = find(bytes, statement.as_bytes()) {
                self.ran.push(statement);
                // A statement is prepared under a name that ends right before its text; sqlx begins all of its names alike.
                let text = bytes[..at].iter().rposition(|byte| *byte == 0).unwrap_or(0);
                if let Some(name) = bytes[..text].windows(NAME.len()).rposition(|window| window == NAME) {
                    self.prepared.push((statement, [&bytes[name..text], b"\0"].concat()));
                }
            }
        }
        self.ran.extend(self.prepared.iter().filter(|(_, name)| has(bytes, name)).map(|(statement, _)| *statement));
        if !self.inside {
            let bound = self
                .prepared
                .iter()
                .find(|(_, name)| bytes.first() == Some(&b'B') && bytes[1..].get(5..).is_some_and(|said| said.starts_with(name)));
            self.by_itself = bound.map(|(statement, _)| *statement).or(self.by_itself);
        }
        if has(bytes, b"COMMIT\0") || has(bytes, b"ROLLBACK\0") {
            self.inside = false;
        }
    }
}

/// Whether there is a method frame of AMQP's class `basic` in it.
fn frame(bytes: &[u8], method: u8) -> bool {
    bytes.windows(11).any(|frame| frame[0] == 1 && frame[7..] == [0, 60, 0, method])
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    find(bytes, needle).is_some()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_counts_only_after_its_statement() {
        let moment = Some(Moment::CommitAsked("INSERT INTO inbox"));
        let mut ear = Ear { statements: &["DELETE FROM outbox", "INSERT INTO inbox"], ..Ear::default() };
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bBEGIN\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bCOMMIT\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bBEGIN\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"P\0\0\0\x40sqlx_s_3\0INSERT INTO inbox (id) VALUES ($1)\0\0\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bCOMMIT\0"), Pass::HoldBefore);
        // The next transaction runs it by its name.
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bBEGIN\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"B\0\0\0\x20\0sqlx_s_33\0\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bCOMMIT\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"Q\0\0\0\x0bBEGIN\0"), Pass::On);
        assert_eq!(ear.hear(moment, true, b"B\0\0\0\x20\0sqlx_s_3\0\0"), Pass::On);
        let answer = Some(Moment::CommitAnswered("INSERT INTO inbox"));
        assert_eq!(ear.hear(answer, false, b"C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I"), Pass::HoldBefore);
    }

    #[test]
    fn a_statement_outside_a_transaction_is_one() {
        const STATEMENTS: &[&str] = &["INSERT INTO requests"];
        let (asked, answered) = (Some(Moment::CommitAsked(STATEMENTS[0])), Some(Moment::CommitAnswered(STATEMENTS[0])));
        let bind = b"B\0\0\0\x20\0sqlx_s_3\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";
        let mut ear = Ear { statements: STATEMENTS, ..Ear::default() };
        // Prepared, it does nothing yet.
        assert_eq!(
            ear.hear(asked, true, b"P\0\0\0\x40sqlx_s_3\0WITH x AS (INSERT INTO requests VALUES ($1))\0\0\0S\0\0\0\x04"),
            Pass::On
        );
        assert_eq!(ear.hear(answered, false, b"1\0\0\0\x04Z\0\0\0\x05I"), Pass::On);
        assert_eq!(ear.hear(answered, true, bind), Pass::On);
        assert_eq!(ear.hear(answered, false, b"2\0\0\0\x04"), Pass::On);
        assert_eq!(ear.hear(answered, false, b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"), Pass::HoldBefore);
        assert_eq!(ear.hear(answered, false, b"Z\0\0\0\x05I"), Pass::On);
        assert_eq!(ear.hear(asked, true, b"Q\0\0\0\x0bBEGIN\0"), Pass::On);
        assert_eq!(ear.hear(asked, true, bind), Pass::On);
        assert_eq!(ear.hear(answered, true, b"Q\0\0\0\x0bCOMMIT\0"), Pass::On);
        assert_eq!(ear.hear(asked, true, bind), Pass::HoldBefore);
    }

    #[test]
    fn an_acknowledgement_is_told_from_a_message() {
        let ack = [&[1, 0, 1, 0, 0, 0, 13][..], &[0, 60, 0, 80], &[0; 9], &[0xce]].concat();
        let mut ear = Ear::default();
        assert_eq!(ear.hear(Some(Moment::Confirmed), false, &ack), Pass::HoldBefore);
        assert_eq!(ear.hear(Some(Moment::Confirmed), true, &ack), Pass::On);
        assert_eq!(ear.hear(Some(Moment::Acknowledged), true, &ack), Pass::HoldAfter);
        assert_eq!(ear.hear(Some(Moment::Sent), true, &ack), Pass::On);
    }
}
