//! A page of twenty is small enough for a weak line in the hills: under 20 KB as it is sent.

use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{cases::filed, support::Actor};

const MOST: usize = 20_000;

/// What a page of twenty weighs as it is and as it is sent: plain, `br`, `gzip`.
async fn weights(actor: &Actor, path: &str) -> [usize; 3] {
    let path = format!("/api/v1{path}");
    let mut weights = [0; 3];
    for (weight, how) in weights.iter_mut().zip(["identity", "br", "gzip"]) {
        let answer = actor.call(Method::GET, &path).header("Accept-Encoding", how).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-encoding"), how.trim_start_matches("identity"), "{path}");
        if how == "identity" {
            assert_eq!(answer.body["items"].as_array().unwrap().len(), 20, "{path}");
        }
        *weight = answer.bytes.len();
    }
    weights
}

#[track_caller]
fn light_when_sent(path: &str, [_, brotli, gzip]: [usize; 3]) {
    assert!(brotli < MOST && gzip < MOST, "{path} weighs {brotli} as br, {gzip} as gzip");
}

/// Text in which no phrase comes twice, the worst there is for compression.
fn words(seed: usize, letters: usize) -> String {
    let mut state = seed;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_u32(0x4e00 + u32::try_from((state >> 33) % 2500).unwrap()).unwrap()
    };
    (0..letters).map(letter).collect()
}

both_engines! {
    async fn twenty_full_talk_days_are_light_when_sent(app: TestApp) {
        // A village without a rule, so that there are no other days than these.
        let (desk, village) = (app.staff("neighbour").await, app.division("511702108213").await);
        let first = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        for date in first.iter_days().take(20) {
            let day = json!({
                "date": date, "starts": "08:00", "ends": "12:00", "slot_minutes": 15, "capacity": 3,
                "place": "碑庙镇陡坑村便民服务室二楼调解室", "modes": ["in_person", "phone", "video", "home_visit"],
                "video_url": "https://meeting.example/rooms/bimiao-doukeng",
            });
            let made = desk.post(&format!("/staff/divisions/{village}/talk-days"), day).await.expect(201);
            assert_eq!(made["slots"].as_array().unwrap().len(), 16);
        }
        let path = format!("/divisions/{village}/talk-days");
        light_when_sent(&path, weights(&app.nobody(), &path).await);
    }

    async fn twenty_of_anything_else_are_light(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        for _ in 0..20 {
            filed(&app, &me).await;
        }
        for (actor, path) in [(&me, "/cases"), (&me, "/inbox"), (&me, "/catalogue"), (&me, "/divisions")] {
            let weights = weights(actor, path).await;
            assert!(weights[0] < MOST, "{path} weighs {} uncompressed", weights[0]);
            light_when_sent(path, weights);
        }
        // With units, clocks and masked contacts these are a little over it uncompressed.
        light_when_sent("/staff/cases", weights(&desk, "/staff/cases").await);
        app.drain_jobs().await;
    }

    async fn twenty_long_stories_are_light_when_sent_and_whole_one_by_one(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let mut last = Value::Null;
        for number in 0..20 {
            let body = json!({
                "kind": "voice", "concern": "help", "division": app.village().await, "title": words(number, 80),
                "text": words(number + 100, 4000), "form": {"story": words(number + 200, 4000)},
            });
            last = me.post("/cases", body).await.expect(201);
        }
        for (actor, path) in [(&me, "/cases"), (&desk, "/staff/cases")] {
            light_when_sent(path, weights(actor, path).await);
            let id = last["id"].as_str().unwrap();
            let page = actor.get(path).await.expect(200);
            let listed = page["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap();
            let (beginning, end) = listed["text"].as_str().unwrap().split_at(300);
            assert_eq!((beginning, end), (words(119, 100).as_str(), "…"));
            assert_eq!((&listed["title"], &listed["form"]), (&json!(words(19, 80)), &Value::Null));
            let one = actor.get(&format!("{path}/{id}")).await.expect(200);
            // Staff ask for answers to a form, with a reason.
            let form = if path == "/cases" { last["form"].clone() } else { json!({"story": "****"}) };
            assert_eq!((&one["text"], &one["form"]), (&last["text"], &form));
        }
        app.drain_jobs().await;
    }
}
