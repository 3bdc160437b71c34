//! What is ready together leaves together. A connection of HTTP/2 is written to as soon as one answer is there, though those of many calls are about to be (what was
//! committed together is answered together): a system call, a packet and somebody woken for each. Here a flush waits until whatever else was ready has had its turn.
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tonic::transport::{Channel, Endpoint, server::Connected};
use tower::ServiceExt;

/// Bytes held at most; what comes then waits until they have left. Four of the largest frames.
const ROOM: usize = 64 << 10;

/// A stream whose writes are gathered. It is for those who read whenever they are woken, as a connection of HTTP/2 does: what was flushed leaves with the next read.
#[derive(Debug)]
pub struct Gather<S> {
    stream: S,
    held: Vec<u8>,
    /// How much of that has left.
    left: usize,
    flushed: bool,
}

impl<S> Gather<S> {
    /// Gathers what is written to `stream`.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self { stream, held: Vec::new(), left: 0, flushed: false }
    }
}

impl<S: AsyncWrite + Unpin> Gather<S> {
    /// Sends all that is held.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.left < self.held.len() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.held[self.left..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left += sent;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.held.clear();
        (self.left, self.flushed) = (0, false);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gather<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.flushed
            && let Poll::Ready(Err(error)) = self.poll_send(context)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gather<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.held.len() >= ROOM {
            ready!(self.poll_send(context))?;
        }
        let before = self.held.len();
        for slice in slices {
            let room = ROOM - self.held.len();
            self.held.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.held.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.flushed && !self.held.is_empty() {
            self.flushed = true;
            // Whoever wakes itself comes after all that are ready.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: Connected> Connected for Gather<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> S::ConnectInfo {
        self.stream.connect_info()
    }
}

/// The way to `endpoint`, on which questions are gathered as answers are; connecting waits for the first.
#[must_use]
pub fn channel(endpoint: &Endpoint) -> Channel {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let connector = connector.map_response(|stream: TokioIo<TcpStream>| TokioIo::new(Gather::new(stream.into_inner())));
    endpoint.connect_with_connector_lazy(connector)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use proptest::prelude::*;

    use super::*;

    /// What the other end has, and how much it takes of each write, the last first: zero is a write that has to wait. Of all others it takes everything.
    #[derive(Default)]
    struct Other {
        has: Vec<u8>,
        takes: Vec<usize>,
        writes: usize,
    }

    impl AsyncRead for Other {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Other {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.writes += 1;
            let takes = self.takes.pop().unwrap_or(usize::MAX).min(bytes.len());
            if takes == 0 {
                return Poll::Pending;
            }
            self.has.extend_from_slice(&bytes[..takes]);
            Poll::Ready(Ok(takes))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(gather: &mut Gather<Other>, context: &mut Context<'_>, bytes: &[u8]) -> usize {
        match Pin::new(gather).poll_write(context, bytes) {
            Poll::Ready(written) => written.unwrap(),
            Poll::Pending => 0,
        }
    }

    fn read(gather: &mut Gather<Other>, context: &mut Context<'_>) {
        assert!(Pin::new(gather).poll_read(context, &mut ReadBuf::new(&mut [0])).is_pending());
    }

    #[test]
    fn answers_that_are_ready_together_leave_in_one_write_and_whoever_reads_is_woken_for_it() {
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut context = Context::from_waker(&waker);
        let mut gather = Gather::new(Other::default());
        for answer in [b"one", b"two", b"six"] {
            assert_eq!(write(&mut gather, &mut context, answer), 3);
            assert!(Pin::new(&mut gather).poll_flush(&mut context).is_ready());
        }
        assert_eq!((gather.stream.writes, woken.0.load(Ordering::Relaxed)), (0, 1));
        read(&mut gather, &mut context);
        assert_eq!((gather.stream.writes, &*gather.stream.has), (1, &b"onetwosix"[..]));
        read(&mut gather, &mut context);
        assert_eq!(gather.stream.writes, 1, "there is nothing more");
    }

    #[test]
    fn what_was_not_flushed_leaves_before_the_end() {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut gather = Gather::new(Other::default());
        write(&mut gather, &mut context, b"goodbye");
        read(&mut gather, &mut context);
        assert_eq!(gather.stream.writes, 0, "nobody has asked for it yet");
        assert!(Pin::new(&mut gather).poll_shutdown(&mut context).is_ready());
        assert_eq!(gather.stream.has, b"goodbye");
    }

    proptest! {
        /// Whatever is written, flushed and read, and whatever the other end takes: it has what was written, in order, and all of it once it takes all again.
        #[test]
        fn nothing_is_lost_or_moved(
            steps in proptest::collection::vec((0..4_u8, 1..40_000_usize), 0..60),
            takes in proptest::collection::vec(prop_oneof![Just(0), 1..50_000_usize], 0..60),
        ) {
            let mut context = Context::from_waker(std::task::Waker::noop());
            let mut gather = Gather::new(Other { takes, ..Other::default() });
            let mut written = Vec::new();
            for (step, bytes) in steps {
                match step {
                    0 | 1 => {
                        let bytes: Vec<u8> = (written.len()..written.len() + bytes).map(|number| u8::try_from(number % 251).unwrap()).collect();
                        let taken = write(&mut gather, &mut context, &bytes);
                        written.extend_from_slice(&bytes[..taken]);
                    }
                    2 => prop_assert!(Pin::new(&mut gather).poll_flush(&mut context).is_ready()),
                    _ => read(&mut gather, &mut context),
                }
                prop_assert!(gather.held.len() <= ROOM);
                prop_assert!(written.starts_with(&gather.stream.has));
            }
            gather.stream.takes.clear();
            prop_assert!(Pin::new(&mut gather).poll_flush(&mut context).is_ready());
            read(&mut gather, &mut context);
            prop_assert!(gather.stream.has == written);
        }
    }
}
