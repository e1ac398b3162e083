//! `backup` while villagers file, `restore` into an empty place, and what neither takes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use shuoshi::demo;
use tempfile::TempDir;

use crate::support::{Engine, TestDatabase, app::http_client, process, process::Server};

/// A villager at a real server.
struct Villager<'a> {
    client: reqwest::Client,
    server: &'a Server,
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
        Self { client, server, token: session["access_token"].as_str().unwrap().to_owned(), village }
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
        let kept = photo(self.server, &self.token, &id).await;
        (id, kept)
    }

    async fn file(&self) -> Value {
        let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": self.village});
        let url = format!("{}/api/v1/cases", self.server.address);
        let answer = self.client.post(url).bearer_auth(&self.token).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        answer.json().await.unwrap()
    }
}

async fn get(server: &Server, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}/api/v1{path}", server.address);
    let answer = http_client().get(url).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn photo(server: &Server, token: &str, id: &str) -> Vec<u8> {
    let url = format!("{}/api/v1/files/{id}", server.address);
    let answer = http_client().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.bytes().await.unwrap().to_vec()
}

fn archive(folder: &TempDir) -> (PathBuf, String) {
    let path = folder.path().join("backup.zip");
    (path.clone(), path.to_str().unwrap().to_owned())
}

async fn drill(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let (_, file) = archive(&database.folder);
    let mut server = Server::start(&database).await;
    let villager = Villager::new(&server).await;
    let mut answered = Vec::new();
    for _ in 0..3 {
        answered.push(villager.file().await);
    }
    let (picture, kept) = villager.send_photo().await;
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
    let token = villager.token.clone();
    drop(villager);
    server.kill();
    assert_eq!(
        fs::read_dir(database.folder.path()).unwrap().flatten().filter(|entry| is_left_over(&entry.path())).count(),
        0
    );

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
    assert_eq!(process::run(&elsewhere, &["audit", "verify"], &[]).0, 0);
    let again = Server::start(&elsewhere).await;
    for case in &answered {
        let (status, found) = get(&again, &token, &format!("/cases/{}", case["id"].as_str().unwrap())).await;
        assert_eq!((status, &found["number"]), (200, &case["number"]), "what was answered is there");
    }
    assert_eq!(photo(&again, &token, &picture).await, kept, "a file opens as it did");
    // What was restored goes on: the same villager files the next case.
    let url = format!("{}/api/v1/cases", again.address);
    let body = json!({"kind": "proxy", "item": "DZ-MZ-01", "division": answered[0]["division"]});
    let answer = http_client().post(url).bearer_auth(&token).json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.unwrap());
    drop(again);
    let (code, said) = process::run(&elsewhere, &["restore", &file], &[]);
    assert_eq!((code, said.contains("the database is not empty")), (1, true), "{said}");
    elsewhere.remove().await;
    database.remove().await;
}

/// What a backup or restore must not leave behind.
fn is_left_over(path: &Path) -> bool {
    [".part", ".database", ".restoring"].iter().any(|ending| path.to_str().unwrap().ends_with(ending))
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
        let left = fs::read_dir(elsewhere.folder.path()).unwrap().flatten().filter(|entry| is_left_over(&entry.path()));
        assert_eq!(left.count(), 0, "{words}");
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
    let place = |at: usize| good.len() * at / 100;
    for at in [10, 40, 70] {
        let mut changed = good.clone();
        changed[place(at)] ^= 1;
        fs::write(&path, changed).unwrap();
        refused(&[], "damaged");
    }
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
