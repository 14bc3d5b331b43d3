//! The frames in the bytes of one connection.
//!
//! A connection speaks msgpack, or JSON where its first byte begins a JSON array or object, as the reference has it.
//! Promises: each byte is looked at once; a frame over its limit is passed over, so that those behind it are found.

use crate::decode::{DecodeError, FrameScan, JsonScan, Oversized, Scanned, blanks};

use super::options::LimitOptions;

/// How a peer writes its frames, and reads its acks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serializer {
    Msgpack,
    Json,
}

/// What stands at the front of the bytes.
pub(super) enum Found {
    /// A frame of so many bytes.
    Frame(usize, Serializer),
    /// So many bytes that can go: white space, or a piece of a frame that is passed over.
    Nothing(usize),
    /// The last so many bytes of a frame that is passed over.
    PassedOver(usize, Box<Oversized>, Serializer),
    /// Too little.
    Need,
}

enum Scan {
    Msgpack(FrameScan),
    Json(JsonScan),
    Oversized(Box<Oversized>),
}

/// Where one connection's frames end.
pub(super) struct Framing {
    frame_bytes: u64,
    skip_bytes: u64,
    /// `None` before the first byte.
    serializer: Option<Serializer>,
    /// Of the frame that has begun.
    scan: Option<Scan>,
}

impl Framing {
    /// Before the first byte.
    pub(super) fn new(limits: &LimitOptions) -> Self {
        let (frame_bytes, skip_bytes) = (limits.frame_bytes.0, limits.skip_bytes.0);
        Self { frame_bytes, skip_bytes, serializer: None, scan: None }
    }

    /// Whether a frame has begun and is not whole, or not passed over.
    pub(super) fn is_inside(&self) -> bool {
        self.scan.is_some()
    }

    /// Looks at `bytes`: those of the last call without what it said can go, and what has come since.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Result<Found, DecodeError> {
        let Some(first) = bytes.first() else { return Ok(Found::Need) };
        let serializer = *self.serializer.get_or_insert(match first {
            b'{' | b'[' => Serializer::Json,
            _ => Serializer::Msgpack,
        });
        let between = match (serializer, &self.scan) {
            (Serializer::Json, None) => blanks(bytes),
            _ => 0,
        };
        if between > 0 {
            return Ok(Found::Nothing(between));
        }
        match self.scan.take().unwrap_or_else(|| self.begin(serializer)) {
            Scan::Msgpack(mut scan) => {
                let scanned = scan.advance(bytes);
                self.scanned(scanned, Scan::Msgpack(scan), bytes, serializer)
            }
            Scan::Json(mut scan) => {
                let scanned = scan.advance(bytes);
                self.scanned(scanned, Scan::Json(scan), bytes, serializer)
            }
            Scan::Oversized(frame) => self.pass_over(frame, bytes, serializer),
        }
    }

    fn begin(&self, serializer: Serializer) -> Scan {
        match serializer {
            Serializer::Msgpack => Scan::Msgpack(FrameScan::new(self.frame_bytes)),
            Serializer::Json => Scan::Json(JsonScan::new(self.frame_bytes)),
        }
    }

    fn scanned(
        &mut self,
        scanned: Result<Scanned, DecodeError>,
        scan: Scan,
        bytes: &[u8],
        serializer: Serializer,
    ) -> Result<Found, DecodeError> {
        match scanned {
            Ok(Scanned::Complete(length)) => Ok(Found::Frame(length, serializer)),
            Ok(Scanned::Need(_)) => {
                self.scan = Some(scan);
                Ok(Found::Need)
            }
            Err(error @ DecodeError::Limit { .. }) => {
                let begin = match serializer {
                    Serializer::Msgpack => Oversized::begin,
                    Serializer::Json => Oversized::begin_json,
                };
                let frame = Box::new(begin(bytes, self.skip_bytes).ok_or(error)?);
                self.pass_over(frame, bytes, serializer)
            }
            Err(error) => Err(error),
        }
    }

    fn pass_over(
        &mut self,
        mut frame: Box<Oversized>,
        bytes: &[u8],
        serializer: Serializer,
    ) -> Result<Found, DecodeError> {
        let length = frame.pass(bytes)?;
        if frame.is_over() {
            return Ok(Found::PassedOver(length, frame, serializer));
        }
        self.scan = Some(Scan::Oversized(frame));
        Ok(if length == 0 { Found::Need } else { Found::Nothing(length) })
    }
}
