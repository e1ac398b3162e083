//! Files: what is taken in, what is refused, who may see it and when it goes.

mod attaching;
mod kinds;
mod limits;
mod owners;
mod resuming;
mod serving;
mod sweeping;

use futures_util::TryStreamExt;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::Value;

use crate::support::{Actor, Answer, TestApp, actor::Call};

/// What parts the fields of a form.
const LINE: &str = "a-line-that-parts-fields";
/// The media type of such a form.
pub fn form_type() -> String {
    format!("multipart/form-data; boundary={LINE}")
}

/// A form with one file.
pub fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--{LINE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    form.extend(bytes);
    form.extend(format!("\r\n--{LINE}--\r\n").bytes());
    form
}

/// A call that brings a file, to be sent.
pub fn bring(by: &Actor, name: &str, bytes: &[u8]) -> Call {
    let staff = by.session.get("staff").is_some();
    let path = if staff { "/api/v1/staff/files" } else { "/api/v1/files" };
    by.call(Method::POST, path).body(&form_type(), form(name, bytes))
}

/// Brings a file.
pub async fn send(by: &Actor, name: &str, bytes: &[u8]) -> Answer {
    bring(by, name, bytes).send().await
}

/// Brings a file that is taken; its id.
pub async fn sent(by: &Actor, name: &str, bytes: &[u8]) -> String {
    let made = send(by, name, bytes).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// Brings a photo; its id.
pub async fn a_photo(by: &Actor) -> String {
    sent(by, "photo.jpg", &jpeg(64, 48)).await
}

/// Brings a voice note of a second; its id.
pub async fn a_voice(by: &Actor) -> String {
    sent(by, "voice.wav", &wav(1)).await
}

/// Pixels that no two photos have in common with each other.
fn pixels(width: u32, height: u32) -> DynamicImage {
    let mut seed = 12_345_u32;
    let picture = RgbImage::from_fn(width, height, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_le_bytes();
        Rgb([a, b, c])
    });
    DynamicImage::from(picture)
}

/// A photo in a format.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    pixels(width, height).write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A photo as a camera writes it.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, ImageFormat::Jpeg)
}

/// So many seconds of silence.
pub fn wav(seconds: u32) -> Vec<u8> {
    let sound = vec![0; usize::try_from(seconds * 8000).unwrap()];
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + seconds * 8000).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend(b"\x01\0\x08\0data");
    bytes.extend((seconds * 8000).to_le_bytes());
    bytes.extend(sound);
    bytes
}

/// The smallest PDF that readers open.
pub fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
        .to_vec()
}

/// The names of all objects in the store but the one that says which store it is.
pub async fn objects(app: &TestApp) -> Vec<String> {
    let mut found: Vec<String> =
        app.app().files.store.list(None).map_ok(|found| found.key).try_collect().await.unwrap();
    found.retain(|key| key != "store/id");
    found.sort();
    found
}

/// That nothing is there: no file, no upload, no object.
#[track_caller]
pub fn nothing_left(files: i64, uploads: i64, objects: &[String]) {
    assert_eq!((files, uploads, objects), (0, 0, &[][..]));
}

/// How many uploads there are, but those that were refused and are remembered for their bytes.
pub const UPLOADS: &str = "SELECT count(*) FROM upload WHERE name NOT LIKE 'refused:%'";

/// Looks whether anything is there.
pub async fn expect_nothing_left(app: &TestApp) {
    let (files, uploads) = (app.number("SELECT count(*) FROM file").await, app.number(UPLOADS).await);
    nothing_left(files, uploads, &objects(app).await);
}

/// Fetches a file as a villager or as staff.
pub async fn fetch(by: &Actor, id: &str) -> Answer {
    let staff = by.session.get("staff").is_some();
    by.get(&if staff { format!("/staff/files/{id}") } else { format!("/files/{id}") }).await
}

/// The ids in a list of files.
pub fn ids(files: &Value) -> Vec<&str> {
    files.as_array().unwrap().iter().map(|file| file["id"].as_str().unwrap()).collect()
}
