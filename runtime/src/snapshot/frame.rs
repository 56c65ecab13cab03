//! Blocks as frames of zstd, one call each. What the library needs for that is kept from one block to the next: making it
//! anew costs more than a small block does.

use std::io;
use zstd_safe::{CCtx, CParameter, DCtx, SafeResult, compress_bound, get_error_name};

/// Fast enough to keep up with a disk.
const LEVEL: i32 = 1;

/// Makes frames.
pub(super) struct Packer {
    zstd: CCtx<'static>,
    frame: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> io::Result<Packer> {
        let mut zstd = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        done(zstd.set_parameter(CParameter::CompressionLevel(LEVEL)))?;
        Ok(Packer { zstd, frame: Vec::new() })
    }

    /// The frame of a block.
    pub(super) fn pack(&mut self, raw: &[u8]) -> io::Result<&[u8]> {
        self.frame.clear();
        self.frame.reserve(compress_bound(raw.len()));
        done(self.zstd.compress2(&mut self.frame, raw))?;
        Ok(&self.frame)
    }
}

/// Reads frames.
pub(super) struct Unpacker(DCtx<'static>);

impl Unpacker {
    pub(super) fn new() -> io::Result<Unpacker> {
        Ok(Unpacker(DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?))
    }

    /// Reads a frame into the room that there is; gives how many bytes of it were taken.
    pub(super) fn unpack(&mut self, frame: &[u8], raw: &mut [u8]) -> io::Result<usize> {
        done(self.0.decompress(raw, frame))
    }
}

/// The longest that the frame of a block of so many bytes can be.
pub(super) fn frame_bytes_max(raw: usize) -> usize {
    compress_bound(raw)
}

fn done(result: SafeResult) -> io::Result<usize> {
    result.map_err(|code| io::Error::other(get_error_name(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back_into_room_enough_and_into_no_less() {
        let (mut packer, mut unpacker) = (Packer::new().unwrap(), Unpacker::new().unwrap());
        for len in [0, 1, 5000, 1 << 20, 17] {
            let block: Vec<u8> = (0_u32..).map(|n| (n.wrapping_mul(n) >> 7) as u8).take(len).collect();
            let frame = packer.pack(&block).unwrap();
            assert!(frame.len() <= frame_bytes_max(len));
            let mut raw = vec![0; len];
            assert_eq!(unpacker.unpack(frame, &mut raw).unwrap(), len);
            assert!(raw == block);
            if len > 0 {
                let message = unpacker.unpack(frame, &mut raw[1..]).unwrap_err().to_string();
                assert_eq!(message, "Destination buffer is too small");
            }
        }
    }
}
