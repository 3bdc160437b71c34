//! A proxy in front of a server on this machine that does to the traffic what networks do: it delays, swallows in silence, leaves one end open that the
//! other has left, cuts in the middle of a message, closes late, or hangs up. Kernels with netem would do less: this one knows which direction it is.
//!
//! TCP keeps the bytes of one connection in order, and so does the proxy; what is reordered are the messages of several connections, by delays that differ.
use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// Read at once: a delay is one of a chunk.
const CHUNK: usize = 16 * 1024;

/// What happens to the traffic, of connections that are open as of those to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Every chunk waits between these two, in an order that looks random and is the same each time.
    Slow(Duration, Duration),
    /// Nothing passes in these directions and nobody is told; what was sent is lost, and where something was lost nothing passes ever again, as
    /// when the peer has lost its power. Connections made after the weather has cleared are well.
    Swallowing(Way),
    /// The server's end is closed and the client is not told: whatever it still sends goes nowhere.
    HalfOpen,
    /// Of each connection so many bytes more come back from the server; then both ends are closed, in the middle of a message if it must be.
    Truncating(usize),
    /// When one end closes, the other learns of it so much later.
    ClosingLate(Duration),
    /// Connections are ended at once, with a reset: a partition that says so.
    HangingUp,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    There,
    /// From the server to the client.
    Back,
    /// Both.
    Both,
}

impl Way {
    fn covers(self, other: Self) -> bool {
        self == Self::Both || self == other
    }
}

/// What the connections are told.
#[derive(Debug, Clone, Copy)]
struct Orders {
    weather: Weather,
    /// How often all connections were cut.
    cuts: u64,
}

/// A proxy; with it end all its connections.
pub struct Proxy {
    /// Where it listens instead of the server.
    pub port: u16,
    orders: watch::Sender<Orders>,
    truncated: Arc<AtomicU64>,
    _life: JoinSet<()>,
}

impl Proxy {
    /// In front of a server; the weather is fair.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (orders, seen) = watch::channel(Orders { weather: Weather::Fair, cuts: 0 });
        let mut life = JoinSet::new();
        let truncated = Arc::new(AtomicU64::new(0));
        life.spawn(listen(listener, server, seen, truncated.clone()));
        Self { port, orders, truncated, _life: life }
    }

    /// In front of the server that a URL names (`postgres://…@host:port/…`); with the URL by which it is reached through the proxy.
    pub async fn before_url(url: &str) -> (Self, String) {
        let proxy = Self::before(server(url).await).await;
        let through = through(url, proxy.port);
        (proxy, through)
    }

    /// What happens to the traffic from now on.
    pub fn weather(&self, weather: Weather) {
        self.orders.send_modify(|orders| orders.weather = weather);
    }

    /// How many connections were [truncated](Weather::Truncating) so far.
    #[must_use]
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }

    /// Ends all connections that there are with a reset; the weather stays.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }
}

/// The server that a URL names.
pub(crate) async fn server(url: &str) -> SocketAddr {
    let (_, place) = url.split_once("://").unwrap();
    let (_, place) = place.rsplit_once('@').unwrap_or(("", place));
    let (server, _) = place.split_once('/').unwrap_or((place, ""));
    tokio::net::lookup_host(server).await.unwrap().next().unwrap()
}

/// The URL by which it is reached through a port of this machine.
pub(crate) fn through(url: &str, port: u16) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (who, place) = rest.rsplit_once('@').map_or((String::new(), rest), |(who, place)| (format!("{who}@"), place));
    let (_, path) = place.split_once('/').unwrap_or((place, ""));
    format!("{scheme}://{who}127.0.0.1:{port}/{path}")
}

type Seen = watch::Receiver<Orders>;

async fn listen(listener: TcpListener, server: SocketAddr, seen: Seen, truncated: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connection(client, server, seen.clone(), truncated.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Why a connection passes nothing on any more.
enum End {
    /// Both ends know.
    Told,
    Reset,
    HalfOpen,
}

async fn connection(client: TcpStream, server: SocketAddr, mut seen: Seen, truncated: Arc<AtomicU64>) {
    let Orders { weather, cuts } = *seen.borrow_and_update();
    let reset = async |mut seen: Seen| {
        // The sender outlives its connections.
        let _ = seen.wait_for(|orders| orders.cuts != cuts || orders.weather == Weather::HangingUp).await;
    };
    let (mut client_in, mut client_out) = client.into_split();
    let end = 'connected: {
        match weather {
            Weather::HangingUp => break 'connected End::Reset,
            Weather::HalfOpen | Weather::Swallowing(Way::There | Way::Both) => break 'connected End::HalfOpen,
            _ => {}
        }
        // A server that is away hangs up on the client, as it would itself.
        let Ok(server) = TcpStream::connect(server).await else { break 'connected End::Reset };
        for stream in [client_in.as_ref(), &server] {
            // Only slower without.
            let _ = stream.set_nodelay(true);
        }
        let (mut server_in, mut server_out) = server.into_split();
        let passing = async {
            tokio::try_join!(
                pump(&mut client_in, &mut server_out, Way::There, seen.clone(), &truncated),
                pump(&mut server_in, &mut client_out, Way::Back, seen.clone(), &truncated),
            )
        };
        let mut watched = seen.clone();
        let end = tokio::select! {
            _ = passing => End::Told,
            () = reset(seen.clone()) => End::Reset,
            _ = watched.wait_for(|orders| orders.weather == Weather::HalfOpen) => End::HalfOpen,
        };
        if matches!(end, End::Reset) {
            hang_up(server_out);
        }
        end
    };
    if matches!(end, End::HalfOpen) {
        tokio::select! {
            () = hear_out(&mut client_in) => return,
            () = reset(seen) => {}
        }
    }
    if !matches!(end, End::Told) {
        hang_up(client_out);
    }
}

/// Ends a connection with a reset, without the word of farewell that a half says when it is dropped.
fn hang_up(end: OwnedWriteHalf) {
    // Only more polite without.
    let _ = end.as_ref().set_zero_linger();
    end.forget();
}

/// Takes what is said until the end.
async fn hear_out(from: &mut OwnedReadHalf) {
    let mut chunk = vec![0; CHUNK];
    while matches!(from.read(&mut chunk).await, Ok(1..)) {}
}

/// Passes on what comes. An error ends both directions.
async fn pump(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    way: Way,
    seen: Seen,
    truncated: &AtomicU64,
) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let (mut lost, mut left) = (false, None);
    for count in 0_u32.. {
        let read = from.read(&mut chunk).await?;
        let weather = seen.borrow().weather;
        lost |= matches!(weather, Weather::Swallowing(lost) if lost.covers(way));
        match (read, weather) {
            // Nobody is told of the end either.
            (0, _) if lost => return pending().await,
            (_, _) if lost => continue,
            (0, Weather::ClosingLate(late)) => {
                sleep(late).await;
                return to.shutdown().await;
            }
            (0, _) => return to.shutdown().await,
            (_, Weather::Slow(least, most)) => sleep(between(least, most, count)).await,
            (_, Weather::Truncating(bytes)) if way == Way::Back => {
                let left = left.get_or_insert(bytes);
                if read >= *left {
                    to.write_all(&chunk[..*left]).await?;
                    truncated.fetch_add(1, Ordering::Relaxed);
                    return Err(std::io::ErrorKind::ConnectionAborted.into());
                }
                *left -= read;
            }
            _ => left = None,
        }
        to.write_all(&chunk[..read]).await?;
    }
    Ok(())
}

/// A delay between two, which depends on nothing but the count: the golden ratio spreads evenly what comes one after the other.
fn between(least: Duration, most: Duration, count: u32) -> Duration {
    let part = f64::from(count.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX);
    least + most.saturating_sub(least).mul_f64(part)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// Longer than anything on one machine that is not kept waiting.
    const PROMPT: Duration = Duration::from_secs(5);
    /// Silence that lasts this long is silence.
    const A_WHILE: Duration = Duration::from_millis(200);

    /// A server that sends back what it hears, and the proxy before it.
    async fn echo() -> (Proxy, JoinSet<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut life = JoinSet::new();
        life.spawn(async move {
            let mut each = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                each.spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        (Proxy::before(address).await, life)
    }

    async fn client(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap()
    }

    /// What comes back; `None`: nothing for a while.
    async fn say(stream: &mut TcpStream, words: &[u8]) -> Option<std::io::Result<Vec<u8>>> {
        if let Err(error) = stream.write_all(words).await {
            return Some(Err(error));
        }
        let mut heard = vec![0; 64];
        let read = timeout(A_WHILE, stream.read(&mut heard)).await.ok()?;
        Some(read.map(|read| heard[..read].to_vec()))
    }

    async fn passes(stream: &mut TcpStream) {
        stream.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        timeout(PROMPT, stream.read_exact(&mut heard)).await.unwrap().unwrap();
        assert_eq!(&heard, b"hello");
    }

    #[tokio::test]
    async fn what_was_swallowed_is_lost_with_its_connection_and_new_ones_are_well() {
        let (proxy, _life) = echo().await;
        for way in [Way::There, Way::Back, Way::Both] {
            let (mut idle, mut old) = (client(&proxy).await, client(&proxy).await);
            passes(&mut idle).await;
            passes(&mut old).await;
            proxy.weather(Weather::Swallowing(way));
            assert!(say(&mut old, b"lost").await.is_none(), "{way:?}");
            let mut during = client(&proxy).await;
            assert!(say(&mut during, b"lost").await.is_none(), "{way:?}");
            proxy.weather(Weather::Fair);
            assert!(say(&mut old, b"still lost").await.is_none(), "{way:?}");
            passes(&mut idle).await;
            passes(&mut client(&proxy).await).await;
        }
    }

    #[tokio::test]
    async fn of_a_half_open_connection_the_client_knows_nothing() {
        let (proxy, _life) = echo().await;
        let mut old = client(&proxy).await;
        passes(&mut old).await;
        proxy.weather(Weather::HalfOpen);
        assert!(say(&mut old, b"nobody hears").await.is_none());
        proxy.weather(Weather::Fair);
        assert!(say(&mut old, b"nobody hears").await.is_none());
        proxy.cut();
        assert!(!matches!(say(&mut old, b"now it knows").await, Some(Ok(bytes)) if !bytes.is_empty()));
    }

    #[tokio::test]
    async fn an_answer_is_cut_in_the_middle() {
        let (proxy, _life) = echo().await;
        proxy.weather(Weather::Truncating(7));
        let mut stream = client(&proxy).await;
        stream.write_all(b"0123456789").await.unwrap();
        let mut heard = Vec::new();
        timeout(PROMPT, stream.read_to_end(&mut heard)).await.unwrap().unwrap();
        assert_eq!(heard, b"0123456");
    }

    #[tokio::test]
    async fn whoever_is_hung_up_on_learns_of_it_at_once() {
        let (proxy, _life) = echo().await;
        let mut old = client(&proxy).await;
        passes(&mut old).await;
        proxy.weather(Weather::HangingUp);
        let mut heard = [0; 1];
        assert!(timeout(PROMPT, old.read(&mut heard)).await.unwrap().is_err());
        // The kernel may have taken it in before the proxy hangs up.
        if let Ok(mut new) = TcpStream::connect(("127.0.0.1", proxy.port)).await {
            assert!(timeout(PROMPT, new.read(&mut heard)).await.unwrap().is_err());
        }
    }

    #[tokio::test]
    async fn a_delay_keeps_the_order_and_a_late_close_is_late() {
        let (proxy, _life) = echo().await;
        proxy.weather(Weather::Slow(Duration::from_millis(1), Duration::from_millis(20)));
        let mut stream = client(&proxy).await;
        let begun = tokio::time::Instant::now();
        for _ in 0..5 {
            passes(&mut stream).await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(10), "{:?}", begun.elapsed());
        proxy.weather(Weather::ClosingLate(A_WHILE));
        stream.shutdown().await.unwrap();
        let begun = tokio::time::Instant::now();
        assert_eq!(timeout(PROMPT, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
        assert!(begun.elapsed() >= A_WHILE, "{:?}", begun.elapsed());
    }
}
