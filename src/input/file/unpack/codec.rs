//! The four decompressors, from slice to slice, all in one shape.
//!
//! Invariants: what was decoded before a wound is told as written beside the trouble; none of the decoders holds decoded
//! bytes back while it asks for more. A decoder that has told a trouble is not asked again.
#![expect(
    clippy::disallowed_types,
    reason = "the one door to decompression of files, which streams and never gathers"
)]

use bzip2::Decompress as Bzip2;
use flate2::{Decompress as Gzip, FlushDecompress};
use liblzma::stream::{Action, Stream as Xz};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::fault::Trouble;
use super::kind::Packing;

/// The largest window of zstd, as a power of two: what its own program takes unasked.
const WINDOW_LOG: u32 = 27;

/// For xz: that window, and what its decoder needs beside it.
const XZ_MEMORY: u64 = (1 << WINDOW_LOG) + (1 << 20);

/// The largest window of gzip, as a power of two.
const GZIP_WINDOW_LOG: u8 = 15;

pub(super) enum Codec {
    Gzip(Gzip),
    Zstd(Zstd),
    Bzip2(Bzip2),
    Xz(Xz),
}

/// What became of a call.
pub(super) struct Step {
    /// Bytes taken from the input.
    pub(super) read: usize,
    /// Bytes that came out.
    pub(super) written: usize,
    /// Whether the member is at its end.
    pub(super) is_end: Result<bool, Trouble>,
}

impl Codec {
    /// For one member, stream or frame.
    pub(super) fn new(packing: Packing) -> Result<Self, Trouble> {
        Ok(match packing {
            Packing::Gzip => Self::Gzip(Gzip::new_gzip(GZIP_WINDOW_LOG)),
            Packing::Zstd => Self::Zstd(Zstd::new()?),
            Packing::Bzip2 => Self::Bzip2(Bzip2::new(false)),
            Packing::Xz => Self::Xz(Xz::new_stream_decoder(XZ_MEMORY, 0).map_err(xz_trouble)?),
        })
    }

    /// Gets ready for the next one, behind the end of the last.
    pub(super) fn restart(&mut self, packing: Packing) -> Result<(), Trouble> {
        match self {
            // Contexts are kept: Fluentd appends a frame for each event that it buffers.
            Self::Zstd(_) => {}
            Self::Gzip(decoder) => decoder.reset(true),
            Self::Bzip2(_) | Self::Xz(_) => *self = Self::new(packing)?,
        }
        Ok(())
    }

    /// Decompresses some of `from` into `into`, which has room. Nothing read and nothing written asks for more input.
    pub(super) fn step(&mut self, from: &[u8], into: &mut [u8]) -> Step {
        match self {
            Self::Gzip(decoder) => counted(
                decoder,
                |gzip| (gzip.total_in(), gzip.total_out()),
                |gzip| {
                    let status = gzip.decompress(from, into, FlushDecompress::None);
                    status.map(|status| status == flate2::Status::StreamEnd).map_err(|_| Trouble::Damaged)
                },
            ),
            Self::Zstd(decoder) => decoder.step(from, into),
            Self::Bzip2(decoder) => counted(
                decoder,
                |bzip2| (bzip2.total_in(), bzip2.total_out()),
                |bzip2| match bzip2.decompress(from, into) {
                    Ok(bzip2::Status::MemNeeded) => Err(Trouble::TooLarge),
                    Ok(status) => Ok(status == bzip2::Status::StreamEnd),
                    Err(_) => Err(Trouble::Damaged),
                },
            ),
            Self::Xz(decoder) => counted(
                decoder,
                |xz| (xz.total_in(), xz.total_out()),
                |xz| {
                    let status = xz.process(from, into, Action::Run);
                    status.map(|status| status == liblzma::stream::Status::StreamEnd).map_err(xz_trouble)
                },
            ),
        }
    }
}

/// Runs `step` on a decoder whose totals go on counting when it fails.
fn counted<D>(
    decoder: &mut D,
    totals: impl Fn(&D) -> (u64, u64),
    step: impl FnOnce(&mut D) -> Result<bool, Trouble>,
) -> Step {
    let (read, written) = totals(decoder);
    let is_end = step(decoder);
    let (read_to, written_to) = totals(decoder);
    let since = |to: u64, from: u64| usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    Step { read: since(read_to, read), written: since(written_to, written), is_end }
}

fn xz_trouble(error: liblzma::stream::Error) -> Trouble {
    match error {
        liblzma::stream::Error::MemLimit | liblzma::stream::Error::Mem => Trouble::TooLarge,
        _ => Trouble::Damaged,
    }
}

/// zstd's decoder forgets what it has written in a call that fails, so each call gets no more than the next block.
pub(super) struct Zstd {
    context: DCtx<'static>,
    /// How much the decoder asks for: a block, and behind it the header of the next.
    asks_for: usize,
    /// The last call filled its output, so that there may be more to come.
    was_filled: bool,
}

/// The header of a block.
const ZSTD_HEADER: usize = 3;

impl Zstd {
    fn new() -> Result<Self, Trouble> {
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(zstd_trouble)?;
        Ok(Self { context, asks_for: ZSTD_HEADER, was_filled: false })
    }

    fn step(&mut self, from: &[u8], into: &mut [u8]) -> Step {
        if std::mem::take(&mut self.was_filled) {
            let step = self.call(&[], into);
            if step.written > 0 || step.is_end != Ok(false) {
                return step;
            }
        }
        let block = if self.asks_for > ZSTD_HEADER { self.asks_for - ZSTD_HEADER } else { ZSTD_HEADER };
        self.call(from.get(..block).unwrap_or(from), into)
    }

    fn call(&mut self, from: &[u8], into: &mut [u8]) -> Step {
        let room = into.len();
        let (mut input, mut output) = (InBuffer::around(from), OutBuffer::around(into));
        let asks_for = self.context.decompress_stream(&mut output, &mut input).map_err(zstd_trouble);
        self.asks_for = asks_for.unwrap_or(0).max(1);
        self.was_filled = output.pos() == room;
        Step { read: input.pos(), written: output.pos(), is_end: asks_for.map(|asks_for| asks_for == 0) }
    }
}

fn zstd_trouble(code: usize) -> Trouble {
    match code.wrapping_neg() {
        code if code == ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as usize => {
            Trouble::TooLarge
        }
        code if code == ZSTD_ErrorCode::ZSTD_error_memory_allocation as usize => Trouble::TooLarge,
        _ => Trouble::Damaged,
    }
}
