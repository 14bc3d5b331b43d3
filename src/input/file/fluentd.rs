//! Chunks of Fluentd's buffers, left behind by a Fluentd that is gone.
//!
//! `buf_file` writes `buffer.bHEX.log` (`q` once it is queued) and, beside it, `buffer.bHEX.log.meta`; `buf_file_single` writes
//! `fsb.KEY.bHEX.buf` alone. HEX is the chunk's id. What is in there is what an output makes of its events: `[time, record]` in
//! msgpack with most of them, one after the other, and in gzip members or zstd frames with `compress`; text with `out_file` and
//! the like.

mod meta;
mod name;

pub(crate) use meta::Meta;
pub(crate) use name::ChunkName;
