//! Who has neither app nor phone is called; wishes and consent; what is confidential.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{PHONE, PROGRESS, about, agrees, away, deliveries, person_of, pushed, sent, tell, write};
use crate::{
    cases::{actions, filed},
    support::{Actor, TestApp},
};

async fn list(app: &TestApp, who: &Actor, place: &str) -> Vec<Value> {
    let place = app.division(place).await;
    let page = who.get(&format!("/staff/divisions/{place}/call-list")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

const VILLAGE: &str = shuoshi::demo::VILLAGE;
const TOWNSHIP: &str = "511702108000";

both_engines! {
    async fn somebody_without_app_and_phone_is_called(app: TestApp) {
        let old = away(&app, "老人", None).await;
        tell(&app, &old, "case_supplement").await;
        let desk = app.staff("desk").await;
        let waiting = list(&app, &desk, VILLAGE).await;
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0]["person"], old.id());
        assert!(waiting[0]["say"][0].as_str().unwrap().contains("SS-7K4M-2Q"), "{}", waiting[0]);
        assert_eq!(list(&app, &app.staff("town").await, TOWNSHIP).await.len(), 1, "the township sees below it");
        let call = format!("/staff/call-list/{}", waiting[0]["id"].as_str().unwrap());
        app.staff("neighbour").await.post(&format!("{call}/done"), json!({"how": "phone"})).await.problem("not_found");
        app.staff("cadre").await.post(&format!("{call}/done"), json!({"how": "phone"})).await.problem("not_your_duty");
        // Nobody at home: they stay on the list.
        let tried = desk.post(&format!("{call}/failed"), json!({"text": "没人在家"})).await.expect(200);
        assert_eq!((&tried["tries"], &tried["state"]), (&json!(1), &json!("to_call")));
        let village = app.village().await;
        let sheet = desk.get(&format!("/staff/divisions/{village}/call-list/sheet")).await;
        assert!(sheet.header("content-type").starts_with("text/plain"));
        let sheet = sheet.text();
        assert!(sheet.contains("SS-7K4M-2Q"), "{sheet}");
        let loudspeaker = sheet.lines().last().unwrap();
        assert!(loudspeaker.contains("请到服务室") && !loudspeaker.contains("SS-7K4M"), "{loudspeaker}");
        let body = json!({"how": "visit", "text": "当面讲清楚了"});
        let told = desk.post(&format!("{call}/done"), body.clone()).await.expect(200);
        assert_eq!((&told["state"], &told["how"]), (&json!("called"), &json!("visit")));
        desk.post(&format!("{call}/done"), body).await.expect(200);
        desk.post(&format!("{call}/failed"), json!({})).await.problem("transition_not_allowed");
        assert!(list(&app, &desk, VILLAGE).await.is_empty());
        let called = desk.get(&format!("/staff/divisions/{village}/call-list?state=called")).await.expect(200);
        assert_eq!(called["items"].as_array().unwrap().len(), 1);
        assert_eq!(old.get("/inbox").await.expect(200)["items"][0]["told_by"], "desk");
        // The desk itself was told, once.
        let inbox = desk.get("/staff/inbox").await.expect(200);
        let kinds: Vec<&str> = inbox["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["call_list"]);
    }

    async fn a_landline_gets_no_text_and_is_called(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({
            "kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "text": "请帮我家申请",
            "channel": "phone", "for_person": {"name": "样例", "phone": "0818-2345678"}, "reason": "不识字",
        });
        let case = desk.post("/staff/cases", body).await.expect(201);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
        assert!(app.messages_to("08182345678").is_empty());
        assert_eq!(deliveries(&app).await, ["desk to_call"]);
        let waiting = list(&app, &desk, VILLAGE).await;
        assert_eq!((waiting.len(), &waiting[0]["phone"]), (1, &json!("081****5678")));
    }

    async fn what_an_agent_did_is_not_told_to_the_phone_that_the_agent_named(app: TestApp) {
        let old = crate::people::resident(&app, "样例老人", crate::people::ANOTHER).await;
        let agent = app.villager("样例侄").await;
        agent.put("/me", json!({"name": "样例侄"})).await.expect(200);
        let authority = json!({
            "agent": agent.id(), "agent_name": "样例侄", "scope": ["proxy:*"], "until": "2027-11-23",
            "evidence": {"kind": "in_person", "text": "二人到村便民服务室当面说明"},
        });
        old.post("/me/authorisations", authority).await.expect(201);
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        app.execute("DELETE FROM notice_delivery").await;
        let (agent, desk) = (app.villager("样例侄").await, app.staff("desk").await);
        let errand = json!({
            "kind": "proxy", "item": "DZ-MZ-01", "text": "代办低保申请", "for_person": old.id(), "contact_phone": PHONE,
        });
        let case = agent.post("/cases", errand).await.expect(201);
        app.drain_jobs().await;
        // Nor does the desk call there.
        let waiting = list(&app, &desk, VILLAGE).await;
        assert_eq!((waiting.len(), &waiting[0]["person"], &waiting[0]["phone"]), (1, &json!(old.id()), &Value::Null));
        // A decision is not the agent's to hear alone either; that there is news is.
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
        assert!(app.messages_to(PHONE).is_empty());
        write(&app, person_of(&old), "case_milestone", about(&case)).await;
        app.drain_jobs().await;
        assert_eq!(deliveries(&app).await, ["desk to_call", "desk to_call", "sms sent"]);
        assert_eq!(app.messages_to(PHONE).len(), 1);
    }

    async fn who_gave_a_bad_review_is_on_no_list(app: TestApp) {
        let me = app.villager("甲").await;
        let case = filed(&app, &me).await;
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        app.execute("DELETE FROM notice_delivery").await;
        write(&app, person_of(&me), "review_followed_up", about(&case)).await;
        app.drain_jobs().await;
        assert_eq!(app.messages_to("13800001234").pop().unwrap(), "您有一条新消息，请打开小程序查看");
        let without = app.second_server_with(|config| config.sms.provider = shuoshi::config::SmsProvider::Off).await;
        write(&app, person_of(&me), "review_followed_up", about(&case)).await;
        without.drain_jobs().await;
        let waiting = list(&app, &app.staff("desk").await, VILLAGE).await;
        assert_eq!((waiting.len(), &waiting[0]["case"]), (1, &Value::Null));
        let said = format!("{}{}", waiting[0]["say"], waiting[0]["paper"]);
        assert!(!said.contains("SS-7K4M") && !said.contains("评价") && !said.contains("办件"), "{said}");
    }

    async fn where_a_village_has_no_desk_the_township_is_told_and_calls(app: TestApp) {
        let old = away(&app, "老人", None).await;
        app.execute("UPDATE staff SET dismissed_at = created_at WHERE username = 'desk'").await;
        tell(&app, &old, "case_supplement").await;
        let town = app.staff("town").await;
        let inbox = town.get("/staff/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["kind"], "call_list", "{inbox}");
        let waiting = list(&app, &town, TOWNSHIP).await;
        assert_eq!(waiting.len(), 1);
        let done = format!("/staff/call-list/{}/done", waiting[0]["id"].as_str().unwrap());
        town.post(&done, json!({"how": "phone"})).await.expect(200);
        assert!(list(&app, &town, TOWNSHIP).await.is_empty());
    }

    async fn who_reads_it_in_the_app_is_not_called(app: TestApp) {
        let me = away(&app, "甲", None).await;
        tell(&app, &me, "case_answered").await;
        let desk = app.staff("desk").await;
        assert_eq!(list(&app, &desk, VILLAGE).await.len(), 1);
        let notice = me.get("/inbox").await.expect(200)["items"][0]["id"].clone();
        me.post(&format!("/inbox/{}/read", notice.as_str().unwrap()), json!({})).await.expect(200);
        assert!(list(&app, &desk, VILLAGE).await.is_empty());
        assert_eq!(deliveries(&app).await, ["desk read"]);
        app.drain_jobs().await;
    }

    async fn wishes_and_consent_are_kept_and_what_must_be_heard_is_said(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        let texts = app.messages_to(PHONE).len();
        // No WeChat: a text message.
        me.put("/me", json!({"preferences": {"channels": {"wechat": false}}})).await.expect(200);
        tell(&app, &me, "case_completed").await;
        assert_eq!(app.messages_to(PHONE).len(), texts + 1);
        // Nothing at all: the inbox, and a person for what runs against a time.
        me.put("/me", json!({"preferences": {"channels": {"sms": false}}})).await.expect(200);
        tell(&app, &me, "case_completed").await;
        tell(&app, &me, "case_supplement").await;
        assert_eq!(deliveries(&app).await, ["sms sent", "desk to_call"]);
        let kept = me.get("/me").await.expect(200)["preferences"]["channels"].clone();
        assert_eq!(kept, json!({"wechat": false, "sms": false}));
        me.put("/me", json!({"preferences": {"channels": {"wechat": true, "sms": true}}})).await.expect(200);
        let withdrawn = json!({"granted": false, "text_version": "2026-11"});
        me.put("/me/consents/notifications", withdrawn).await.expect(200);
        tell(&app, &me, "case_completed").await;
        tell(&app, &me, "case_answered").await;
        assert_eq!(deliveries(&app).await, ["sms sent", "desk to_call", "desk to_call"]);
        assert!(sent(&app, "甲").await.is_empty());
        assert_eq!(app.messages_to(PHONE).len(), texts + 1);
    }

    async fn what_is_confidential_waits_at_the_discipline_desk_and_says_nothing_outside(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let complaint = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "反映村干部办事不公",
            "against": [cadre.id()],
        });
        let me = app.villager("反映人").await;
        let case = me.post("/cases", complaint).await.expect(201);
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        // Silence has accepted it meanwhile; what is told now is told nobody else.
        app.execute("DELETE FROM notice_delivery").await;
        write(&app, person_of(&me), "case_answered", about(&case)).await;
        app.drain_jobs().await;
        for (name, place) in [("desk", VILLAGE), ("town", TOWNSHIP), ("town", VILLAGE)] {
            assert!(list(&app, &app.staff(name).await, place).await.is_empty(), "{name}");
        }
        let discipline = app.staff("discipline").await;
        let waiting = list(&app, &discipline, TOWNSHIP).await;
        assert_eq!(waiting.len(), 1);
        let number = case["number"].as_str().unwrap();
        let said = format!("{}{}", waiting[0]["say"], waiting[0]["paper"]);
        assert!(!said.contains(number) && !said.contains("办件"), "{said}");
        let done = format!("/staff/call-list/{}/done", waiting[0]["id"].as_str().unwrap());
        for name in ["desk", "town"] {
            app.staff(name).await.post(&done, json!({"how": "phone"})).await.problem("not_found");
        }
        let village = app.village().await;
        discipline.get(&format!("/staff/divisions/{village}/call-list")).await.problem("not_your_duty");
        // Nor by WeChat.
        agrees(&app, "反映人", PROGRESS).await;
        write(&app, person_of(&me), "case_answered", about(&case)).await;
        app.drain_jobs().await;
        pushed(&app, 2).await;
        let message = sent(&app, "反映人").await.pop().unwrap();
        let text = message["data"].to_string();
        assert!(!text.contains(number) && !text.contains("办件") && !text.contains("答复"), "{text}");
        discipline.post(&done, json!({"how": "visit"})).await.expect(200);
    }

    async fn a_person_entered_by_the_desk_gets_a_text(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({
            "kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "text": "请帮我家申请",
            "channel": "phone", "for_person": {"name": "样例", "phone": "13800007777"}, "reason": "不识字",
        });
        let case = desk.post("/staff/cases", body).await.expect(201);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
        let texts = app.messages_to("13800007777");
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].contains(case["number"].as_str().unwrap()), "{texts:?}");
        // A gateway that is off: somebody calls.
        let without = app.second_server_with(|config| config.sms.provider = shuoshi::config::SmsProvider::Off).await;
        desk.post(&actions(&case), json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"}))
            .await
            .problem("transition_not_allowed");
        let other = filed(&app, &app.villager("乙").await).await;
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        let _ = other;
        let row = json!({"id": case["id"]});
        let whom = case_person(&app, &case).await;
        write(&without, whom, "case_answered", about(&row)).await;
        without.drain_jobs().await;
        assert_eq!(deliveries(&app).await.last().unwrap(), "desk to_call");
    }
}

async fn case_person(app: &TestApp, case: &Value) -> entity::id::PersonId {
    use sea_orm::EntityTrait;
    let id = entity::id::CaseId(case["id"].as_str().unwrap().parse().unwrap());
    entity::case::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap().person_id
}
