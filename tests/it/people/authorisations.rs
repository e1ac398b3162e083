use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{ANOTHER, GROWN_UP, resident};
use crate::{
    cases::{becomes_private, own},
    support::{Actor, TestApp, a_booking},
    talks::{
        bookings,
        hearing::{concluded, hosted, id},
    },
};

fn authority(agent: &Actor, scope: &[&str]) -> Value {
    json!({
        "agent": agent.id(), "agent_name": "样例侄", "scope": scope, "until": "2027-11-23",
        "evidence": {"kind": "in_person", "text": "二人到村便民服务室当面说明"},
    })
}

async fn principal_and_agent(app: &TestApp) -> (Actor, Actor) {
    let old = resident(app, "样例老人", ANOTHER).await;
    let agent = app.villager("样例侄").await;
    agent.put("/me", json!({"name": "样例侄"})).await.expect(200);
    (old, agent)
}

fn errand(principal: &Actor) -> Value {
    json!({"kind": "proxy", "item": "DZ-MZ-01", "text": "代办低保申请", "for_person": principal.id()})
}

both_engines! {
    async fn an_agent_acts_within_the_scope_and_every_act_carries_both_names(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        agent.post("/cases", errand(&old)).await.problem("no_authorisation");
        let made = old.post("/me/authorisations", authority(&agent, &["proxy:DZ-MZ-01"])).await.expect(201);
        assert_eq!((&made["state"], &made["agent_name"]), (&json!("active"), &json!("样*侄")));
        let held = agent.get("/me/principals").await.expect(200);
        assert_eq!(held["items"][0]["principal"], old.id());
        assert_eq!(held["items"][0]["principal_name"], "样**人");

        let case = agent.post("/cases", errand(&old)).await.expect(201);
        assert_eq!(case["filed_by_agent"], true);
        // It is the principal's case; the agent sees it too, and both see who did what for whom.
        assert_eq!(old.get("/cases").await.expect(200)["items"][0]["id"], case["id"]);
        assert_eq!(agent.get("/cases").await.expect(200)["items"], json!([]));
        let theirs = agent.get(&format!("/cases?for_person={}", old.id())).await.expect(200);
        assert_eq!(theirs["items"][0]["id"], case["id"]);
        for reader in [&old, &agent] {
            let events = reader.get(&format!("{}/events", own(&case))).await.expect(200);
            let by = &events["items"][0]["by"];
            assert_eq!((&by["kind"], &by["name"], &by["for_name"]), (&json!("agent"), &json!("样*侄"), &json!("样**人")));
        }
        agent.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.expect(200);
        // Out of scope: another item, another kind, a place on a talk day.
        let other = json!({"kind": "proxy", "item": "DZ-MZ-02", "for_person": old.id()});
        agent.post("/cases", other).await.problem("no_authorisation");
        let voice = json!({"kind": "voice", "concern": "help", "text": "帮忙", "for_person": old.id()});
        agent.post("/cases", voice).await.problem("no_authorisation");
        let mut wish = a_booking();
        wish["for_person"] = json!(old.id());
        agent.post(&app.bookings_of_a_slot().await, wish).await.problem("no_authorisation");
        agent.get(&format!("/bookings?for_person={}", old.id())).await.problem("no_authorisation");

        let shown = old.get("/me/authorisations").await.expect(200);
        let uses: Vec<&Value> = shown["items"][0]["uses"].as_array().unwrap().iter().map(|used| &used["action"]).collect();
        assert_eq!(uses, ["withdraw", "file_case"]);
        assert_eq!(shown["items"][0]["uses"][0]["number"], case["number"]);
        let inbox = old.get("/inbox").await.expect(200);
        let told = inbox["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "agent_acted").count();
        assert_eq!(told, 2);
        app.drain_jobs().await;
    }

    async fn the_helper_on_record_reviews_and_no_other_helper(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        old.post("/me/authorisations", authority(&agent, &["proxy:*"])).await.expect(201);
        let case = agent.post("/cases", errand(&old)).await.expect(201);
        let others = old.post("/cases", json!({"kind": "proxy", "item": "DZ-MZ-01", "text": "自己来办"})).await.expect(201);
        for case in [&case, &others] {
            crate::cases::answered(&app, case).await;
        }
        let reviews = |case: &Value| format!("{}/reviews", own(case));
        agent.post(&reviews(&others), json!({"stars": 5})).await.problem("no_authorisation");
        let review = agent.post(&reviews(&case), json!({"stars": 4, "text": "办得快"})).await.expect(201);
        old.post(&reviews(&case), json!({"stars": 1, "tags": ["slow"]})).await.problem("already_reviewed");
        assert_eq!(old.get(&reviews(&case)).await.expect(200)["items"][0]["id"], review["id"]);
        let more = format!("{}/{}/addition", reviews(&case), review["id"].as_str().unwrap());
        agent.post(&more, json!({"text": "第二天就送到了"})).await.expect(200);
        let uses = old.get("/me/authorisations").await.expect(200)["items"][0]["uses"].clone();
        let uses: Vec<&Value> = uses.as_array().unwrap().iter().map(|used| &used["action"]).collect();
        assert_eq!(uses, ["review", "review", "file_case"]);
        assert_eq!(app.number("SELECT count(*) FROM review").await, 1);
        app.drain_jobs().await;
    }

    async fn ending_it_works_at_once_whoever_ends_it(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let wanted = authority(&agent, &["proxy:*"]);
        let made = old.post("/me/authorisations", wanted.clone()).await.expect(201);
        let case = agent.post("/cases", errand(&old)).await.expect(201);
        agent.get(&own(&case)).await.expect(200);
        let path = format!("/me/authorisations/{}", made["id"].as_str().unwrap());
        app.villager("旁人").await.delete(&path).await.problem("not_found");
        old.delete(&path).await.expect(204);
        agent.get(&own(&case)).await.problem("not_found");
        agent.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.problem("not_found");
        agent.post("/cases", errand(&old)).await.problem("no_authorisation");
        assert_eq!(agent.get("/me/principals").await.expect(200)["items"], json!([]));
        // The agent may lay it down as well.
        let made = old.post("/me/authorisations", wanted).await.expect(201);
        agent.delete(&format!("/me/authorisations/{}", made["id"].as_str().unwrap())).await.expect(204);
        agent.post("/cases", errand(&old)).await.problem("no_authorisation");
        app.drain_jobs().await;
    }

    async fn it_ends_with_its_last_day_and_lasts_a_year_at_most(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let mut wanted = authority(&agent, &["proxy:*"]);
        for wrong in ["2026-11-22", "2027-11-24"] {
            wanted["until"] = json!(wrong);
            old.post("/me/authorisations", wanted.clone()).await.invalid("/until", "range");
        }
        wanted["until"] = json!("2026-11-24");
        old.post("/me/authorisations", wanted).await.expect(201);
        app.advance(TimeDelta::hours(37));
        let agent = app.villager("样例侄").await;
        let case = agent.post("/cases", errand(&old)).await.expect(201);
        app.advance(TimeDelta::hours(1));
        let agent = app.villager("样例侄").await;
        agent.post("/cases", errand(&old)).await.problem("no_authorisation");
        agent.get(&own(&case)).await.problem("not_found");
        assert_eq!(app.villager("样例老人").await.get("/me/authorisations").await.expect(200)["items"][0]["state"], "expired");
        app.drain_jobs().await;
    }

    async fn what_the_principal_complains_about_in_confidence_no_agent_sees(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        old.post("/me/authorisations", authority(&agent, &["voice", "proxy:*", "talk"])).await.expect(201);
        let complaint = json!({
            "kind": "voice", "concern": "report", "text": "反映村干部", "confidential": true,
        });
        let case = old.post("/cases", complaint).await.expect(201);
        agent.get(&own(&case)).await.problem("not_found");
        agent.get(&format!("{}/events", own(&case))).await.problem("not_found");
        agent.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.problem("not_found");
        assert_eq!(agent.get(&format!("/cases?for_person={}", old.id())).await.expect(200)["items"], json!([]));
        // A draft is not theirs to read either.
        let draft = json!({"kind": "voice", "concern": "help", "text": "还没想好", "draft": true});
        let draft = old.post("/cases", draft).await.expect(201);
        agent.get(&own(&draft)).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn an_agent_books_and_cancels_and_the_family_is_told(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let contact = json!({"family_contact": {"name": "样例女", "phone": "13800000005"}});
        assert_eq!(old.put("/me", contact).await.expect(200)["family_contact"]["phone"], "138****0005");
        old.post("/me/authorisations", authority(&agent, &["talk"])).await.expect(201);
        let mut wish = a_booking();
        wish["for_person"] = json!(old.id());
        let path = app.bookings_of_a_slot().await;
        let booking = agent.post_keyed(&path, "for-grandpa", wish.clone()).await.expect(201);
        assert_eq!(agent.post_keyed(&path, "for-grandpa", wish.clone()).await.expect(201)["id"], booking["id"]);
        assert_eq!(booking["by_agent"], true);
        assert_eq!(old.get("/bookings").await.expect(200)["items"][0]["id"], booking["id"]);
        // The place is the principal's: a second one on that day is refused to both, the agent may still book for himself.
        agent.post(&path, wish).await.problem("already_booked");
        old.post(&path, a_booking()).await.problem("already_booked");
        agent.post(&path, a_booking()).await.expect(201);
        let own = format!("/bookings/{}", booking["id"].as_str().unwrap());
        agent.get(&own).await.expect(200);
        app.villager("旁人").await.get(&own).await.problem("not_found");
        app.drain_jobs().await;
        app.advance(TimeDelta::minutes(11));
        agent.post(&format!("{own}/cancel"), json!({})).await.expect(200);
        app.drain_jobs().await;
        let messages = app.messages_to("13800000005");
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("样**人") && !messages[0].contains("样例老人"), "{messages:?}");
    }

    async fn the_family_is_told_in_the_day_and_once_of_what_goes_together(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let contact = json!({"family_contact": {"name": "样例女", "phone": "13800000005"}});
        old.put("/me", contact).await.expect(200);
        old.post("/me/authorisations", authority(&agent, &["proxy:*"])).await.expect(201);
        let told = async || {
            app.drain_jobs().await;
            app.messages_to("13800000005").len()
        };
        for _ in 0..2 {
            agent.post("/cases", errand(&old)).await.expect(201);
        }
        assert_eq!(told().await, 1);
        app.advance(TimeDelta::minutes(11));
        agent.post("/cases", errand(&old)).await.expect(201);
        assert_eq!(told().await, 2);
        // Ten in the evening.
        app.advance(TimeDelta::hours(12));
        let agent = app.villager("样例侄").await;
        for _ in 0..2 {
            agent.post("/cases", errand(&old)).await.expect(201);
            app.advance(TimeDelta::minutes(20));
        }
        assert_eq!(told().await, 2);
        app.advance(TimeDelta::hours(9));
        assert_eq!(told().await, 3);
    }

    async fn the_desk_records_it_where_both_have_come(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let desk = app.staff("desk").await;
        let path = format!("/staff/people/{}/authorisations", old.id());
        let mut spoken = authority(&agent, &["proxy:*"]);
        spoken["evidence"] = json!({"kind": "voice", "text": "电话录音"});
        desk.post(&path, spoken.clone()).await.invalid("/evidence/witness", "required");
        spoken["evidence"]["witness"] = json!("样例见证人");
        app.staff("neighbour").await.post(&path, spoken.clone()).await.problem("not_found");
        app.staff("cadre").await.post(&path, spoken.clone()).await.problem("not_your_duty");
        let made = desk.post(&path, spoken).await.expect(201);
        assert_eq!((&made["at_desk"], &made["evidence"]), (&json!(true), &json!("voice")));
        agent.post("/cases", errand(&old)).await.expect(201);
        assert_eq!(desk.get(&path).await.expect(200)["items"][0]["uses"][0]["action"], "file_case");
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        let id = made["id"].as_str().unwrap();
        app.staff("neighbour").await.delete(&format!("/staff/authorisations/{id}")).await.problem("not_found");
        desk.delete(&format!("/staff/authorisations/{id}")).await.expect(204);
        agent.post("/cases", errand(&old)).await.problem("no_authorisation");
        app.drain_jobs().await;
    }

    async fn an_agent_named_by_phone_finds_it_once_the_phone_is_proven(app: TestApp) {
        let old = resident(&app, "样例老人", GROWN_UP).await;
        let by_phone = json!({
            "agent_phone": "138 0000 0006", "agent_name": "样例侄", "scope": ["voice"], "until": "2027-01-01",
            "evidence": {"kind": "paper"},
        });
        let made = old.post("/me/authorisations", by_phone).await.expect(201);
        assert_eq!((&made["agent"], &made["agent_phone"]), (&Value::Null, &json!("138****0006")));
        // The number has gone to somebody else by now: another name is another person.
        let stranger = app.villager_with_phone("旁人", "13800000006").await;
        assert_eq!(stranger.get("/me/principals").await.expect(200)["items"], json!([]));
        let agent = app.villager("样例侄").await;
        agent.put("/me", json!({"name": "样例侄"})).await.expect(200);
        app.advance(TimeDelta::minutes(2));
        let agent = app.villager_with_phone("样例侄", "13800000006").await;
        assert_eq!(agent.get("/me/principals").await.expect(200)["items"][0]["principal"], old.id());
        app.drain_jobs().await;
    }

    async fn what_cannot_be_is_refused(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        let mut wanted = authority(&agent, &["everything"]);
        old.post("/me/authorisations", wanted.clone()).await.invalid("/scope", "unknown");
        wanted["scope"] = json!(["proxy:NO-SUCH-ITEM"]);
        old.post("/me/authorisations", wanted.clone()).await.invalid("/scope/0", "unknown");
        wanted["scope"] = json!([]);
        old.post("/me/authorisations", wanted.clone()).await.invalid("/scope", "length");
        old.post("/me/authorisations", authority(&old, &["talk"])).await.invalid("/agent", "not_allowed_here");
        let nobody = json!({"scope": ["talk"], "until": "2027-01-01", "evidence": {"kind": "paper"}});
        old.post("/me/authorisations", nobody).await.invalid("/agent", "required");
        // A person that does not exist answers like one that gave no authorisation.
        let ghost = json!({"kind": "voice", "concern": "help", "text": "x", "for_person": "01999999-0000-7000-8000-000000000000"});
        agent.post("/cases", ghost).await.problem("no_authorisation");
    }

    async fn private_matters_are_for_the_agent_who_brought_them(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        old.post("/me/authorisations", authority(&agent, &["talk"])).await.expect(201);
        let cadre = app.staff("cadre").await;
        let slots = hosted(&app, &[&cadre], 3).await;
        let secret = |for_person: Option<&Actor>| {
            let mut body = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
            if let Some(person) = for_person {
                body["for_person"] = json!(person.id());
            }
            body
        };
        let slot = &slots["slots"][0];
        let theirs = old.post(&bookings(slot), secret(None)).await.expect(201);
        let path = format!("/bookings/{}", id(&theirs));
        let list = format!("/bookings?for_person={}", old.id());
        for path in [path.clone(), format!("{path}/record"), format!("{path}/calendar.ics")] {
            agent.get(&path).await.problem("not_found");
        }
        agent.post(&format!("{path}/cancel"), json!({})).await.problem("not_found");
        assert_eq!(agent.get(&list).await.expect(200)["items"], json!([]));
        // What became of it is not for the agent either; nor is it tracked by whoever has the number and the phone.
        let done = concluded(&app, &cadre, &theirs, json!({"record": "记下", "outcome": "case"})).await;
        agent.get(&format!("/cases/{}", done["case"].as_str().unwrap())).await.problem("not_found");
        assert_eq!(agent.get(&format!("/cases?for_person={}", old.id())).await.expect(200)["items"], json!([]));
        // One that the agent brought is theirs to see to.
        let other = hosted(&app, &[&cadre], 3).await;
        let brought = agent.post(&bookings(&other["slots"][0]), secret(Some(&old))).await.expect(201);
        assert_eq!(agent.get(&list).await.expect(200)["items"][0]["id"], brought["id"]);
        concluded(&app, &cadre, &brought, json!({"record": "劝和", "outcome": "answered"})).await;
        let record = agent.get(&format!("/bookings/{}/record", id(&brought))).await.expect(200);
        assert_eq!(record["record"]["text"], "劝和");
        app.drain_jobs().await;
    }

    async fn what_an_agent_did_on_a_private_case_the_desk_does_not_see(app: TestApp) {
        let (old, agent) = principal_and_agent(&app).await;
        old.post("/me/authorisations", authority(&agent, &["proxy:*"])).await.expect(201);
        let case = agent.post("/cases", errand(&old)).await.expect(201);
        let desk = app.staff("desk").await;
        let path = format!("/staff/people/{}/authorisations", old.id());
        assert_eq!(desk.get(&path).await.expect(200)["items"][0]["uses"][0]["case"], case["id"]);
        becomes_private(&app, &case).await;
        let seen = desk.get(&path).await.expect(200);
        assert!(!seen.to_string().contains(case["id"].as_str().unwrap()), "{seen}");
        assert_eq!(agent.get(&own(&case)).await.expect(200)["id"], case["id"], "who filed it sees it");
        app.drain_jobs().await;
    }
}
