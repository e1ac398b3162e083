use serde_json::{Value, json};

use super::{ANOTHER, GROWN_UP, claim, on_roster, resident};
use crate::support::Actor;

async fn open_claims(staff: &Actor) -> Vec<Value> {
    staff.get("/staff/residence-claims").await.expect(200)["items"].as_array().unwrap().clone()
}

fn path(claim: &Value, what: &str) -> String {
    format!("/staff/residence-claims/{}/{what}", claim["id"].as_str().unwrap())
}

both_engines! {
    async fn the_desk_sees_the_card_and_confirms(app: TestApp) {
        on_roster(&app, "样例旧名", ANOTHER, "7").await;
        let villager = app.villager("甲").await;
        villager.post("/me/residence", claim(&app, "样例新名", ANOTHER).await).await.expect(200);
        let desk = app.staff("desk").await;
        let claims = open_claims(&desk).await;
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0]["name"], "样**名");
        assert_eq!(claims[0]["citizen_no"], "5117**********0009");
        assert_eq!(claims[0]["roster_name"], "样**名");
        // Other desks learn nothing of it.
        let neighbour = app.staff("neighbour").await;
        assert!(open_claims(&neighbour).await.is_empty());
        neighbour.post(&path(&claims[0], "approve"), json!({})).await.problem("not_found");
        app.staff("cadre").await.post(&path(&claims[0], "approve"), json!({})).await.problem("not_your_duty");
        desk.post(&path(&claims[0], "approve"), json!({})).await.expect(200);
        desk.post(&path(&claims[0], "refuse"), json!({"reason": "晚了"})).await.problem("already_decided");
        let me = villager.get("/me").await.expect(200);
        assert_eq!((&me["verified"], &me["name"]), (&json!(true), &json!("样例新名")));
        assert_eq!(villager.get("/inbox").await.expect(200)["items"][0]["kind"], "residence_verified");
        let audited = "SELECT count(*) FROM audit_entry WHERE action = 'approve_residence'";
        assert_eq!(app.number(audited).await, 1);
        app.drain_jobs().await;
    }

    async fn a_refused_claim_may_be_made_again(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.post("/me/residence", claim(&app, "样例甲", ANOTHER).await).await.expect(200);
        let town = app.staff("town").await;
        let claims = open_claims(&town).await;
        let refused = town.post(&path(&claims[0], "refuse"), json!({"reason": "请带身份证来村里"})).await.expect(200);
        assert_eq!(refused["state"], "refused");
        assert_eq!(villager.get("/me").await.expect(200)["verified"], false);
        assert_eq!(villager.post("/me/residence", claim(&app, "样例甲", ANOTHER).await).await.expect(200)["state"], "pending");
        app.drain_jobs().await;
    }

    async fn a_lost_phone_is_recovered_through_the_desk_and_the_old_one_is_cut_off(app: TestApp) {
        let old = resident(&app, "样例甲", GROWN_UP).await;
        let case = json!({"kind": "voice", "concern": "question", "text": "低保几时发"});
        let case = old.post("/cases", case).await.expect(201);
        let new = app.villager("新手机").await;
        new.post("/me/residence", claim(&app, "样例甲", GROWN_UP).await).await.expect(200);
        let desk = app.staff("desk").await;
        let claims = open_claims(&desk).await;
        assert_eq!(claims[0]["kind"], "recovery");
        assert_eq!(claims[0]["holder"], old.id());
        desk.post(&path(&claims[0], "approve"), json!({})).await.expect(200);
        old.get("/me").await.problem("session_ended");
        new.get("/me").await.problem("session_ended");
        let back = app.villager("新手机").await;
        assert_eq!(back.id(), old.id(), "the account is the one it was");
        assert_eq!(back.get("/cases").await.expect(200)["items"][0]["id"], case["id"]);
        // The lost phone's WeChat is nobody's now: signing in with it makes a new, empty person.
        let finder = app.villager("样例甲").await;
        assert_ne!(finder.id(), old.id());
        assert_eq!(finder.get("/cases").await.expect(200)["items"], json!([]));
        app.drain_jobs().await;
    }

    async fn two_clerks_decide_once(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.post("/me/residence", claim(&app, "样例甲", ANOTHER).await).await.expect(200);
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let claims = open_claims(&desk).await;
        let (approve, refuse) = (path(&claims[0], "approve"), path(&claims[0], "refuse"));
        let (one, two) = tokio::join!(
            desk.post(&approve, json!({})),
            town.post(&refuse, json!({"reason": "不是本村"})),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        app.drain_jobs().await;
    }
}
