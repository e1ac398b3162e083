//! What becomes of files when their owner turns out to be somebody else, or is forgotten.

use serde_json::{Value, json};

use super::{a_photo, bring, fetch, ids, jpeg};
use crate::{
    cases::own,
    people::{GROWN_UP, claim, resident},
    support::{Actor, TestApp},
};

/// Half of a photo arrives under this name.
async fn half_a_photo(by: &Actor, name: &str) {
    let photo = jpeg(64, 48);
    let call = bring(by, "a.jpg", &photo[..500]).header("X-Upload-Id", name);
    call.header("Content-Range", &format!("bytes 0-499/{}", photo.len())).send().await.expect(202);
}

async fn concern(app: &TestApp, by: &Actor, photo: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保几时发", "files": [photo],
    });
    by.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn what_somebody_brought_goes_with_them_to_their_new_phone(app: TestApp) {
        let old = resident(&app, "样例甲", GROWN_UP).await;
        let (hung, loose) = (a_photo(&old).await, a_photo(&old).await);
        let case = concern(&app, &old, &hung).await;
        let new = app.villager("新手机").await;
        new.post("/me/residence", claim(&app, "样例甲", GROWN_UP).await).await.expect(200);
        let fresh = a_photo(&new).await;
        half_a_photo(&new, "half-0001").await;
        let desk = app.staff("desk").await;
        let claims = desk.get("/staff/residence-claims").await.expect(200);
        let approve = format!("/staff/residence-claims/{}/approve", claims["items"][0]["id"].as_str().unwrap());
        desk.post(&approve, json!({})).await.expect(200);
        let back = app.villager("新手机").await;
        for photo in [&hung, &loose, &fresh] {
            assert_eq!(fetch(&back, photo).await.status, 200);
        }
        assert_eq!(ids(&back.get(&own(&case)).await.expect(200)["files"]), [hung.as_str()]);
        concern(&app, &back, &fresh).await;
        // Half a photo of an account that is no more has nobody who could go on with it.
        assert_eq!(app.number("SELECT count(*) FROM upload WHERE file_id IS NULL").await, 0);
        let finder = app.villager("样例甲").await;
        for photo in [&hung, &loose, &fresh] {
            fetch(&finder, photo).await.problem("not_found");
        }
        app.drain_jobs().await;
    }

    async fn who_is_forgotten_leaves_no_photo_behind(app: TestApp) {
        let me = app.villager("甲").await;
        let (hung, loose) = (a_photo(&me).await, a_photo(&me).await);
        let case = concern(&app, &me, &hung).await;
        half_a_photo(&me, "half-0002").await;
        me.delete("/me").await;
        assert_eq!(app.number("SELECT count(*) FROM upload WHERE file_id IS NULL").await, 0);
        let desk = app.staff("desk").await;
        fetch(&desk, &loose).await.problem("not_found");
        app.drain_jobs().await;
        let again = app.villager("甲").await;
        for photo in [&hung, &loose] {
            fetch(&again, photo).await.problem("not_found");
        }
        again.get(&own(&case)).await.problem("not_found");
    }
}
