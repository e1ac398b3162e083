//! Photos: decoded within limits, turned the right way, made no larger than people look at, and written anew.
//!
//! What is written holds pixels and nothing else: no EXIF, no place, no camera, no preview, no colour profile.

use std::io::Cursor;

use entity::file::FileKind;
use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    error::{ImageError, LimitErrorKind},
    metadata::Orientation,
};

use super::{Cleaned, Format};
use crate::problem::{Code, Problem};

/// Pixels of the longest side that is decoded.
const MAX_SIDE: u32 = 12_000;
/// Pixels that are decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// Bytes that decoding may take, the picture itself among them.
const MAX_ALLOC: u64 = 256 * 1024 * 1024;
/// Pixels of the longest side that is kept.
const KEPT_SIDE: u32 = 4096;
/// Likewise, of a photo one can see through, which must be kept as PNG.
const KEPT_SIDE_CLEAR: u32 = 2048;
/// Likewise, of the small one.
const SMALL_SIDE: u32 = 320;
/// JPEG quality of what is kept, and of the small one.
const QUALITY: u8 = 85;
const SMALL_QUALITY: u8 = 75;

pub(super) fn clean(format: Format, bytes: &[u8]) -> Result<Cleaned, Problem> {
    let (photo, turned) = decode(format, bytes)?;
    let clear = is_clear(&photo);
    let mut photo = at_most(photo, if clear { KEPT_SIDE_CLEAR } else { KEPT_SIDE });
    // Turned last: of what is kept, not of all that was decoded.
    photo.apply_orientation(turned);
    let signed = |pixels| i32::try_from(pixels).unwrap_or(i32::MAX);
    let size = Some((signed(photo.width()), signed(photo.height())));
    let longest = photo.width().max(photo.height());
    let small = if longest > SMALL_SIDE { photo.thumbnail(SMALL_SIDE, SMALL_SIDE) } else { photo.clone() };
    let small = written_as_jpeg(small, SMALL_QUALITY)?;
    let (bytes, media) = if clear {
        let mut out = Vec::new();
        photo.into_rgba8().write_with_encoder(PngEncoder::new(&mut out)).map_err(Problem::unexpected)?;
        (out, "image/png")
    } else {
        (written_as_jpeg(photo, QUALITY)?, "image/jpeg")
    };
    Ok(Cleaned { kind: FileKind::Photo, media, bytes, small: Some(small), duration_ms: None, size })
}

/// Whether one can see through it anywhere; looked up where the pixels lie.
fn is_clear(photo: &DynamicImage) -> bool {
    match photo {
        DynamicImage::ImageLumaA8(pixels) => pixels.pixels().any(|pixel| pixel.0[1] < u8::MAX),
        DynamicImage::ImageRgba8(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX),
        DynamicImage::ImageLumaA16(pixels) => pixels.pixels().any(|pixel| pixel.0[1] < u16::MAX),
        DynamicImage::ImageRgba16(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < u16::MAX),
        DynamicImage::ImageRgba32F(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < 1.0),
        _ => false,
    }
}

/// As it lies there, and how it is to be turned.
fn decode(format: Format, bytes: &[u8]) -> Result<(DynamicImage, Orientation), Problem> {
    let format = match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::Gif => ImageFormat::Gif,
        Format::Webp => ImageFormat::WebP,
        _ => ImageFormat::Bmp,
    };
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|fault| refusal(&fault))?;
    // Before a pixel is decoded: what the header claims.
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Code::PictureTooLarge.into());
    }
    if width == 0 || height == 0 {
        return Err(Code::FileBroken.into());
    }
    let turned = decoder.orientation().map_err(|fault| refusal(&fault))?;
    // Two bytes a colour are twice the memory: what the decoder may ask for is what the picture leaves.
    limits.reserve(decoder.total_bytes()).map_err(|fault| refusal(&fault))?;
    decoder.set_limits(limits).map_err(|fault| refusal(&fault))?;
    let photo = DynamicImage::from_decoder(decoder).map_err(|fault| refusal(&fault))?;
    Ok((photo, turned))
}

fn refusal(fault: &ImageError) -> Problem {
    match fault {
        ImageError::Limits(limit)
            if matches!(limit.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory) =>
        {
            Code::PictureTooLarge.into()
        }
        _ => Code::FileBroken.into(),
    }
}

/// Smaller where it must be. Averages whole pixels: it needs no more memory than the result.
fn at_most(photo: DynamicImage, side: u32) -> DynamicImage {
    if photo.width().max(photo.height()) > side { photo.thumbnail(side, side) } else { photo }
}

fn written_as_jpeg(photo: DynamicImage, quality: u8) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut out, quality);
    photo.into_rgb8().write_with_encoder(encoder).map_err(Problem::unexpected)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn written(photo: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        photo.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn every_format_is_kept_as_jpeg_and_what_is_clear_as_png() {
        let plain = DynamicImage::from(RgbImage::from_pixel(600, 400, Rgb([200, 30, 40])));
        for (format, image) in [
            (Format::Jpeg, ImageFormat::Jpeg),
            (Format::Png, ImageFormat::Png),
            (Format::Gif, ImageFormat::Gif),
            (Format::Webp, ImageFormat::WebP),
            (Format::Bmp, ImageFormat::Bmp),
        ] {
            let bytes = written(&plain, image);
            assert_eq!(Format::of(&bytes), Some(format));
            let cleaned = clean(format, &bytes).unwrap();
            assert_eq!((cleaned.media, cleaned.size), ("image/jpeg", Some((600, 400))), "{format:?}");
            let small = image::load_from_memory(&cleaned.small.unwrap()).unwrap();
            assert_eq!((small.width(), small.height()), (320, 213));
        }
        let clear = DynamicImage::from(RgbaImage::from_pixel(5000, 100, Rgba([1, 2, 3, 40])));
        let cleaned = clean(Format::Png, &written(&clear, ImageFormat::Png)).unwrap();
        assert_eq!((cleaned.media, cleaned.size), ("image/png", Some((2048, 41))));
    }

    #[test]
    fn many_bytes_a_pixel_count_against_the_memory_a_picture_may_take() {
        // Few enough pixels, eight bytes each.
        let mut png = written(&DynamicImage::new_rgba16(4, 4), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x1b, 0x58, 0, 0, 0x1b, 0x58]);
        let mut sum = flate2::Crc::new();
        sum.update(&png[12..29]);
        png[29..33].copy_from_slice(&sum.sum().to_be_bytes());
        assert_eq!(clean(Format::Png, &png).unwrap_err().code(), Code::PictureTooLarge);
    }

    #[test]
    fn a_header_that_claims_too_much_is_refused_before_a_pixel_is_decoded() {
        let mut png = written(&DynamicImage::new_rgb8(4, 4), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        // The check sum of the header is that of what it says.
        let sum = flate2::Crc::new();
        let mut sum = sum;
        sum.update(&png[12..29]);
        png[29..33].copy_from_slice(&sum.sum().to_be_bytes());
        assert_eq!(clean(Format::Png, &png).unwrap_err().code(), Code::PictureTooLarge);
    }
}
