//! How files are given out: to whom, in what pieces, by which links.

use entity::id::FileId;
use reqwest::Method;
use serde_json::json;

use super::{a_photo, fetch, jpeg, sent, wav};
use crate::{
    audit::entries_of,
    cases::own,
    open311::public_case,
    support::{Actor, Answer, TestApp},
};

async fn range(by: &Actor, id: &str, range: &str) -> Answer {
    by.call(Method::GET, &format!("/api/v1/files/{id}")).header("Range", range).send().await
}

/// A link without a beginning: nothing says how the outside reaches the server.
async fn link(by: &Actor, id: &str) -> String {
    let link = by.get(&format!("/files/{id}/link")).await.expect(200);
    let url = link["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("/media/"), "{url} leads elsewhere");
    url
}

both_engines! {
    async fn players_fetch_any_range(app: TestApp) {
        let me = app.villager("甲").await;
        // Several segments and several reads of them.
        let id = sent(&me, "voice.wav", &wav(90)).await;
        let whole = fetch(&me, &id).await;
        let all = whole.bytes.len();
        assert_eq!((whole.status, whole.header("accept-ranges")), (200, "bytes"));
        assert_eq!(whole.header("content-length"), all.to_string());
        for (from, to) in [(0, 1), (0, 65_535), (65_535, 65_536), (70_000, 600_000), (all - 1, all - 1), (0, all - 1)] {
            let part = range(&me, &id, &format!("bytes={from}-{to}")).await;
            assert_eq!(part.status, 206, "{from}-{to}");
            assert_eq!(part.header("content-range"), format!("bytes {from}-{to}/{all}"));
            assert_eq!(part.bytes, whole.bytes[from..=to], "{from}-{to}");
        }
        assert_eq!(range(&me, &id, "bytes=-10").await.bytes, whole.bytes[all - 10..]);
        let beyond = range(&me, &id, &format!("bytes={all}-")).await;
        assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{all}").as_str()));
        let tag = whole.header("etag").to_owned();
        let call = || me.call(Method::GET, &format!("/api/v1/files/{id}"));
        assert_eq!(call().header("If-None-Match", &tag).send().await.status, 304);
        let of_another = call().header("If-Range", "\"other\"").header("Range", "bytes=0-1").send().await;
        assert_eq!((of_another.status, of_another.bytes.len()), (200, all));
        assert!(whole.header("cache-control").starts_with("private"));
        assert_eq!(whole.header("content-security-policy"), "sandbox; default-src 'none'");
    }

    async fn a_small_one_is_kept_of_photos_only(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = sent(&me, "a.jpg", &jpeg(800, 600)).await;
        let small = me.get(&format!("/files/{photo}?size=thumbnail")).await;
        let small = image::load_from_memory(&small.bytes).unwrap();
        assert_eq!((small.width(), small.height()), (320, 240));
        let voice = sent(&me, "a.wav", &wav(1)).await;
        me.get(&format!("/files/{voice}?size=thumbnail")).await.problem("not_found");
        me.get(&format!("/files/{photo}?size=huge")).await.problem("invalid");
    }

    async fn what_hangs_on_nothing_is_for_who_brought_it(app: TestApp) {
        let (me, other) = (app.villager("甲").await, app.villager("乙").await);
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let (mine, theirs) = (a_photo(&me).await, a_photo(&desk).await);
        assert_eq!(fetch(&me, &mine).await.status, 200);
        assert_eq!(fetch(&desk, &theirs).await.status, 200);
        let nowhere = fetch(&other, "01890a5d-ac96-774b-bcce-b302099a8057").await.problem("not_found");
        for stranger in [fetch(&other, &mine).await, fetch(&desk, &mine).await, fetch(&cadre, &theirs).await] {
            let mut said = stranger.problem("not_found");
            said["request_id"] = nowhere["request_id"].clone();
            said["instance"] = nowhere["instance"].clone();
            assert_eq!(said, nowhere, "as if it had never been");
        }
        app.nobody().get(&format!("/files/{mine}")).await.problem("sign_in_required");
    }

    async fn what_staff_read_is_entered(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (photo, voice) = (a_photo(&me).await, sent(&me, "voice.wav", &wav(2)).await);
        let body = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "路灯", "files": [photo, voice],
        });
        let case = me.post("/cases", body).await.expect(201);
        // Neither what is one's own, nor what is not seen.
        let own_photo = a_photo(&desk).await;
        assert_eq!((fetch(&me, &photo).await.status, fetch(&desk, &own_photo).await.status), (200, 200));
        fetch(&app.staff("neighbour").await, &photo).await.problem("not_found");
        assert_eq!(entries_of(&app, "read_file").await.len(), 0);
        let shown = fetch(&desk, &photo).await;
        assert_eq!(shown.status, 200);
        let entries = entries_of(&app, "read_file").await;
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].object_kind.as_str(), entries[0].object_id.as_deref()), ("case", case["id"].as_str()));
        assert_eq!(entries[0].fields, Some(format!("file={photo}")));
        assert_eq!(entries[0].actor_id.map(|id| id.to_string()).as_deref(), Some(desk.id()));
        // A small one, a link, and one that is known already are reads like others.
        let path = format!("/staff/files/{photo}");
        assert_eq!(desk.get(&format!("{path}?size=thumbnail")).await.status, 200);
        desk.get(&format!("{path}/link")).await.expect(200);
        let call = desk.call(Method::GET, &format!("/api/v1{path}")).header("If-None-Match", shown.header("etag"));
        assert_eq!(call.send().await.status, 304);
        assert_eq!(entries_of(&app, "read_file").await.len(), 4);
        app.drain_jobs().await;
    }

    async fn a_player_of_staff_is_entered_once_whatever_ranges_it_asks_for(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let voice = sent(&me, "voice.wav", &wav(2)).await;
        let body = json!({"kind": "voice", "concern": "help", "division": app.village().await, "files": [voice]});
        me.post("/cases", body).await.expect(201);
        let asks = async |by: &Actor, range: &str| {
            let call = by.call(Method::GET, &format!("/api/v1/staff/files/{voice}")).header("Range", range);
            assert_eq!(call.send().await.status, 206, "{range}");
            entries_of(&app, "read_file").await.len()
        };
        for range in ["bytes=0-1", "bytes=2-99", "bytes=100-", "bytes=-5"] {
            assert_eq!(asks(&desk, range).await, 1, "{range}");
        }
        // Who leaves the beginning out is entered, and who comes back later.
        let town = app.staff("town").await;
        assert_eq!((asks(&town, "bytes=1-").await, asks(&town, "bytes=2-").await), (2, 2));
        app.advance(chrono::TimeDelta::minutes(61));
        assert_eq!(asks(&app.staff("desk").await, "bytes=100-").await, 3);
        app.drain_jobs().await;
    }

    async fn a_link_is_good_for_one_file_for_ten_minutes(app: TestApp) {
        let me = app.villager("甲").await;
        let (photo, other) = (a_photo(&me).await, a_photo(&me).await);
        let path = link(&me, &photo).await;
        let nobody = app.nobody();
        let opened = nobody.call(Method::GET, &path).send().await;
        assert_eq!((opened.status, &opened.bytes), (200, &fetch(&me, &photo).await.bytes));
        let part = nobody.call(Method::GET, &path).header("Range", "bytes=0-3").send().await;
        assert_eq!((part.status, part.bytes.len()), (206, 4));
        for wrong in [
            path.replace(&photo, &other),
            path.replace("signature=", "signature=0"),
            path.replace("until=1", "until=2"),
            format!("{path}&size=thumbnail"),
        ] {
            nobody.call(Method::GET, &wrong).send().await.problem("not_found");
        }
        let small = me.get(&format!("/files/{photo}/link?size=thumbnail")).await.expect(200);
        let small = small["url"].as_str().unwrap().to_owned();
        assert_eq!(nobody.call(Method::GET, &small).send().await.status, 200);
        app.villager("乙").await.get(&format!("/files/{photo}/link")).await.problem("not_found");
        app.advance(chrono::TimeDelta::seconds(601));
        nobody.call(Method::GET, &path).send().await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn links_begin_as_the_outside_reaches_the_server(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = a_photo(&me).await;
        let begins = async |server: &TestApp| {
            let me = me.clone().at(server);
            let call = me.call(Method::GET, &format!("/api/v1/files/{photo}/link")).header("X-Forwarded-Proto", "https");
            let link = call.send().await.expect(200);
            link["url"].as_str().unwrap().split("/media/").next().unwrap().to_owned()
        };
        assert_eq!(begins(&app).await, "", "what anybody claims is not believed");
        let behind = app.second_server_with(|config| {
            config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        }).await;
        assert_eq!(begins(&behind).await, behind.address.replace("http://", "https://"));
        let named = app.second_server_with(|config| config.files.public_url = "https://village.example/".to_owned()).await;
        assert_eq!(begins(&named).await, "https://village.example");
    }

    async fn a_public_link_ends_when_the_case_is_not_shown_any_more(app: TestApp) {
        let me = app.villager("甲").await;
        let (photo, elsewhere) = (a_photo(&me).await, a_photo(&me).await);
        let (case, _) = public_case(&app, &me, json!({"files": [photo]})).await;
        let named = app.second_server_with(|config| config.files.public_url = "https://village.example".to_owned()).await;
        let until = app.now() + chrono::TimeDelta::hours(1);
        let path = |id: &str| {
            let link = shuoshi::files::public_link(named.app(), FileId(id.parse().unwrap()), until).unwrap().unwrap();
            link.strip_prefix("https://village.example").unwrap().to_owned()
        };
        let nobody = app.nobody();
        assert_eq!(nobody.call(Method::GET, &path(&photo)).send().await.status, 200);
        nobody.call(Method::GET, &path(&elsewhere)).send().await.problem("not_found");
        me.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.expect(200);
        nobody.call(Method::GET, &path(&photo)).send().await.problem("not_found");
        assert_eq!(nobody.call(Method::GET, &link(&me, &photo).await).send().await.status, 200);
        app.drain_jobs().await;
    }

    async fn keys_of_files_are_sealed_anew_and_open_what_they_opened(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = a_photo(&me).await;
        let before = fetch(&me, &photo).await.bytes;
        let rotated = app.second_server_with(|config| {
            let key = "Wscal0nPUicUe9DMg7BZIaiKwWeZfL68UqchgYLeJhg=".to_owned().into();
            config.crypto.field_keys.insert("next".to_owned(), key);
            "next".clone_into(&mut config.crypto.active_field_key);
        }).await;
        let done = shuoshi::keys::rotate(rotated.db(), &rotated.app().field_keys).await.unwrap();
        let of_files = done.iter().find(|done| done.table == "file").unwrap();
        assert_eq!((of_files.resealed, of_files.left), (1, 0));
        assert_eq!(fetch(&me.clone().at(&rotated), &photo).await.bytes, before);
    }
}
