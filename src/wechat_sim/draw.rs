//! Draws a code as JPEG or PNG, with no library of pictures.
//!
//! Every module of the code is a multiple of eight pixels wide, so that each block of a JPEG is of one shade and has one
//! coefficient (ITU-T T.81), and a PNG (ISO/IEC 15948) is little more than its pixels. Next: [`super::pictures`].

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};
use qrcode::{Color, QrCode};

/// Modules of quiet ground around a code.
const QUIET: usize = 2;
const BLOCK: usize = 8;

/// A code, laid out on blocks of eight pixels.
pub(super) struct Code {
    width: u16,
    blocks: usize,
    /// Row by row, true where it is dark.
    dark: Vec<bool>,
}

impl Code {
    /// Nothing when the text does not fit into `width` pixels.
    pub(super) fn new(text: &str, width: u16) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let (modules, colors) = (code.width(), code.into_colors());
        let blocks = usize::from(width).div_ceil(BLOCK);
        // What does not make a whole block stays empty.
        let scale = (usize::from(width) / BLOCK) / (modules + 2 * QUIET);
        let margin = blocks.checked_sub(scale * modules)? / 2;
        if scale == 0 {
            return None;
        }
        let mut dark = Vec::with_capacity(blocks * blocks);
        for row in 0..blocks {
            for column in 0..blocks {
                let module = |at: usize| at.checked_sub(margin).map(|at| at / scale).filter(|at| *at < modules);
                let at = module(row).zip(module(column)).map(|(row, column)| row * modules + column);
                dark.push(at.and_then(|at| colors.get(at)).is_some_and(|color| *color == Color::Dark));
            }
        }
        Some(Self { width, blocks, dark })
    }

    /// Grey, baseline.
    pub(super) fn jpeg(&self) -> Vec<u8> {
        let mut out = vec![0xff, 0xd8];
        let [high, low] = self.width.to_be_bytes();
        // JFIF, one table that divides by eight, so that a coefficient is the shade itself, and the frame.
        segment(&mut out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        segment(&mut out, 0xdb, &[&[0][..], &[8; 64]].concat());
        segment(&mut out, 0xc0, &[8, high, low, high, low, 1, 1, 0x11, 0]);
        // Codes 0, 10 and 110 for the differences that occur, of no, eight and seven bits; 0 for the end of a block.
        segment(&mut out, 0xc4, &[&[0x00, 1, 1, 1][..], &[0; 13], &[0, 8, 7]].concat());
        segment(&mut out, 0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
        segment(&mut out, 0xda, &[1, 1, 0x00, 0, 63, 0]);
        let mut bits = Bits::default();
        // The shade before the first block counts as grey; that block is ground, lighter by 127.
        bits.put(0b110, 3);
        bits.put(127, 7);
        bits.put(0, 1);
        let mut before = false;
        for dark in self.dark.iter().skip(1) {
            if before == *dark {
                bits.put(0, 1);
            } else {
                // 255 down (in ones' complement) or 255 up.
                bits.put(0b10, 2);
                bits.put(if *dark { 0 } else { 255 }, 8);
            }
            bits.put(0, 1);
            before = *dark;
        }
        out.extend(bits.end());
        out.extend([0xff, 0xd9]);
        out
    }

    /// Black on nothing.
    pub(super) fn png(&self) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let side = u32::from(self.width).to_be_bytes();
        // One bit a pixel out of a palette of two, the first of which is transparent.
        chunk(&mut out, *b"IHDR", &[&side[..], &side, &[1, 3, 0, 0, 0]].concat());
        chunk(&mut out, *b"PLTE", &[255, 255, 255, 0, 0, 0]);
        chunk(&mut out, *b"tRNS", &[0]);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in 0..usize::from(self.width) {
            let from = row / BLOCK * self.blocks;
            let blocks = self.dark.iter().skip(from).take(self.blocks);
            // No filter, then eight pixels a byte, which is a block.
            let line: Vec<u8> = std::iter::once(0).chain(blocks.map(|dark| if *dark { 0xff } else { 0 })).collect();
            // Writing into memory does not fail.
            let _ = packed.write_all(&line);
        }
        chunk(&mut out, *b"IDAT", &packed.finish().unwrap_or_default());
        chunk(&mut out, *b"IEND", &[]);
        out
    }
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    out.extend(u16::try_from(content.len() + 2).unwrap_or_default().to_be_bytes());
    out.extend(content);
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(content);
    out.extend(u32::try_from(content.len()).unwrap_or_default().to_be_bytes());
    out.extend(name);
    out.extend(content);
    out.extend(sum.sum().to_be_bytes());
}

/// Bits in the order a JPEG wants them, with a zero after every byte of ones.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u32) {
        self.held = self.held << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = u8::try_from(self.held >> self.count & 0xff).unwrap_or_default();
            self.held &= (1 << self.count) - 1;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.put(0x7f, 7);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fills_its_picture_and_is_told_by_its_first_bytes() {
        let code = Code::new("https://wxaurl.cn/sim?p=pages/home&scene=v=310000000001", 430).unwrap();
        assert_eq!((code.blocks, code.dark.len()), (54, 54 * 54));
        assert!(code.dark.iter().filter(|dark| **dark).count() > 300);
        assert!(code.jpeg().starts_with(&[0xff, 0xd8, 0xff]) && code.jpeg().ends_with(&[0xff, 0xd9]));
        assert!(code.png().starts_with(b"\x89PNG"));
        assert!(Code::new(&"x".repeat(2000), 280).is_none());
    }
}
