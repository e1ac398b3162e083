//! Who decides that a case may be seen.

use serde_json::{Value, json};

use super::{get, public_case, requests};
use crate::{
    cases::own,
    support::{Actor, TestApp},
};

async fn publish(actor: &Actor, case: &Value, public: bool) -> crate::support::Answer {
    let path = format!("/staff/cases/{}/publication", case["id"].as_str().unwrap());
    actor.post(&path, json!({"public": public})).await
}

async fn is_shown(app: &TestApp, id: &str) -> bool {
    get(app, &format!("v2/requests/{id}.json")).await.status == 200
}

both_engines! {
    async fn only_what_can_be_public_is_filed_so(app: TestApp) {
        let villager = app.villager("甲").await;
        let file = async |more: Value| {
            let mut body = json!({"kind": "voice", "division": app.village().await, "text": "有事", "public": true});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            villager.post("/cases", body).await
        };
        for refused in [
            json!({"concern": "complaint"}),
            json!({"concern": "report"}),
            json!({"concern": "help", "confidential": true}),
            json!({"concern": "help", "against": [app.staff("cadre").await.id()]}),
            json!({"kind": "proxy", "item": "DZ-MZ-01"}),
        ] {
            file(refused).await.invalid("/public", "not_allowed_here");
        }
        for concern in ["question", "help", "suggestion"] {
            assert_eq!(file(json!({"concern": concern})).await.expect(201)["public"], true);
        }
        // Nobody agrees for somebody else.
        let other = app.villager("乙").await;
        let authority = json!({
            "agent": villager.id(), "scope": ["voice"], "until": "2027-01-01", "evidence": {"kind": "paper"},
        });
        other.post("/me/authorisations", authority).await.expect(201);
        file(json!({"concern": "help", "for_person": other.id()})).await.invalid("/public", "not_allowed_here");
        let private = file(json!({"concern": "help", "public": false})).await.expect(201);
        assert_eq!(private["public"], false);
        app.drain_jobs().await;
    }

    async fn the_desk_withholds_and_shows_again(app: TestApp) {
        let villager = app.villager("甲").await;
        let (case, id) = public_case(&app, &villager, json!({})).await;
        let desk = app.staff("desk").await;
        assert!(is_shown(&app, &id).await);
        let withheld = publish(&desk, &case, false).await.expect(200);
        assert_eq!((&withheld["public"], &withheld["version"]), (&json!(false), &json!(2)));
        assert!(!is_shown(&app, &id).await);
        assert_eq!(requests(&app, "").await, Vec::<Value>::new());
        publish(&desk, &case, true).await.expect(200);
        assert!(is_shown(&app, &id).await);
        let events = villager.get(&format!("{}/events", own(&case))).await.expect(200);
        let told: Vec<&Value> = events["items"].as_array().unwrap().iter().filter(|event| event["action"] == "publication").collect();
        assert_eq!((&told[0]["text"], &told[1]["text"]), (&json!("本件不再对外公开"), &json!("本件恢复对外公开")));
        let stale = format!("/staff/cases/{}/publication", case["id"].as_str().unwrap());
        desk.post(&stale, json!({"public": false, "version": 1})).await.problem("stale");
        let (other, _) = public_case(&app, &villager, json!({"public": false})).await;
        publish(&desk, &other, true).await.invalid("/public", "not_allowed_here");
        for (name, code) in [("county", "not_your_duty"), ("cadre2", "not_found"), ("neighbour", "not_found")] {
            publish(&app.staff(name).await, &case, false).await.problem(code);
        }
        app.drain_jobs().await;
    }

    async fn a_draft_is_taken_back_without_a_trace(app: TestApp) {
        let villager = app.villager("甲").await;
        let draft = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "修路", "public": true, "draft": true,
        });
        let (gone, filed) = (
            villager.post("/cases", draft.clone()).await.expect(201),
            villager.post("/cases", draft).await.expect(201),
        );
        for draft in [&gone, &filed] {
            villager.delete(&format!("{}/publication", own(draft))).await.expect(204);
        }
        villager.delete(&own(&gone)).await.expect(204);
        let submitted = villager.post(&format!("{}/actions", own(&filed)), json!({"action": "submit"})).await.expect(200);
        assert_eq!((&submitted["public"], &submitted["version"]), (&json!(false), &json!(1)));
        let events = villager.get(&format!("{}/events", own(&filed))).await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        app.drain_jobs().await;
    }

    async fn whoever_takes_it_back_is_not_shown_again(app: TestApp) {
        let villager = app.villager("甲").await;
        let (case, id) = public_case(&app, &villager, json!({})).await;
        let path = format!("{}/publication", own(&case));
        app.villager("乙").await.delete(&path).await.problem("not_found");
        villager.delete(&path).await.expect(204);
        assert!(!is_shown(&app, &id).await);
        publish(&app.staff("desk").await, &case, true).await.invalid("/public", "not_allowed_here");
        villager.delete(&path).await.expect(204);
        let (_, other) = public_case(&app, &app.villager("丙").await, json!({})).await;
        let gone = app.villager("丙").await.delete("/me").await;
        assert!(gone.status < 300, "{}", gone.text());
        assert!(!is_shown(&app, &other).await, "whoever goes agrees to nothing any more");
        let seen = villager.get(&own(&case)).await.expect(200);
        assert_eq!((&seen["public"], &seen["state"]), (&json!(false), &json!("submitted")));
        app.drain_jobs().await;
    }
}
