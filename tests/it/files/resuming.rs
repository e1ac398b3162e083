//! Files over lines that break.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    LINE, UPLOADS, bring, expect_nothing_left, fetch, form, form_type, jpeg, kinds::with_place, objects, send,
};
use crate::support::{Actor, Answer, Engine};

const MEGABYTES_10: usize = 10 * 1024 * 1024;

/// A part of a photo, whole.
async fn part(by: &Actor, upload: &str, bytes: &[u8], from: usize, end: usize) -> Answer {
    part_of(by, "photo.jpg", upload, bytes, from, end).await
}

/// A part of a file, whole.
async fn part_of(by: &Actor, name: &str, upload: &str, bytes: &[u8], from: usize, end: usize) -> Answer {
    let range = format!("bytes {from}-{}/{}", end - 1, bytes.len());
    let call = by.call(Method::POST, "/api/v1/files").header("X-Upload-Id", upload).header("Content-Range", &range);
    call.body(&form_type(), form(name, &bytes[from..end])).send().await
}

/// Begins to send the bytes from `from` on and falls silent, or breaks off, after so many of them.
async fn broken_off(by: &Actor, address: &str, upload: &str, bytes: &[u8], from: usize, many: usize) -> TcpStream {
    let mut line = TcpStream::connect(address.strip_prefix("http://").unwrap()).await.unwrap();
    let form = form("photo.jpg", &bytes[from..]);
    let head = format!(
        "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nX-Upload-Id: {upload}\r\n\
         Content-Range: bytes {from}-{}/{}\r\nContent-Type: multipart/form-data; boundary={LINE}\r\nContent-Length: {}\r\n\r\n",
        by.session["access_token"].as_str().unwrap(),
        bytes.len() - 1,
        bytes.len(),
        form.len(),
    );
    line.write_all(head.as_bytes()).await.unwrap();
    let begins = form.len() - (bytes.len() - from) - (LINE.len() + 8);
    line.write_all(&form[..begins + many]).await.unwrap();
    line.flush().await.unwrap();
    line
}

async fn offset(by: &Actor, upload: &str) -> usize {
    let answer = by.get(&format!("/files/uploads/{upload}")).await;
    if answer.status == 404 {
        return 0;
    }
    let said = answer.header("upload-offset").to_owned();
    let body = answer.expect(200);
    assert_eq!(body["received"].to_string(), said);
    said.parse().unwrap()
}

/// Waits until so much of an upload arrived.
async fn arrives(by: &Actor, upload: &str, at_least: usize) -> usize {
    for _ in 0..200 {
        let here = offset(by, upload).await;
        if here >= at_least {
            return here;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("only {} of {at_least} bytes arrived", offset(by, upload).await);
}

both_engines! {
    async fn ten_megabytes_with_a_place_come_over_a_line_that_breaks_five_times(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = with_place(&jpeg(1200, 900), MEGABYTES_10);
        assert!(photo.len() <= MEGABYTES_10 && photo.len() > MEGABYTES_10 - 65_000, "{}", photo.len());
        assert!(photo.windows(6).any(|window| window == b"Exif\0\0"));
        let mut from = 0;
        for time in 1..=5_usize {
            let many = 1_300_000 + time * 101;
            let line = broken_off(&me, &app.address, "photo-0001", &photo, from, many).await;
            // A line that breaks in the middle of a block: what got through is kept.
            drop(line);
            let here = arrives(&me, "photo-0001", from + many - 100_000).await;
            assert!(here <= from + many, "{here}");
            from = here;
        }
        assert!(from > 5 * 1_200_000, "every try made progress: {from}");
        let made = part(&me, "photo-0001", &photo, from, photo.len()).await.expect(201);
        let kept = fetch(&me, made["id"].as_str().unwrap()).await;
        assert_eq!(kept.status, 200);
        assert_eq!((&made["width"], &made["height"]), (&json!(900), &json!(1200)));
        assert!(!kept.bytes.windows(3).any(|window| window == b"GPS"), "a place went out again");
        // The last answer may be lost too.
        let again = part(&me, "photo-0001", &photo, from, photo.len()).await.expect(201);
        assert_eq!(again, made);
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
        assert_eq!(objects(&app).await.len(), 2, "the photo and its small one; no part is left");
    }

    async fn a_line_that_is_dead_without_knowing_keeps_what_came(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(300, 200);
        let dead = broken_off(&me, &app.address, "photo-0002", &photo, 0, 9000).await;
        assert_eq!(arrives(&me, "photo-0002", 9000).await, 9000);
        // The new line takes over; the old one has no say any more.
        let made = part(&me, "photo-0002", &photo, 9000, photo.len()).await.expect(201);
        let mut dead = dead;
        dead.write_all(&form("photo.jpg", &photo)[9000..]).await.ok();
        let mut said = String::new();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), dead.read_to_string(&mut said)).await;
        assert!(!said.starts_with("HTTP/1.1 201"), "{said}");
        assert_eq!(me.get("/files/uploads/photo-0002").await.expect(200)["file"], made["id"]);
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
    }

    async fn parts_follow_each_other_on_any_server(app: TestApp) {
        let other = app.second_server().await;
        let (me, there) = (app.villager("甲").await, app.villager("甲").await.at(&other));
        let photo = jpeg(200, 100);
        let (third, all) = (photo.len() / 3, photo.len());
        let first = part(&me, "photo-0003", &photo, 0, third).await;
        assert_eq!((first.status, first.header("upload-offset")), (202, third.to_string().as_str()));
        assert_eq!(first.body, json!({"received": third, "total": all, "file": null}));
        // A gap, another total, and a part that came already.
        let gap = part(&there, "photo-0003", &photo, third + 1, all).await;
        assert_eq!(gap.header("upload-offset"), third.to_string());
        assert_eq!(gap.problem("upload_offset")["offset"], third);
        part(&there, "photo-0003", &photo[..all - 1], third, all - 1).await.problem("upload_offset");
        assert_eq!(part(&there, "photo-0003", &photo, 0, third).await.header("upload-offset"), third.to_string());
        // A part that begins before what arrived goes on behind it.
        let second = part(&there, "photo-0003", &photo, third - 10, 2 * third).await;
        assert_eq!((second.status, second.header("upload-offset")), (202, (2 * third).to_string().as_str()));
        let made = part(&me, "photo-0003", &photo, 2 * third, all).await.expect(201);
        assert_eq!(fetch(&there, made["id"].as_str().unwrap()).await.status, 200);
        // The same name of somebody else is another upload.
        let stranger = app.villager("乙").await;
        stranger.get("/files/uploads/photo-0003").await.problem("not_found");
        part(&stranger, "photo-0003", &photo, 5, all).await.problem("upload_offset");
        part(&stranger, "photo-0003", &photo, 0, third).await.expect(202);
    }

    async fn crumbs_make_a_file_too(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(64, 48);
        let crumb = photo.len() / 210;
        for at in 0..205 {
            part(&me, "photo-0006", &photo, at * crumb, (at + 1) * crumb).await.expect(202);
        }
        let blocks = objects(&app).await.len();
        assert!(blocks < 10, "small neighbours lie together: {blocks}");
        let made = part(&me, "photo-0006", &photo, 205 * crumb, photo.len()).await.expect(201);
        assert_eq!(fetch(&me, made["id"].as_str().unwrap()).await.status, 200);
        assert_eq!(objects(&app).await.len(), 2);
    }

    async fn a_name_stands_for_one_file(app: TestApp) {
        let me = app.villager("甲").await;
        let (photo, other) = (jpeg(64, 48), jpeg(100, 80));
        assert!(other.len() > photo.len());
        let whole = |bytes: &[u8]| bring(&me, "photo.jpg", bytes).header("X-Upload-Id", "photo-0007").send();
        part(&me, "photo-0007", &photo, 0, photo.len() / 2).await.expect(202);
        // What comes without a range is the whole only if it is as long as was announced.
        let short = whole(&photo[..photo.len() - 5]).await;
        short.problem("upload_offset");
        part(&me, "photo-0007", &photo, 0, photo.len()).await.expect(201);
        part(&me, "photo-0007", &other, 0, other.len()).await.problem("idempotency_key_reused");
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
    }

    async fn of_two_last_parts_at_once_one_makes_the_file(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(200, 100);
        let half = photo.len() / 2;
        part(&me, "photo-0004", &photo, 0, half).await.expect(202);
        let (one, other) = tokio::join!(
            part(&me, "photo-0004", &photo, half, photo.len()),
            part(&me, "photo-0004", &photo, half, photo.len()),
        );
        let made: Vec<&Answer> = [&one, &other].into_iter().filter(|answer| answer.status == 201).collect();
        assert!(!made.is_empty(), "{} {}", one.text(), other.text());
        for answer in [&one, &other] {
            assert!(answer.status == 201 || answer.body["code"] == "upload_offset", "{}", answer.text());
        }
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
        assert_eq!(objects(&app).await.len(), 2);
    }

    async fn a_database_that_fails_at_the_last_part_loses_nothing_that_came(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(200, 100);
        let half = photo.len() / 2;
        part(&me, "photo-0009", &photo, 0, half).await.expect(202);
        let (fails, works) = match app.engine() {
            Engine::Sqlite => (
                "CREATE TRIGGER no_files BEFORE INSERT ON file BEGIN SELECT RAISE(ABORT, 'the disk'); END",
                "DROP TRIGGER no_files",
            ),
            Engine::Postgres => (
                "CREATE FUNCTION no_files() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk'; END $$;
                 CREATE TRIGGER no_files BEFORE INSERT ON file FOR EACH ROW EXECUTE FUNCTION no_files()",
                "DROP FUNCTION no_files() CASCADE",
            ),
        };
        app.execute(fails).await;
        part(&me, "photo-0009", &photo, half, photo.len()).await.problem("unexpected");
        // What comes at once, nobody can go on with.
        bring(&me, "photo.jpg", &photo).send().await.problem("unexpected");
        assert_eq!(app.number("SELECT count(*) FROM upload").await, 1);
        app.execute(works).await;
        assert_eq!(offset(&me, "photo-0009").await, photo.len());
        let made = part(&me, "photo-0009", &photo, half, photo.len()).await.expect(201);
        assert_eq!(fetch(&me, made["id"].as_str().unwrap()).await.status, 200);
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
        // Bytes whose row may have been written all the same are left to the sweep.
        let id = made["id"].as_str().unwrap();
        let strange = objects(&app).await.into_iter().filter(|name| !name.contains(id));
        assert!(strange.clone().all(|name| name.starts_with("file/")), "{:?}", strange.collect::<Vec<_>>());
    }

    async fn a_repeat_with_a_key_gets_the_first_answer(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = jpeg(64, 48);
        let keyed = |bytes: Vec<u8>| bring(&me, "photo.jpg", &bytes).header("Idempotency-Key", "photo-key-1").send();
        let first = keyed(photo.clone()).await.expect(201);
        let again = keyed(photo.clone()).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        keyed(jpeg(65, 48)).await.problem("idempotency_key_reused");
        assert_eq!(app.number("SELECT count(*) FROM file").await, 1);
        assert_eq!(objects(&app).await.len(), 2, "what the repeats stored is gone again");
        // With a name of the upload, the name counts and not the bytes.
        let named = |bytes: Vec<u8>, upload: &'static str| {
            let call = bring(&me, "photo.jpg", &bytes).header("X-Upload-Id", upload);
            call.header("Idempotency-Key", "photo-key-2").send()
        };
        let first: Value = named(photo.clone(), "photo-0005").await.expect(201);
        let again = named(jpeg(65, 48), "photo-0005").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        named(photo, "photo-0006").await.problem("idempotency_key_reused");
    }

    async fn what_is_refused_in_the_end_is_gone_with_all_its_parts(app: TestApp) {
        let me = app.villager("甲").await;
        let broken = jpeg(200, 100)[..3000].to_vec();
        part(&me, "photo-0007", &broken, 0, 1000).await.expect(202);
        part(&me, "photo-0007", &broken, 1000, 2000).await.expect(202);
        part(&me, "photo-0007", &broken, 2000, 3000).await.problem("file_broken");
        expect_nothing_left(&app).await;
        // Where nobody can go on with it, what a broken line brought goes at once.
        let photo = jpeg(300, 200);
        let whole = super::form("photo.jpg", &photo);
        let mut line = TcpStream::connect(app.address.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            me.session["access_token"].as_str().unwrap(), form_type(), whole.len(),
        );
        line.write_all(head.as_bytes()).await.unwrap();
        line.write_all(&whole[..5000]).await.unwrap();
        for _ in 0..100 {
            if app.number(UPLOADS).await == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        drop(line);
        for _ in 0..200 {
            if app.number(UPLOADS).await == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        expect_nothing_left(&app).await;
        // How many bytes they brought is remembered: whoever does it all day is told to stop.
        let remembered = "SELECT count(*) FROM upload WHERE name LIKE 'refused:%' AND received > 0";
        assert_eq!(app.number(remembered).await, 2);
    }

    async fn a_voice_note_may_break_off_anywhere_in_its_tags(app: TestApp) {
        let me = app.villager("甲").await;
        // Of both: a header of ten bytes and what it says.
        let tag = 10 + 0x55;
        let voices = [
            ("voice.mp3", &include_bytes!("voices/voice.mp3")[..]),
            ("voice.aac", &include_bytes!("voices/voice.aac")[..]),
        ];
        for (name, voice) in voices {
            let twice = [&voice[..tag], voice].concat();
            let once = [tag - 1, tag, tag + 1, tag + 5].map(|end| (voice, end));
            let tagged = [tag + 1, tag + 5, tag + 10, 2 * tag, 2 * tag + 1].map(|end| (twice.as_slice(), end));
            for (bytes, end) in once.into_iter().chain(tagged) {
                let upload = format!("{name}-{}-{end}", bytes.len());
                let first = part_of(&me, name, &upload, bytes, 0, end).await;
                assert_eq!((first.status, first.header("upload-offset")), (202, end.to_string().as_str()), "{upload}");
                let made = part_of(&me, name, &upload, bytes, end, bytes.len()).await.expect(201);
                assert_eq!(made["kind"], "voice", "{upload}");
            }
        }
        // What shows itself behind the tag is refused by it, what is nothing with it.
        let aac = voices[1].1;
        part_of(&me, "voice.mp3", "voice-0001", aac, 0, 200).await.problem("file_name_differs");
        let words = [&aac[..tag], b"just some words that are no voice note, whatever is said of them before"].concat();
        part_of(&me, "voice.mp3", "voice-0002", &words, 0, tag + 20).await.problem("file_kind_unsupported");
    }

    async fn wrong_headers_are_named(app: TestApp) {
        let me = app.villager("甲").await;
        let call = || bring(&me, "photo.jpg", b"x");
        call().header("Content-Range", "bytes 0-0/1").send().await.invalid("header/X-Upload-Id", "required");
        call().header("X-Upload-Id", "a/b").send().await.invalid("header/X-Upload-Id", "format");
        let named = || call().header("X-Upload-Id", "photo-0008");
        named().header("Content-Range", "bytes 5-1/9").send().await.invalid("header/Content-Range", "format");
        named().header("Content-Range", "bytes 0-0/0").send().await.problem("file_empty");
        named().header("Content-Range", "bytes 0-0/999999999").send().await.problem("file_too_large");
        send(&me, "photo.jpg", b"").await.problem("file_empty");
        me.post("/files", json!({})).await.problem("unsupported_media_type");
        let none = format!("--{LINE}--\r\n").into_bytes();
        let empty = me.call(Method::POST, "/api/v1/files").body(&form_type(), none).send().await;
        empty.invalid("/file", "required");
        let (first, end) = (form("a.jpg", &jpeg(8, 8)), format!("--{LINE}--\r\n"));
        let two = [&first[..first.len() - end.len()], &form("b.jpg", &jpeg(8, 8))].concat();
        let two = me.call(Method::POST, "/api/v1/files").body(&form_type(), two).send().await;
        two.invalid("/file", "too_many");
        expect_nothing_left(&app).await;
    }
}
