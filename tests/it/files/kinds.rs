//! What a file is, its bytes say; what is kept of it.

use image::ImageFormat;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{expect_nothing_left, fetch, jpeg, objects, pdf, picture, send, sent, wav};
use crate::support::Actor;

/// A photo with a place in it, turned on its side, filled up to so many bytes.
pub fn with_place(photo: &[u8], bytes: usize) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    // Orientation 6: to be turned by a quarter.
    tiff.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0");
    // Where the place is written.
    tiff.extend(b"\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0");
    tiff.extend(b"\x02\0\x01\0\x02\0\0\0\x02\0\0\0N\0\0\0\x02\0\x05\0\x03\0\0\0\x44\0\0\0\0\0\0\0");
    for number in [31_u32, 1, 12, 1, 3456, 100] {
        tiff.extend(number.to_le_bytes());
    }
    let mut out = photo[..2].to_vec();
    segment(&mut out, 0xe1, &[b"Exif\0\0", tiff.as_slice()].concat());
    segment(&mut out, 0xfe, "GPS 31.2096 107.4680 达川区".as_bytes());
    while out.len() + photo.len() - 2 < bytes {
        let left = (bytes - (out.len() + photo.len() - 2)).min(65_000);
        segment(&mut out, 0xef, &vec![b'x'; left.max(5) - 4]);
    }
    out.extend(&photo[2..]);
    out
}

fn segment(out: &mut Vec<u8>, mark: u8, content: &[u8]) {
    out.extend([0xff, mark]);
    out.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
    out.extend(content);
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

const VOICES: [(&str, &str, &[u8]); 8] = [
    ("voice.mp3", "audio/mpeg", include_bytes!("voices/voice.mp3")),
    ("voice.aac", "audio/aac", include_bytes!("voices/voice.aac")),
    ("voice.m4a", "audio/mp4", include_bytes!("voices/voice.m4a")),
    ("voice.amr", "audio/amr", include_bytes!("voices/voice.amr")),
    ("voice.webm", "audio/webm", include_bytes!("voices/voice.webm")),
    ("live.webm", "audio/webm", include_bytes!("voices/live.webm")),
    ("voice.ogg", "audio/ogg", include_bytes!("voices/voice.ogg")),
    ("voice.wav", "audio/wav", include_bytes!("voices/voice.wav")),
];

async fn is_refused(by: &Actor, name: &str, bytes: &[u8], code: &str) {
    send(by, name, bytes).await.problem(code);
}

both_engines! {
    async fn photos_are_written_anew_without_where_and_how(app: TestApp) {
        let me = app.villager("甲").await;
        let original = with_place(&jpeg(640, 480), 0);
        let made = send(&me, "IMG_0001.JPG", &original).await.expect(201);
        assert_eq!(made["kind"], "photo");
        assert_eq!((&made["width"], &made["height"]), (&json!(480), &json!(640)), "turned the right way up");
        let kept = fetch(&me, made["id"].as_str().unwrap()).await;
        assert_eq!((kept.status, kept.header("content-type")), (200, "image/jpeg"));
        assert_eq!(made["bytes"], kept.bytes.len());
        assert_eq!(made["sha256"], shuoshi::crypto::hex(&Sha256::digest(&kept.bytes)));
        for trace in [&b"Exif"[..], b"GPS", "达川区".as_bytes(), b"xxxx"] {
            assert!(!holds(&kept.bytes, trace), "{}", String::from_utf8_lossy(trace));
        }
        let photo = image::load_from_memory(&kept.bytes).unwrap();
        assert_eq!((photo.width(), photo.height()), (480, 640));
        for (name, format) in [
            ("a.png", ImageFormat::Png),
            ("a.webp", ImageFormat::WebP),
            ("a.gif", ImageFormat::Gif),
            ("a.bmp", ImageFormat::Bmp),
        ] {
            let id = sent(&me, name, &picture(50, 40, format)).await;
            assert_eq!(fetch(&me, &id).await.header("content-type"), "image/jpeg", "{name}");
        }
        // At rest nothing is to be read: neither the photo nor whose it is.
        for name in objects(&app).await {
            let lies = app.app().files.store.get(&name).await.unwrap().unwrap();
            assert!(!lies.starts_with(b"\xff\xd8") && !holds(&lies, b"JFIF"), "{name}");
        }
    }

    async fn voice_notes_keep_their_sound_and_lose_their_tags(app: TestApp) {
        let me = app.villager("甲").await;
        for (name, media, bytes) in VOICES {
            assert!(name == "live.webm" || name == "voice.amr" || holds(bytes, b"Shisuncun"), "{name} has a tag");
            let made = send(&me, name, bytes).await.expect(201);
            assert_eq!(made["kind"], "voice", "{name}");
            let lasts = made["duration_ms"].as_i64().unwrap();
            assert!((900..=1200).contains(&lasts), "{name} lasts {lasts} ms");
            let kept = fetch(&me, made["id"].as_str().unwrap()).await;
            assert_eq!((kept.status, kept.header("content-type")), (200, media), "{name}");
            assert!(!holds(&kept.bytes, b"Shisuncun"), "{name}");
            // What is kept is a voice note of the same length.
            let again = send(&me, name, &kept.bytes).await.expect(201);
            assert_eq!(again["duration_ms"], lasts, "{name}");
            assert_eq!(again["sha256"], made["sha256"], "{name}");
        }
    }

    async fn what_is_nothing_of_it_is_refused_and_leaves_nothing(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(64, 48);
        is_refused(&me, "a.jpg", b"", "file_empty").await;
        is_refused(&me, "a.jpg", b"just some words that are no photo at all, whatever they are called, and not few", "file_kind_unsupported").await;
        is_refused(&me, "a.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "file_kind_unsupported").await;
        is_refused(&me, "a.zip", b"PK\x03\x04some archive that unpacks to more than anybody has, and much more than that", "file_kind_unsupported").await;
        is_refused(&me, "a.png", &photo, "file_name_differs").await;
        is_refused(&me, "photo.php", &photo, "file_name_differs").await;
        is_refused(&me, "a.jpg", &wav(1), "file_name_differs").await;
        is_refused(&me, "a.jpg", &photo[..photo.len() / 8], "file_broken").await;
        is_refused(&me, "a.pdf", &pdf()[..60], "file_broken").await;
        is_refused(&me, "a.wav", &wav(601), "voice_too_long").await;
        let mut amr = b"#!AMR\n".to_vec();
        amr.extend([4].repeat(30_050).iter().flat_map(|head| [*head, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        is_refused(&me, "a.amr", &amr, "voice_too_long").await;
        expect_nothing_left(&app).await;
        // Without a name's end nothing contradicts the bytes.
        for name in ["photo", "wxfile", ".hidden", "照片"] {
            send(&me, name, &photo).await.expect(201);
        }
    }

    async fn bombs_and_double_files_are_refused_and_leave_nothing(app: TestApp) {
        let me = app.villager("甲").await;
        let mut wide = picture(4, 4, ImageFormat::Png);
        // 30,000 x 30,000 pixels that nobody has, with the right check sum.
        wide[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let mut sum = flate2::Crc::new();
        sum.update(&wide[12..29]);
        wide[29..33].copy_from_slice(&sum.sum().to_be_bytes());
        is_refused(&me, "a.png", &wide, "picture_too_large").await;
        let mut gif = picture(4, 4, ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0x30, 0x75, 0x30, 0x75]);
        is_refused(&me, "a.gif", &gif, "picture_too_large").await;
        let photo = jpeg(64, 48);
        let archive = b"PK\x03\x04\x14\0\0\0\0\0payloadPK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\x20\0\0\0\0\0";
        for second in [
            &archive[..],
            b"%PDF-1.7\n1 0 obj",
            b"<html><script>alert(1)</script>",
            b"<?php system($_GET['c']); ?>",
            b"MZ\x90\0",
            b"\x7fELF\x02\x01",
            b"Rar!\x1a\x07\x01\0",
            b"7z\xbc\xaf\x27\x1c\0\x04",
            b"#!/bin/sh\nrm -rf /",
        ] {
            is_refused(&me, "a.jpg", &[photo.as_slice(), second].concat(), "file_two_kinds").await;
            let png = picture(8, 8, ImageFormat::Png);
            is_refused(&me, "a.png", &[png.as_slice(), second].concat(), "file_two_kinds").await;
        }
        is_refused(&me, "a.pdf", &[pdf().as_slice(), archive].concat(), "file_two_kinds").await;
        is_refused(&me, "a.pdf", &[b"%PDF-1.4\n<script>".as_slice(), &pdf()].concat(), "file_two_kinds").await;
        is_refused(&me, "a.wav", &[wav(1).as_slice(), archive].concat(), "file_two_kinds").await;
        expect_nothing_left(&app).await;
        // What a phone hangs on its photos is dropped, not refused.
        let moving = [photo.as_slice(), b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free"].concat();
        let id = sent(&me, "MVIMG.jpg", &moving).await;
        assert!(!holds(&fetch(&me, &id).await.bytes, b"ftyp"));
    }

    async fn documents_that_do_more_than_show_pages_are_refused(app: TestApp) {
        let me = app.villager("甲").await;
        let with = |more: &str| String::from_utf8(pdf()).unwrap().replacen("/Catalog", &format!("/Catalog{more}"), 1);
        for more in [
            "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>",
            "/OpenAction<</S /J#61va#53cript >>",
            "/AA<</O<</S/Rendition/JS 7 0 R>>>>",
            "/AA<</O<</S /#4a#53\n(app.beep\\(0\\))>>>>",
            "/OpenAction<</S/Launch/F(cmd.exe)>>",
            "/Names<</Type/EmbeddedFile%why not\n>>",
            "/Annots[<</Subtype/RichMedia>>]",
            "/AcroForm<</XFA[(datasets)5 0 R]>>",
            // A table of objects may point into a stream.
            "/X 1>>endobj\n3 0 obj<</Length 20>>stream\n<</S/JavaScript>>\nendstream endobj\n4 0 obj<</Y 2",
        ] {
            is_refused(&me, "a.pdf", with(more).as_bytes(), "file_two_kinds").await;
        }
        expect_nothing_left(&app).await;
        for plain in [
            "/JSON(/J S)/JavaScripts 1/Launcher 2/EmbeddedFiles 3/RichMediaContent 4/XFAB 5/J#53X 6",
            "/J#5/JavaScript#20 1/#",
            "/X 1>>endobj\n3 0 obj<</Length 9>>stream\nab/JS(cd\nendstream endobj\n4 0 obj<</Y 2",
        ] {
            send(&me, "a.pdf", with(plain).as_bytes()).await.expect(201);
        }
    }

    async fn documents_stay_as_they_are_and_are_saved_not_shown(app: TestApp) {
        let me = app.villager("甲").await;
        let id = sent(&me, "申请书.pdf", &pdf()).await;
        let kept = fetch(&me, &id).await;
        assert_eq!(kept.bytes, pdf());
        assert_eq!(kept.header("content-type"), "application/pdf");
        assert_eq!(kept.header("content-disposition"), format!("attachment; filename=\"{id}.pdf\""));
        assert_eq!(kept.header("x-content-type-options"), "nosniff");
        assert_eq!(kept.header("content-security-policy"), "sandbox; default-src 'none'");
    }
}
