//! Files, and uploads on their way.

use serde_json::json;

use super::Village;
use crate::{files, support::Actor};

impl Village {
    pub(super) async fn photo_of_a_case(&self, villager: &Actor) -> String {
        let photo = files::a_photo(villager).await;
        let body = json!({"kind": "voice", "concern": "help", "division": self.id, "text": "路灯", "files": [photo]});
        villager.post("/cases", body).await.expect(201);
        photo
    }

    /// The name of an upload that is on its way.
    pub(super) async fn upload(&self, by: &Actor) -> String {
        self.villagers.set(self.villagers.get() + 1);
        let name = format!("upload-{:04}", self.villagers.get());
        let call = files::bring(by, "a.jpg", &files::jpeg(16, 16)[..100]).header("X-Upload-Id", &name);
        call.header("Content-Range", "bytes 0-99/900").send().await.expect(202);
        name
    }
}
