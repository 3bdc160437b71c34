//! Whether a server refuses connections. sqlx 0.9 takes a refusal for a server that is about to start and tries again until the
//! caller's patience is over: seconds in which the caller could have been told, and have gone elsewhere.
use std::{io, time::Duration};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    net::TcpStream,
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// A connection that is there comes sooner: whoever waits longer wants to know why.
const SOON: Duration = Duration::from_millis(20);
/// What was learned holds for everybody for so long: callers that wait do not knock one by one.
const REFUSED_FOR: Duration = Duration::from_millis(20);
/// A server that takes connections is asked again after this, by one of those who wait.
const OPEN_FOR: Duration = Duration::from_secs(1);
/// A refusal is one round trip; a server that says nothing is not refusing.
const KNOCK: Duration = Duration::from_secs(1);

/// The way to a server, and what the last knock at it told.
#[derive(Debug)]
pub(crate) struct Reach {
    /// None for a socket of the file system: nobody is between us and it.
    address: Option<(String, u16)>,
    known: Mutex<Option<Knock>>,
}

#[derive(Debug, Clone, Copy)]
struct Knock {
    at: Instant,
    refused: bool,
}

impl Reach {
    pub(crate) fn of(settings: &PgConnectOptions) -> Self {
        let address = settings.get_socket().is_none().then(|| (settings.get_host().to_owned(), settings.get_port()));
        Self { address, known: Mutex::default() }
    }

    /// What was wanted of the server; or, if that takes longer than [`SOON`] and the server refuses connections, that it does.
    pub(crate) async fn or_refused<T>(&self, wanted: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        tokio::pin!(wanted);
        if let Ok(outcome) = timeout(SOON, &mut wanted).await {
            return outcome;
        }
        tokio::select! {
            // What has come at last is not thrown away.
            biased;
            outcome = &mut wanted => outcome,
            error = self.refusal() => Err(sqlx::Error::Io(error)),
        }
    }

    /// Waits until the server refuses a connection.
    async fn refusal(&self) -> io::Error {
        let Some((host, port)) = &self.address else { return std::future::pending().await };
        loop {
            let mut known = self.known.lock().await;
            let knock = match *known {
                Some(knock) if knock.at.elapsed() < knock.holds_for() => knock,
                _ => {
                    let knocked = timeout(KNOCK, TcpStream::connect((host.as_str(), *port))).await;
                    let refused = matches!(knocked, Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused);
                    *known.insert(Knock { at: Instant::now(), refused })
                }
            };
            drop(known);
            if knock.refused {
                return io::Error::new(io::ErrorKind::ConnectionRefused, format!("{host}:{port} refuses connections"));
            }
            sleep(knock.holds_for()).await;
        }
    }
}

impl Knock {
    fn holds_for(self) -> Duration {
        if self.refused { REFUSED_FOR } else { OPEN_FOR }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(port: u16) -> Reach {
        Reach::of(&PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port))
    }

    #[tokio::test]
    async fn whoever_waits_for_a_server_that_refuses_connections_is_told() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let never = std::future::pending::<sqlx::Result<()>>();
        let told = timeout(Duration::from_secs(30), reach(port).or_refused(never)).await.unwrap().unwrap_err();
        assert!(matches!(&told, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused), "{told}");
    }

    #[tokio::test]
    async fn whoever_waits_for_a_server_that_takes_connections_goes_on_waiting_and_gets_what_comes() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reach = reach(listener.local_addr().unwrap().port());
        let after_the_knock = async {
            listener.accept().await?;
            Ok(7)
        };
        assert_eq!(reach.or_refused(after_the_knock).await.unwrap(), 7);
    }
}
