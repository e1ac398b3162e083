//! `backup` while villagers file, `restore` into an empty place, and what neither takes.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use shuoshi::demo;
use tempfile::TempDir;
use uuid::Uuid;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::support::{Engine, TOPIC, TestDatabase, app::http_client, process, process::Server};

/// What a villager complains of, and nobody reads in an archive.
const TEXT: &str = "村口的路灯不亮样例水渠";
/// What stands on the page of the village.
const TITLE: &str = "样例 说事日记录";

/// A villager at a real server.
struct Villager<'a> {
    client: reqwest::Client,
    server: &'a Server,
    session: Value,
    token: String,
    village: String,
}

impl<'a> Villager<'a> {
    async fn new(server: &'a Server) -> Self {
        let client = http_client();
        let session = server.villager(&client).await;
        let url = format!("{}/api/v1/divisions?code={}", server.address, demo::VILLAGE);
        let found: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let village = found["items"][0]["id"].as_str().unwrap().to_owned();
        let token = session["access_token"].as_str().unwrap().to_owned();
        Self { client, server, session, token, village }
    }

    /// Sends a small picture; its id, and its bytes as they are kept.
    async fn send_photo(&self) -> (String, Vec<u8>) {
        let picture = image::DynamicImage::new_rgb8(40, 30);
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let head = "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";
        let form = [head.as_bytes(), bytes.get_ref(), b"\r\n--line--\r\n"].concat();
        let answer = self
            .client
            .post(format!("{}/api/v1/files", self.server.address))
            .bearer_auth(&self.token)
            .header("Content-Type", "multipart/form-data; boundary=line")
            .body(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        let answer: Value = answer.json().await.unwrap();
        let id = answer["id"].as_str().unwrap().to_owned();
        let kept = photo(self.server, &self.token, &format!("/files/{id}")).await;
        (id, kept)
    }

    async fn file(&self) -> Value {
        self.send(json!({"kind": "proxy", "item": "DZ-MZ-01", "division": self.village})).await
    }

    /// Files a complaint that a photo hangs on.
    async fn complain(&self, photo: &str) -> Value {
        let mut body = json!({"kind": "voice", "concern": "help", "topic": TOPIC, "text": TEXT, "files": [photo]});
        body["division"] = json!(self.village);
        self.send(body).await
    }

    async fn send(&self, body: Value) -> Value {
        let (status, case) = post(self.server, Some(&self.token), "/cases", body).await;
        assert_eq!(status, 201, "{case}");
        case
    }
}

async fn get(server: &Server, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}/api/v1{path}", server.address);
    let answer = http_client().get(url).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn post(server: &Server, token: Option<&str>, path: &str, body: Value) -> (u16, Value) {
    let mut call = http_client().post(format!("{}/api/v1{path}", server.address)).json(&body);
    if let Some(token) = token {
        call = call.bearer_auth(token);
    }
    let answer = call.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn photo(server: &Server, token: &str, path: &str) -> Vec<u8> {
    let url = format!("{}/api/v1{path}", server.address);
    let answer = http_client().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.bytes().await.unwrap().to_vec()
}

/// Signs the desk in; its token.
async fn desk(server: &Server) -> String {
    let body = json!({"username": "desk", "password": demo::PASSWORD});
    let (status, session) = post(server, None, "/auth/staff", body).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().unwrap().to_owned()
}

/// Tokens of before the backup let nobody in.
async fn expect_signed_out(server: &Server, session: &Value) {
    let ended = (401, json!("session_ended"));
    let (status, problem) = get(server, session["access_token"].as_str().unwrap(), "/me").await;
    assert_eq!((status, problem["code"].clone()), ended);
    let body = json!({"refresh_token": session["refresh_token"]});
    let (status, problem) = post(server, None, "/auth/refresh", body).await;
    assert_eq!((status, problem["code"].clone()), ended);
}

/// Puts something on the page of the village.
async fn publish(database: &TestDatabase) {
    let sql = format!(
        "INSERT INTO publication (id, division_id, kind, subject_id, title, digest, may_identify, parts, published_by,
             created_at, shown_at, expires_on, version)
         SELECT s.id, p.division_id, 'minutes', s.id, '{TITLE}', '', FALSE, 0, s.id,
             s.created_at, s.created_at, '2099-12-31', 1
         FROM staff s JOIN posting p ON p.staff_id = s.id WHERE s.username = 'desk' LIMIT 1"
    );
    process::execute(database, &sql).await;
}

fn archive(folder: &TempDir) -> (PathBuf, String) {
    let path = folder.path().join("backup.zip");
    (path.clone(), path.to_str().unwrap().to_owned())
}

/// What the copy of the database is called in an archive.
fn name_of_copy(engine: Engine) -> &'static str {
    if engine == Engine::Sqlite { "database.sqlite.sealed" } else { "database.dump.sealed" }
}

/// The copy as it lies in an archive.
fn copy_in(archive: &Path, engine: Engine) -> Vec<u8> {
    let mut zip = ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name_of_copy(engine)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Neither as it lies there nor unpacked is anything of the database told.
fn expect_sealed(archive: &Path, engine: Engine) {
    let copy = copy_in(archive, engine);
    let mut unpacked = Vec::new();
    let _ = flate2::read::DeflateDecoder::new(copy.as_slice()).read_to_end(&mut unpacked);
    for bytes in [&fs::read(archive).unwrap(), &copy, &unpacked] {
        assert!(![TEXT, TITLE, "SQLite format", "PGDMP"].iter().any(|words| holds(bytes, words)));
    }
}

async fn drill(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    publish(&database).await;
    let (path, file) = archive(&database.folder);
    let mut server = Server::start(&database).await;
    let villager = Villager::new(&server).await;
    let mut answered = Vec::new();
    for _ in 0..3 {
        answered.push(villager.file().await);
    }
    let (picture, kept) = villager.send_photo().await;
    let complaint = villager.complain(&picture).await;
    answered.push(complaint.clone());
    // Others go on filing while the backup is made.
    let made = AtomicBool::new(false);
    let filing = async {
        let mut meanwhile = 0;
        while !made.load(Ordering::Relaxed) {
            villager.file().await;
            meanwhile += 1;
        }
        meanwhile
    };
    let saving = async {
        let (database_url, folder) = (database.url.clone(), database.folder.path().to_owned());
        let file = file.clone();
        let run = move || process::run_at(&database_url, &folder, &["backup", &file], &[]);
        let done = tokio::task::spawn_blocking(run).await.unwrap();
        made.store(true, Ordering::Relaxed);
        done
    };
    let (meanwhile, (code, said)) = tokio::join!(filing, saving);
    assert_eq!(code, 0, "{said}");
    assert!(meanwhile > 0, "villagers were served while the backup was made");
    let session = villager.session.clone();
    drop(villager);
    server.kill();
    expect_sealed(&path, engine);
    assert_eq!(left_over(&database.folder), 0);

    let elsewhere = TestDatabase::empty(engine).await;
    let store = elsewhere.folder.path().join("data/files");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("stray"), "x").unwrap();
    let (code, said) = process::run(&elsewhere, &["restore", &file], &[]);
    assert_eq!((code, said.contains("the store of files is not empty")), (1, true), "{said}");
    fs::remove_file(store.join("stray")).unwrap();
    let (code, said) = process::run(&elsewhere, &["restore", &file], &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("checksums fit; the audit is whole"), "{said}");
    assert!(said.contains("everybody signs in again") && said.contains(TITLE), "{said}");
    assert_eq!(left_over(&database.folder) + left_over(&elsewhere.folder), 0);
    assert_eq!(process::run(&elsewhere, &["audit", "verify"], &[]).0, 0);
    let again = Server::start(&elsewhere).await;
    expect_signed_out(&again, &session).await;
    let desk = desk(&again).await;
    for case in &answered {
        let (status, found) = get(&again, &desk, &format!("/staff/cases/{}", case["id"].as_str().unwrap())).await;
        assert_eq!((status, &found["number"]), (200, &case["number"]), "what was answered is there");
        assert!(case["id"] != complaint["id"] || found["text"] == TEXT, "{found}");
    }
    assert_eq!(photo(&again, &desk, &format!("/staff/files/{picture}")).await, kept, "a file opens as it did");
    // What was restored goes on: a villager files the next case.
    Villager::new(&again).await.file().await;
    drop(again);
    let (code, said) = process::run(&elsewhere, &["restore", &file], &[]);
    assert_eq!((code, said.contains("the database is not empty")), (1, true), "{said}");
    elsewhere.remove().await;
    database.remove().await;
}

/// How much is there that a backup or restore must not leave behind.
fn left_over(folder: &TempDir) -> usize {
    let names = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| [".part", ".database", ".restoring"].iter().any(|part| name.contains(part))).count()
}

/// An archive of another format.
fn write_older(path: &Path) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    zip.start_file("manifest.json", SimpleFileOptions::default()).unwrap();
    zip.write_all(br#"{"manifest": {"format": 1, "program": "0.0.1"}, "seal": ""}"#).unwrap();
    zip.finish().unwrap();
}

async fn refuses(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let (path, file) = archive(&database.folder);
    assert_eq!(process::run(&database, &["import", "catalogue", process::CATALOGUE], &[]).0, 0);
    assert_eq!(process::run(&database, &["backup", &file], &[]).0, 0);
    let good = fs::read(&path).unwrap();
    let (code, said) = process::run(&database, &["backup", &file], &[]);
    assert_eq!((code, said.contains("is there already")), (1, true), "{said}");
    assert_eq!(fs::read(&path).unwrap(), good, "a backup overwrites nothing");

    let elsewhere = TestDatabase::empty(engine).await;
    let refused = |variables: &[(&str, &str)], words: &str| {
        let (code, said) = process::run(&elsewhere, &["restore", &file], variables);
        assert_eq!((code, said.contains(words)), (1, true), "{words}: {said}");
        assert!(!elsewhere.folder.path().join("test.db").exists(), "{words}: nothing is left behind");
        assert_eq!(left_over(&elsewhere.folder), 0, "{words}");
    };
    let other_key = "bm90IHRoZSBrZXkgb2YgdGhlIGF1ZGl0LCBzdXJlLiE=";
    refused(&[("SHUOSHI__CRYPTO__AUDIT_KEY", other_key)], "the seal does not fit");
    refused(
        &[
            ("SHUOSHI__CRYPTO__FIELD_KEYS__DEMO", ""),
            ("SHUOSHI__CRYPTO__FIELD_KEYS__F9", other_key),
            ("SHUOSHI__CRYPTO__ACTIVE_FIELD_KEY", "f9"),
        ],
        "crypto.field_keys",
    );
    refused(&[("SHUOSHI__CRYPTO__FIELD_KEYS__DEMO", other_key)], "not that of then");
    let copy = copy_in(&path, engine);
    let place = |at: usize| good.len() * at / 100;
    for at in [10, 40, 70] {
        let mut changed = good.clone();
        changed[place(at)] ^= 1;
        fs::write(&path, changed).unwrap();
        refused(&[], "damaged");
    }
    let begins = good.windows(64).position(|window| window == &copy[..64]).unwrap();
    let mut changed = good.clone();
    changed[begins + copy.len() / 2] ^= 1;
    fs::write(&path, changed).unwrap();
    refused(&[], &format!("{} is damaged", name_of_copy(engine)));
    write_older(&path);
    refused(&[], "has format 1");
    fs::write(&path, &good[..place(80)]).unwrap();
    refused(&[], "not a backup, or cut short");
    fs::write(&path, "PK").unwrap();
    refused(&[], "not a backup, or cut short");
    fs::write(&path, &good).unwrap();
    let other = if engine == Engine::Sqlite { "postgres://postgres@127.0.0.1:9/none" } else { "sqlite://other.db" };
    refused(&[("SHUOSHI__DATABASE__URL", other)], "names the other engine");
    assert_eq!(process::run(&elsewhere, &["restore", &file], &[]).0, 0, "the place was empty all the time");
    elsewhere.remove().await;
    database.remove().await;
}

#[test]
fn a_drill_sqlite() {
    actix_web::rt::System::new().block_on(drill(Engine::Sqlite));
}

#[test]
fn a_drill_postgres() {
    actix_web::rt::System::new().block_on(drill(Engine::Postgres));
}

#[test]
fn what_is_damaged_foreign_or_in_the_way_is_refused_sqlite() {
    actix_web::rt::System::new().block_on(refuses(Engine::Sqlite));
}

#[test]
fn what_is_damaged_foreign_or_in_the_way_is_refused_postgres() {
    actix_web::rt::System::new().block_on(refuses(Engine::Postgres));
}

#[test]
fn what_a_killed_backup_left_goes_and_what_is_written_stays() {
    actix_web::rt::System::new().block_on(async {
        let database = TestDatabase::filled(Engine::Sqlite).await;
        let (path, file) = archive(&database.folder);
        let left = ["part".to_owned(), format!("{}.database", Uuid::now_v7())];
        let left = left.map(|ending| database.folder.path().join(format!("backup.zip.{ending}")));
        for path in &left {
            fs::write(path, "left").unwrap();
        }
        let written = File::options().write(true).open(&left[0]).unwrap();
        written.try_lock().unwrap();
        let (code, said) = process::run(&database, &["backup", &file], &[]);
        assert_eq!((code, said.contains("being written by another backup")), (1, true), "{said}");
        for path in &left {
            assert_eq!(fs::read(path).unwrap(), b"left", "{}", path.display());
        }
        drop(written);
        let (code, said) = process::run(&database, &["backup", &file], &[]);
        assert_eq!(code, 0, "{said}");
        assert_eq!((path.exists(), left.iter().any(|path| path.exists())), (true, false));
        expect_sealed(&path, Engine::Sqlite);
        database.remove().await;
    });
}
