//! Length-prefixed messages (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A flag and the length in four bytes.
const PREFIX: usize = 5;

/// The most of a message that is kept until it is whole: 32 MiB. Envoy itself has no limit.
const LONGEST_MESSAGE: usize = 32 << 20;

/// A message with its prefix.
pub fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    // A guest's memory has 32 bits.
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// A message that has come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) compressed: bool,
    pub(crate) message: Bytes,
}

/// What comes is no frame, or one that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoFrame;

/// Reads frames however they are cut.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a frame.
    rest: BytesMut,
}

impl Decoder {
    /// The frames that are whole by now.
    pub(crate) fn decode(&mut self, data: &[u8]) -> Result<Vec<Frame>, NoFrame> {
        self.rest.extend_from_slice(data);
        let mut frames = Vec::new();
        loop {
            let mut prefix = self.rest.as_ref();
            let compressed = match prefix.try_get_u8() {
                Err(_) => return Ok(frames),
                Ok(flags @ (0 | 1)) => flags == 1,
                Ok(_) => return Err(NoFrame),
            };
            let Ok(length) = prefix.try_get_u32() else {
                return Ok(frames);
            };
            let length = length as usize;
            if length > LONGEST_MESSAGE {
                return Err(NoFrame);
            }
            if prefix.len() < length {
                return Ok(frames);
            }
            self.rest.advance(PREFIX);
            let message = self.rest.split_to(length).freeze();
            frames.push(Frame {
                compressed,
                message,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_is_read_however_it_is_cut() {
        let all = [frame(b"one"), frame(b""), frame(b"three")].concat();
        let expected = ["one", "", "three"].map(|text| Frame {
            compressed: false,
            message: Bytes::from(text),
        });
        for cut in 0..=all.len() {
            let mut decoder = Decoder::default();
            let (first, second) = all.split_at(cut);
            let mut frames = decoder.decode(first).unwrap();
            frames.extend(decoder.decode(second).unwrap());
            assert_eq!(frames, expected, "{cut}");
        }
    }

    #[test]
    fn flags_that_nobody_knows_and_endless_lengths_are_no_frames() {
        assert_eq!(Decoder::default().decode(&[2]), Err(NoFrame));
        let endless = [0, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Decoder::default().decode(&endless), Err(NoFrame));
        let compressed = Decoder::default().decode(&[1, 0, 0, 0, 1, 9]).unwrap();
        assert!(compressed.iter().all(|frame| frame.compressed));
    }
}
