//! What files hang on, and who may see them from then on.

use chrono::TimeDelta;
use entity::{case, id::CaseId};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{a_photo, a_voice, expect_nothing_left, fetch, ids, objects, pdf, sent};
use crate::{
    cases::{actions, answered, filed, in_progress, own},
    support::{Actor, TestApp, a_booking},
    talks::hearing::{called, conclude, hosted, matter},
};

async fn voice_case(app: &TestApp, by: &Actor, files: Value) -> Value {
    let body = json!({"kind": "voice", "concern": "help", "division": app.village().await, "files": files});
    by.post("/cases", body).await.expect(201)
}

async fn seen_by(app: &TestApp, id: &str, names: &[&str]) -> Vec<u16> {
    let mut seen = Vec::new();
    for name in names {
        seen.push(fetch(&app.staff(name).await, id).await.status);
    }
    seen
}

/// Bytes of what is gone go a day later.
async fn swept(app: &TestApp) {
    sweeps::run(app.app(), Sweep::SweepFiles).await.unwrap();
    app.advance(TimeDelta::hours(25));
    sweeps::run(app.app(), Sweep::SweepFiles).await.unwrap();
}

const EVERYBODY: [&str; 7] = ["desk", "cadre", "cadre2", "town", "county", "neighbour", "discipline"];

both_engines! {
    async fn a_voice_note_may_be_all_that_is_said(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let body = json!({"kind": "voice", "concern": "help", "division": app.village().await});
        me.post("/cases", body.clone()).await.invalid("/text", "required");
        let photo = a_photo(&me).await;
        let mut silent = body;
        silent["files"] = json!([photo]);
        me.post("/cases", silent).await.invalid("/text", "required");
        let voice = a_voice(&me).await;
        let case = voice_case(&app, &me, json!([voice, photo])).await;
        assert_eq!(ids(&case["files"]), [voice.as_str(), photo.as_str()], "in their order");
        assert_eq!((&case["text"], &case["summary"]), (&json!(""), &Value::Null));
        let seen = desk.get(&format!("/staff{}", own(&case))).await.expect(200);
        assert_eq!(seen["files"], case["files"]);
        assert_eq!(seen["files"][0]["duration_ms"], 1000);
        assert!(seen["actions"].as_array().unwrap().contains(&json!("summarise")));
        // The desk writes down what it heard; both sides read it, and it is found by it.
        let summarise = |text: &str| json!({"action": "summarise", "text": text});
        desk.post(&actions(&case), summarise("东边水渠堵了")).await.expect(200);
        desk.post(&actions(&case), summarise("西边水渠垮了一段")).await.expect(200);
        me.post(&format!("{}/actions", own(&case)), summarise("自己写")).await.problem("invalid");
        app.staff("neighbour").await.post(&actions(&case), summarise("别村")).await.problem("not_found");
        assert_eq!(me.get(&own(&case)).await.expect(200)["summary"], "西边水渠垮了一段");
        let events = me.get(&format!("{}/events", own(&case))).await.expect(200);
        let said: Vec<&Value> = events["items"].as_array().unwrap().iter().filter(|event| event["action"] == "summarise").collect();
        assert_eq!(said.len(), 2, "earlier ones stay in the timeline");
        assert_eq!(said[0]["text"], "东边水渠堵了");
        app.advance(TimeDelta::minutes(1));
        app.drain_jobs().await;
        let found = async |typed: &str| desk.get(&format!("/staff/cases?q={typed}")).await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!(found("%E5%9E%AE%E4%BA%86").await, 1, "垮了");
        assert_eq!(found("%E4%B8%9C%E8%BE%B9").await, 0, "东边: what was written over is not found");
        // What was written needs no summary.
        let written = filed(&app, &me).await;
        desk.post(&actions(&written), summarise("多此一举")).await.problem("transition_not_allowed");
        app.drain_jobs().await;
    }

    async fn only_what_is_one_s_own_and_free_can_be_hung(app: TestApp) {
        let (me, other) = (app.villager("甲").await, app.villager("乙").await);
        let (mine, theirs) = (a_photo(&me).await, a_photo(&other).await);
        let village = app.village().await;
        let with = |files: Value| json!({"kind": "voice", "concern": "help", "division": village, "text": "路灯", "files": files});
        let nowhere = "01890a5d-ac96-774b-bcce-b302099a8057";
        me.post("/cases", with(json!([mine, theirs]))).await.invalid("/files/1", "unknown_file");
        me.post("/cases", with(json!([nowhere]))).await.invalid("/files/0", "unknown_file");
        me.post("/cases", with(json!([mine, mine]))).await.invalid("/files/1", "duplicate");
        me.post("/cases", with(json!(vec![mine.clone(); 10]))).await.invalid("/files", "length");
        assert_eq!(app.number("SELECT count(*) FROM file WHERE thing_id IS NOT NULL").await, 0, "a refusal hangs nothing");
        let case = me.post_keyed("/cases", "file-key-1", with(json!([mine]))).await.expect(201);
        let again = me.post_keyed("/cases", "file-key-1", with(json!([mine]))).await.expect(201);
        assert_eq!(again, case, "a retry is the same case");
        me.post("/cases", with(json!([mine]))).await.invalid("/files/0", "unknown_file");
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 1);
        // Of two cases that want the same file at once, one gets it.
        let free = a_photo(&me).await;
        let (one, two) = tokio::join!(me.post("/cases", with(json!([free]))), me.post("/cases", with(json!([free]))));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422], "{} {}", one.text(), two.text());
        app.drain_jobs().await;
    }

    async fn a_file_is_seen_by_who_may_read_the_case_and_by_nobody_else(app: TestApp) {
        let (me, other) = (app.villager("甲").await, app.villager("乙").await);
        let photo = a_photo(&me).await;
        let case = voice_case(&app, &me, json!([photo, a_voice(&me).await])).await;
        assert_eq!(fetch(&me, &photo).await.status, 200);
        fetch(&other, &photo).await.problem("not_found");
        assert_eq!(seen_by(&app, &photo, &EVERYBODY).await, [200, 404, 404, 200, 200, 404, 404]);
        in_progress(&app, &case).await;
        assert_eq!(seen_by(&app, &photo, &EVERYBODY).await, [200, 200, 404, 200, 200, 404, 404]);
        // A helper, as long as they may act.
        let agent = app.villager("侄").await;
        fetch(&agent, &photo).await.problem("not_found");
        let authority = json!({"agent": agent.id(), "scope": ["voice"], "until": "2027-01-01", "evidence": {"kind": "paper"}});
        let given = me.post("/me/authorisations", authority).await.expect(201);
        assert_eq!(fetch(&agent, &photo).await.status, 200);
        me.delete(&format!("/me/authorisations/{}", given["id"].as_str().unwrap())).await.expect(204);
        fetch(&agent, &photo).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn files_of_a_complaint_exist_for_the_discipline_desk_alone(app: TestApp) {
        let (me, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let voice = a_voice(&me).await;
        let body = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "against": [cadre.id()], "files": [voice],
        });
        me.post("/cases", body).await.expect(201);
        assert_eq!(seen_by(&app, &voice, &EVERYBODY).await, [404, 404, 404, 404, 404, 404, 200]);
        for staff in [app.staff("desk").await, cadre] {
            let mut real = fetch(&staff, &voice).await.problem("not_found");
            let mut none = fetch(&staff, "01890a5d-ac96-774b-bcce-b302099a8057").await.problem("not_found");
            for answer in [&mut real, &mut none] {
                answer["request_id"] = Value::Null;
                answer["instance"] = Value::Null;
            }
            assert_eq!(real, none);
            staff.get(&format!("/staff/files/{voice}/link")).await.problem("not_found");
        }
        let read = "SELECT count(*) FROM audit_entry WHERE action = 'read_confidential_case' AND fields LIKE 'file=%'";
        assert_eq!(app.number(read).await, 1, "the desk's reading is entered");
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'read_file'").await, 0, "and once");
        app.drain_jobs().await;
    }

    async fn answers_rest_on_photos_and_voices(app: TestApp) {
        let (me, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let case = filed(&app, &me).await;
        in_progress(&app, &case).await;
        let (photo, voice, paper) = (a_photo(&cadre).await, a_voice(&cadre).await, sent(&cadre, "a.pdf", &pdf()).await);
        let done = |evidence: Value| json!({"action": "answer", "result": "done", "text": "已修好", "evidence": evidence});
        let path = actions(&case);
        cadre.post(&path, done(json!([{"kind": "photo"}]))).await.invalid("/evidence", "evidence");
        cadre.post(&path, done(json!([{"kind": "paper", "file": paper}]))).await.invalid("/evidence", "evidence");
        cadre.post(&path, done(json!([{"kind": "photo", "file": voice}]))).await.invalid("/evidence/0/file", "file_kind");
        let theirs = a_photo(&me).await;
        cadre.post(&path, done(json!([{"kind": "photo", "file": theirs}]))).await.invalid("/evidence/0/file", "unknown_file");
        let delivered = json!({"action": "milestone", "milestone": "delivered", "evidence": [{"kind": "photo", "file": photo}]});
        cadre.post(&path, delivered).await.expect(200);
        let evidence = json!([{"kind": "voice", "file": voice}, {"kind": "paper", "reference": "回执 7", "file": paper}]);
        cadre.post(&path, done(evidence)).await.expect(200);
        let events = me.get(&format!("{}/events", own(&case))).await.expect(200);
        let of = |action: &str| events["items"].as_array().unwrap().iter().find(|event| event["action"] == action).unwrap().clone();
        assert_eq!(ids(&of("milestone")["files"]), [photo.as_str()]);
        assert_eq!(ids(&of("answer")["files"]), [voice.as_str(), paper.as_str()]);
        for id in [&photo, &voice, &paper] {
            assert_eq!(fetch(&me, id).await.status, 200);
            assert_eq!(seen_by(&app, id, &["desk", "town", "neighbour"]).await, [200, 200, 404]);
        }
        app.drain_jobs().await;
    }

    async fn papers_that_were_asked_for_come_as_files(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = filed(&app, &me).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请拍户口簿"});
        desk.post(&actions(&case), ask).await.expect(200);
        let photo = a_photo(&me).await;
        let path = format!("{}/actions", own(&case));
        me.post(&path, json!({"action": "supplement"})).await.invalid("/text", "required");
        me.post(&path, json!({"action": "supplement", "files": [photo]})).await.expect(200);
        let events = desk.get(&format!("/staff{}/events", own(&case))).await.expect(200);
        assert_eq!(ids(&events["items"].as_array().unwrap().last().unwrap()["files"]), [photo.as_str()]);
        assert_eq!(fetch(&desk, &photo).await.status, 200);
        app.drain_jobs().await;
    }

    async fn drafts_keep_their_files_and_take_them_along(app: TestApp) {
        let me = app.villager("甲").await;
        let (kept, lost) = (a_photo(&me).await, a_photo(&me).await);
        let draft = |file: &str, village: String| json!({"kind": "voice", "concern": "help", "division": village, "text": "路", "draft": true, "files": [file]});
        let village = app.village().await.to_string();
        let case = me.post("/cases", draft(&kept, village.clone())).await.expect(201);
        let other = me.post("/cases", draft(&lost, village)).await.expect(201);
        assert_eq!(seen_by(&app, &kept, &["desk"]).await, [404], "nobody sees a draft");
        me.delete(&own(&other)).await.expect(204);
        fetch(&me, &lost).await.problem("not_found");
        me.post(&format!("{}/actions", own(&case)), json!({"action": "submit"})).await.expect(200);
        assert_eq!(seen_by(&app, &kept, &["desk"]).await, [200]);
        swept(&app).await;
        assert_eq!(objects(&app).await, [format!("file/{kept}"), format!("file/{kept}.small")]);
        app.drain_jobs().await;
    }

    async fn the_desk_hangs_what_it_brought(app: TestApp) {
        let desk = app.staff("desk").await;
        let voice = a_voice(&desk).await;
        let body = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "channel": "walk_in",
            "for_person": {"name": "样例", "phone": "13800000000"}, "files": [voice],
        });
        let case = desk.post("/staff/cases", body).await.expect(201);
        assert_eq!(ids(&case["files"]), [voice.as_str()]);
        assert_eq!(fetch(&desk, &voice).await.status, 200);
        app.drain_jobs().await;
    }

    async fn a_matter_for_a_talk_day_brings_its_photos(app: TestApp) {
        let (me, other) = (app.villager("甲").await, app.villager("乙").await);
        let (public, private) = (a_photo(&me).await, a_photo(&other).await);
        let mut wish = a_booking();
        wish["files"] = json!([private]);
        me.post(&app.bookings_of_a_slot().await, wish.clone()).await.invalid("/files/0", "unknown_file");
        assert_eq!(app.number("SELECT count(*) FROM booking").await, 0);
        wish["files"] = json!([public]);
        let booking = me.post(&app.bookings_of_a_slot().await, wish.clone()).await.expect(201);
        assert_eq!(ids(&booking["files"]), [public.as_str()]);
        let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
        assert_eq!(me.get(&path).await.expect(200)["files"], booking["files"]);
        (wish["files"], wish["privacy"]) = (json!([private]), json!("private"));
        other.post(&app.bookings_of_a_slot().await, wish).await.expect(201);
        fetch(&other, &public).await.problem("not_found");
        assert_eq!(seen_by(&app, &public, &["desk", "neighbour"]).await, [200, 404]);
        assert_eq!(seen_by(&app, &private, &["neighbour", "town"]).await, [404, 404]);
        app.drain_jobs().await;
    }

    async fn photos_of_a_matter_go_where_its_case_goes(app: TestApp) {
        let (me, cadre, cadre2) = (app.villager("甲").await, app.staff("cadre").await, app.staff("cadre2").await);
        let photo = a_photo(&me).await;
        let day = hosted(&app, &[&cadre], 3).await;
        let wish = json!({"topic": "roads", "summary": "有事要说", "privacy": "private", "files": [photo]});
        let path = format!("/slots/{}/bookings", day["slots"][0]["id"].as_str().unwrap());
        let booking = me.post(&path, wish).await.expect(201);
        assert_eq!(seen_by(&app, &photo, &["cadre", "discipline"]).await, [200, 404]);
        called(&app, &booking).await;
        let case = json!({"kind": "voice", "concern": "complaint", "text": "反映分地不公", "against": [cadre2.id()]});
        let body = json!({"record": "已记下，另行处理", "outcome": "case", "case": case});
        cadre.post(&conclude(&booking), body).await.expect(200);
        assert_eq!(seen_by(&app, &photo, &EVERYBODY).await, [404, 404, 404, 404, 404, 404, 200]);
        assert_eq!(fetch(&me, &photo).await.status, 200);
        let case = me.get(&format!("/bookings/{}", booking["id"].as_str().unwrap())).await.expect(200)["case"].clone();
        let case = me.get(&format!("/cases/{}", case.as_str().unwrap())).await.expect(200);
        assert_eq!(ids(&case["files"]), [photo.as_str()]);
        app.drain_jobs().await;
    }

    async fn a_helper_sees_what_they_brought_as_long_as_they_may_act(app: TestApp) {
        let (me, agent) = (app.villager("甲").await, app.villager("侄").await);
        let authority = json!({"agent": agent.id(), "scope": ["voice"], "until": "2027-01-01", "evidence": {"kind": "paper"}});
        let given = me.post("/me/authorisations", authority).await.expect(201);
        let photo = a_photo(&agent).await;
        let body = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "路灯", "for_person": me.id(),
            "files": [photo],
        });
        let case = agent.post("/cases", body).await.expect(201);
        answered(&app, &case).await;
        let review = json!({"stars": 5, "files": [a_photo(&agent).await]});
        let review = agent.post(&format!("{}/reviews", own(&case)), review).await.expect(201);
        let of_review = ids(&review["files"])[0];
        for id in [photo.as_str(), of_review] {
            assert_eq!((fetch(&agent, id).await.status, fetch(&me, id).await.status), (200, 200));
        }
        me.delete(&format!("/me/authorisations/{}", given["id"].as_str().unwrap())).await.expect(204);
        for id in [photo.as_str(), of_review] {
            fetch(&agent, id).await.problem("not_found");
            assert_eq!(fetch(&me, id).await.status, 200);
        }
        app.drain_jobs().await;
    }

    async fn a_record_may_be_spoken(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = hosted(&app, &[], 3).await;
        let booking = matter(&me, &day, "public", "村口的路灯不亮").await;
        called(&app, &booking).await;
        desk.post(&conclude(&booking), json!({"outcome": "answered"})).await.invalid("/record", "required");
        let photo = a_photo(&desk).await;
        desk.post(&conclude(&booking), json!({"outcome": "answered", "voice": photo})).await.invalid("/voice", "file_kind");
        let voice = a_voice(&desk).await;
        desk.post(&conclude(&booking), json!({"outcome": "answered", "voice": voice})).await.expect(200);
        let path = format!("/bookings/{}/record", booking["id"].as_str().unwrap());
        let record = me.get(&path).await.expect(200);
        assert_eq!(record["record"]["voice"]["id"], voice.as_str());
        assert_eq!(fetch(&me, &voice).await.status, 200);
        fetch(&app.villager("乙").await, &voice).await.problem("not_found");
        assert_eq!(seen_by(&app, &voice, &["desk", "neighbour"]).await, [200, 404]);
        let read = "SELECT count(*) FROM audit_entry WHERE action = 'read_talk_record' AND fields LIKE 'file=%'";
        assert_eq!(app.number(read).await, 1);
        app.drain_jobs().await;
    }

    async fn a_voice_note_stands_for_the_words_of_a_bad_review(app: TestApp) {
        let me = app.villager("甲").await;
        let case = filed(&app, &me).await;
        answered(&app, &case).await;
        let path = format!("{}/reviews", own(&case));
        me.post(&path, json!({"stars": 1, "files": [a_photo(&me).await]})).await.invalid("/tags", "required");
        let (voice, photo) = (a_voice(&me).await, a_photo(&me).await);
        let review = me.post(&path, json!({"stars": 1, "files": [voice]})).await.expect(201);
        assert_eq!(ids(&review["files"]), [voice.as_str()]);
        let addition = format!("{path}/{}/addition", review["id"].as_str().unwrap());
        let mut many = Vec::new();
        for _ in 0..9 {
            many.push(a_photo(&me).await);
        }
        me.post(&addition, json!({"text": "太多", "files": many})).await.invalid("/files", "length");
        let added = me.post(&addition, json!({"text": "还有照片", "files": [photo]})).await.expect(200);
        assert_eq!(ids(&added["files"]), [voice.as_str(), photo.as_str()], "behind what was there");
        // A voice tells who speaks: who did the work does not hear it, who follows it up does.
        assert_eq!(seen_by(&app, &voice, &EVERYBODY).await, [404, 404, 404, 200, 404, 404, 404]);
        let open = app.staff("town").await.get("/staff/follow-ups").await.expect(200);
        assert_eq!(open["items"][0]["files"], added["files"]);
        app.drain_jobs().await;
    }

    async fn an_authorisation_rests_on_a_recording_of_one_s_own(app: TestApp) {
        let (me, agent) = (app.villager("甲").await, app.villager("侄").await);
        let voice = a_voice(&me).await;
        let authority = |file: &str| json!({
            "agent": agent.id(), "scope": ["voice"], "until": "2027-01-01",
            "evidence": {"kind": "voice", "file": file, "witness": "样例"},
        });
        let nowhere = "01890a5d-ac96-774b-bcce-b302099a8057";
        me.post("/me/authorisations", authority(nowhere)).await.invalid("/evidence/file", "unknown_file");
        me.post("/me/authorisations", authority(&voice)).await.expect(201);
        assert_eq!(fetch(&me, &voice).await.status, 200);
        assert_eq!(fetch(&agent, &voice).await.status, 200);
        fetch(&app.villager("乙").await, &voice).await.problem("not_found");
        assert_eq!(seen_by(&app, &voice, &["cadre", "neighbour"]).await, [404, 404]);
        app.advance(TimeDelta::days(60));
        assert_eq!(fetch(&app.villager("甲").await, &voice).await.status, 200);
        fetch(&app.villager("侄").await, &voice).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn files_go_with_the_archive_and_with_who_is_forgotten(app: TestApp) {
        let me = app.villager("甲").await;
        let case = voice_case(&app, &me, json!([a_voice(&me).await])).await;
        a_photo(&me).await;
        let asked = me.post("/me/export", json!({})).await.expect(202);
        app.drain_jobs().await;
        let copy = me.get(&format!("/me/export/{}/json", asked["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(copy["files"].as_array().unwrap().len(), 2);
        assert_eq!((&copy["files"][0]["kind"], &copy["files"][0]["hangs_on"]), (&json!("voice"), &json!("case")));
        // What hung on nothing goes with the person; the case is an archive.
        me.delete("/me").await.expect(200);
        assert_eq!(app.number("SELECT count(*) FROM upload WHERE file_id IS NOT NULL").await, 0);
        swept(&app).await;
        assert_eq!(objects(&app).await.len(), 1);
        let id = CaseId(case["id"].as_str().unwrap().parse().unwrap());
        let long_ago = app.now() - TimeDelta::days(11 * 366);
        let row = case::ActiveModel { id: Set(id), closed_at: Set(Some(long_ago)), ..Default::default() };
        app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
        sweeps::run(app.app(), Sweep::Retain).await.unwrap();
        swept(&app).await;
        assert_eq!(objects(&app).await, Vec::<String>::new());
        app.advance(TimeDelta::hours(25));
        app.drain_jobs().await;
        expect_nothing_left(&app).await;
    }
}
