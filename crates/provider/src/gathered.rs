//! A connection that hands the kernel head and body of a small request as one piece.

use std::io::{Error, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

/// The most bytes that are copied together. What is longer goes as it lies.
const GATHERED_MAX: usize = 16 * 1024;

/// A connection, and room to put pieces together.
#[derive(Debug)]
pub(crate) struct Gathered<C> {
    inner: C,
    /// What was put together last; its room is used again.
    whole: Vec<u8>,
}

impl<C> Gathered<C> {
    pub(crate) fn new(inner: C) -> Self {
        Self { inner, whole: Vec::new() }
    }
}

impl<C: Read + Unpin> Read for Gathered<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_read(context, into)
    }
}

impl<C: Write + Unpin> Write for Gathered<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        piece: &[u8],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.inner).poll_write(context, piece)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// A call of the kernel that takes a list costs a tenth more of a processor than one that takes a piece.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let Self { inner, whole } = &mut *self;
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        if bytes > GATHERED_MAX {
            return Pin::new(inner).poll_write_vectored(context, pieces);
        }
        whole.clear();
        pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
        Pin::new(inner).poll_write(context, whole)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, IoSlice};
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use hyper::rt::Write;

    use super::{GATHERED_MAX, Gathered};

    /// Takes at most so many bytes at a time, and remembers what each call was handed.
    struct Far {
        takes: usize,
        calls: Vec<Vec<usize>>,
        taken: Vec<u8>,
    }

    impl Write for Far {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            piece: &[u8],
        ) -> Poll<Result<usize, Error>> {
            self.poll_write_vectored(context, &[IoSlice::new(piece)])
        }

        fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
            pieces: &[IoSlice<'_>],
        ) -> Poll<Result<usize, Error>> {
            self.calls.push(pieces.iter().map(|piece| piece.len()).collect());
            let all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
            let taken = all.len().min(self.takes);
            self.taken.extend(all.iter().take(taken));
            Poll::Ready(Ok(taken))
        }
    }

    /// Writes head and body as a client does, the rest after each call, and tells what the far end was handed.
    fn written(takes: usize, head: &[u8], body: &[u8]) -> Far {
        let mut connection = Gathered::new(Far { takes, calls: Vec::new(), taken: Vec::new() });
        let mut context = Context::from_waker(Waker::noop());
        let whole: Vec<u8> = [head, body].concat();
        let mut done = 0;
        while done < whole.len() {
            let pieces = [
                IoSlice::new(head.get(done..).unwrap_or_default()),
                IoSlice::new(body.get(done.saturating_sub(head.len())..).unwrap_or_default()),
            ];
            let Poll::Ready(count) = Pin::new(&mut connection).poll_write_vectored(&mut context, &pieces)
            else {
                panic!("it is always ready");
            };
            done += count.unwrap();
        }
        assert_eq!(connection.inner.taken, whole);
        connection.inner
    }

    #[test]
    fn a_small_request_is_one_piece() {
        assert_eq!(written(usize::MAX, b"head", b"body").calls, [[8]]);
        assert_eq!(written(3, b"head", b"body").calls, [[8], [5], [2]]);
    }

    #[test]
    fn a_large_one_goes_as_it_lies() {
        let body = vec![7; GATHERED_MAX];
        assert_eq!(written(usize::MAX, b"head", &body).calls, [[4, GATHERED_MAX]]);
    }
}
