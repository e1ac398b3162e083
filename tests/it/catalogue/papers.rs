use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{errand, with};
use crate::{
    cases::{actions, becomes_private, in_progress, own},
    support::{Actor, TestApp},
};

const FIRST: &str = "DZ-MZ-02";
const NEXT: &str = "DZ-MZ-03";

/// An errand of theirs, for which the cadre took papers in.
async fn brought(app: &TestApp, villager: &Actor, papers: &[&str]) -> Value {
    let case = villager.post("/cases", errand(app, FIRST).await).await.expect(201);
    in_progress(app, &case).await;
    let took = json!({"action": "milestone", "milestone": "received_papers", "materials": papers});
    app.staff("cadre").await.post(&actions(&case), took).await.expect(200);
    case
}

async fn agrees(who: &Actor, granted: bool) {
    who.put("/me/consents/reuse_papers", json!({"granted": granted, "text_version": "2026-11"})).await.expect(200);
}

async fn prepared(who: &Actor, more: &str) -> Value {
    who.get(&format!("/catalogue/{NEXT}/prepare{more}")).await.expect(200)
}

/// Code -> number of the case it came with.
fn held(prepared: &Value) -> Vec<(&str, &str)> {
    let papers = prepared["papers"].as_array().unwrap().iter().filter(|paper| !paper["held"].is_null());
    papers.map(|paper| (paper["code"].as_str().unwrap(), paper["held"]["case_number"].as_str().unwrap())).collect()
}

both_engines! {
    async fn what_was_brought_once_serves_again_with_consent(app: TestApp) {
        let villager = app.villager("甲").await;
        let first = brought(&app, &villager, &["id_card", "household_register"]).await;
        let number = first["number"].as_str().unwrap();
        let reuse = with(errand(&app, NEXT).await, "reuse", json!(["id_card"]));
        // Without it nothing is offered and nothing taken.
        let unasked = prepared(&villager, "").await;
        assert_eq!((&unasked["reuse_agreed"], held(&unasked)), (&json!(false), vec![]));
        let refused = villager.post("/cases", reuse.clone()).await.problem("consent_required");
        assert_eq!(refused["purpose"], "reuse_papers");
        agrees(&villager, true).await;
        let offered = prepared(&villager, "").await;
        assert_eq!(held(&offered), [("id_card", number), ("household_register", number)]);
        let of_card = offered["papers"].as_array().unwrap().iter().find(|paper| paper["code"] == "id_card").unwrap();
        assert_eq!((&of_card["held"]["received_on"], &of_card["held"]["valid_until"]), (&json!("2026-11-23"), &json!("2027-11-23")));
        assert!(offered["easy_text"].as_str().unwrap().contains("临时救助"));
        let case = villager.post("/cases", reuse.clone()).await.expect(201);
        let path = format!("/staff/cases/{}/events", case["id"].as_str().unwrap());
        let events = app.staff("desk").await.get(&path).await.expect(200);
        assert_eq!(events["items"][0]["details"], json!({"reused": [
            {"code": "id_card", "name": "居民身份证", "case_number": number, "received_on": "2026-11-23"},
        ]}));
        // Taken back, it counts at once.
        agrees(&villager, false).await;
        assert_eq!(held(&prepared(&villager, "").await), []);
        villager.post("/cases", reuse).await.problem("consent_required");
        app.drain_jobs().await;
    }

    async fn what_is_not_held_or_not_to_be_reused_is_refused(app: TestApp) {
        let villager = app.villager("甲").await;
        brought(&app, &villager, &["id_card"]).await;
        agrees(&villager, true).await;
        let body = errand(&app, NEXT).await;
        let reuse = |codes: Value| with(body.clone(), "reuse", codes);
        villager.post("/cases", reuse(json!(["household_register"]))).await.invalid("/reuse/0", "not_held");
        villager.post("/cases", reuse(json!(["id_card", "no_such"]))).await.invalid("/reuse/1", "unknown");
        villager.post("/cases", reuse(json!(["id_card", "id_card"]))).await.invalid("/reuse/1", "duplicate");
        let item = app.nobody().get(&format!("/catalogue/{NEXT}")).await.expect(200);
        let form = item["papers"].as_array().unwrap().iter().find(|paper| paper["kind"] == "form").unwrap();
        villager.post("/cases", reuse(json!([form["code"]]))).await.invalid("/reuse/0", "not_allowed_here");
        let voice = json!({"kind": "voice", "concern": "help", "division": app.village().await, "text": "帮忙", "reuse": ["id_card"]});
        villager.post("/cases", voice).await.invalid("/reuse", "not_allowed_here");
        app.drain_jobs().await;
    }

    async fn a_paper_serves_as_long_as_it_is_valid(app: TestApp) {
        let villager = app.villager("甲").await;
        brought(&app, &villager, &["id_card"]).await;
        agrees(&villager, true).await;
        // A year is over.
        app.advance(TimeDelta::days(365));
        assert_eq!(held(&prepared(&villager, "").await).len(), 1);
        app.advance(TimeDelta::days(1));
        assert_eq!(held(&prepared(&villager, "").await), []);
        app.drain_jobs().await;
    }

    async fn a_draft_names_them_when_it_is_submitted(app: TestApp) {
        let villager = app.villager("甲").await;
        brought(&app, &villager, &["id_card"]).await;
        agrees(&villager, true).await;
        let draft = with(errand(&app, NEXT).await, "draft", json!(true));
        villager.post("/cases", with(draft.clone(), "reuse", json!(["id_card"]))).await.invalid("/reuse", "not_allowed_here");
        let draft = villager.post("/cases", draft).await.expect(201);
        let path = format!("{}/actions", own(&draft));
        villager.post(&path, json!({"action": "submit", "reuse": ["household_register"]})).await.invalid("/reuse/0", "not_held");
        let case = villager.post(&path, json!({"action": "submit", "reuse": ["id_card"]})).await.expect(200);
        let events = app.staff("desk").await.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(events["items"][0]["details"]["reused"][0]["code"], "id_card");
        app.drain_jobs().await;
    }

    async fn the_desk_says_what_was_handed_in(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        villager.post("/cases", errand(&app, FIRST).await).await.expect(201);
        let body = with(with(errand(&app, FIRST).await, "channel", json!("walk_in")), "for_person", json!({"id": villager.id()}));
        desk.post("/staff/cases", with(body.clone(), "materials", json!(["no_such"]))).await.invalid("/materials/0", "unknown");
        let case = desk.post("/staff/cases", with(body, "materials", json!(["id_card"]))).await.expect(201);
        agrees(&villager, true).await;
        assert_eq!(held(&prepared(&villager, "").await), [("id_card", case["number"].as_str().unwrap())]);
        in_progress(&app, &case).await;
        let handed_up = json!({"action": "milestone", "milestone": "handed_up", "materials": ["id_card"]});
        let cadre = app.staff("cadre").await;
        cadre.post(&actions(&case), handed_up).await.invalid("/materials", "not_allowed_here");
        let unknown = json!({"action": "milestone", "milestone": "received_papers", "materials": ["no_such"]});
        cadre.post(&actions(&case), unknown).await.invalid("/materials/0", "unknown");
        app.drain_jobs().await;
    }

    async fn nothing_of_a_confidential_or_private_case_is_ever_offered(app: TestApp) {
        let (villager, discipline) = (app.villager("甲").await, app.staff("discipline").await);
        agrees(&villager, true).await;
        let secret = with(errand(&app, FIRST).await, "confidential", json!(true));
        let secret = villager.post("/cases", secret).await.expect(201);
        for step in [json!({"action": "accept"}), json!({"action": "assign", "assignee": discipline.id()}), json!({"action": "sign"})] {
            discipline.post(&actions(&secret), step).await.expect(200);
        }
        let took = json!({"action": "milestone", "milestone": "received_papers", "materials": ["id_card"]});
        discipline.post(&actions(&secret), took).await.expect(200);
        let private = brought(&app, &villager, &["id_card", "household_register"]).await;
        becomes_private(&app, &private).await;
        assert_eq!(held(&prepared(&villager, "").await), []);
        villager.post("/cases", with(errand(&app, NEXT).await, "reuse", json!(["id_card"]))).await.invalid("/reuse/0", "not_held");
        app.drain_jobs().await;
    }

    async fn an_agent_is_offered_what_the_authorisation_opens(app: TestApp) {
        let (old, agent, other) = (app.villager("甲").await, app.villager("侄").await, app.villager("旁人").await);
        let first = brought(&app, &old, &["id_card"]).await;
        agrees(&old, true).await;
        let for_old = format!("?for_person={}", old.id());
        agent.get(&format!("/catalogue/{NEXT}/prepare{for_old}")).await.problem("no_authorisation");
        let lets = |scope: Value| json!({
            "agent": agent.id(), "scope": scope, "until": "2027-01-01", "evidence": {"kind": "paper"},
        });
        let narrow = old.post("/me/authorisations", lets(json!([format!("proxy:{NEXT}")]))).await.expect(201);
        // It opens this item and not the case of another: of that nothing is said.
        assert_eq!(held(&prepared(&agent, &for_old).await), []);
        old.delete(&format!("/me/authorisations/{}", narrow["id"].as_str().unwrap())).await;
        old.post("/me/authorisations", lets(json!(["proxy:*"]))).await.expect(201);
        assert_eq!(held(&prepared(&agent, &for_old).await), [("id_card", first["number"].as_str().unwrap())]);
        // The consent is the principal's; the agent's own says nothing.
        let body = with(with(errand(&app, NEXT).await, "for_person", json!(old.id())), "reuse", json!(["id_card"]));
        agent.post("/cases", body.clone()).await.expect(201);
        agrees(&old, false).await;
        agrees(&agent, true).await;
        agent.post("/cases", body).await.problem("consent_required");
        assert_eq!(held(&prepared(&other, "").await), []);
        other.get(&format!("/catalogue/{NEXT}/prepare{for_old}")).await.problem("no_authorisation");
        app.drain_jobs().await;
    }
}
