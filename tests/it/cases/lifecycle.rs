//! The main path, step by step, and every way off it.

use serde_json::json;

use super::{actions, answer, answered, filed, in_progress, own};

both_engines! {
    async fn a_case_goes_from_filing_to_confirmation(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        assert_eq!((&case["state"], &case["version"]), (&json!("submitted"), &json!(1)));
        assert_eq!(case["actions"], json!(["nudge", "withdraw"]));
        assert_eq!(case["promised_due_on"], json!(null), "nothing is promised before acceptance");

        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let accepted = desk.post(&actions(&case), json!({"action": "accept", "version": 1})).await.expect(200);
        // 25 promised and 30 statutory working days after Monday 2026-11-23.
        assert_eq!(accepted["promised_due_on"], "2026-12-28");
        assert_eq!(accepted["statutory_due_on"], "2027-01-04");
        assert_eq!(accepted["provisional"], true, "2027 has no published calendar");
        let assigned = desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
        assert_eq!((&assigned["state"], &assigned["assignee"]), (&json!("assigned"), &json!(cadre.id())));
        let signed = cadre.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        assert!(signed["actions"].as_array().unwrap().contains(&json!("answer")), "{signed}");
        cadre.post(&actions(&case), answer()).await.expect(200);

        let seen = villager.get(&own(&case)).await.expect(200);
        assert_eq!((&seen["state"], &seen["result"]), (&json!("answered"), &json!("done")));
        assert_eq!(seen["actions"], json!(["confirm", "reopen", "nudge"]));
        let confirmed = villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.expect(200);
        assert_eq!((&confirmed["state"], &confirmed["confirmed"]), (&json!("completed"), &json!(true)));

        let events = villager.get(&format!("{}/events", own(&case))).await.expect(200);
        let steps: Vec<&str> = events["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(steps, ["submit", "accept", "assign", "sign", "answer", "confirm"]);
        assert_eq!(events["items"][1]["by"]["unit"], "石笋村便民服务室");
        assert!(app.drain_jobs().await > 0);
        let told = villager.get("/inbox").await.expect(200);
        assert_eq!(told["items"].as_array().unwrap().len(), 6, "one notice a step that tells: {told}");
    }

    async fn a_stale_version_changes_nothing(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let desk = app.staff("desk").await;
        let told = desk.post(&actions(&case), json!({"action": "accept", "version": 7})).await.problem("stale");
        assert_eq!(told["version"], 1);
        assert_eq!(villager.get(&own(&case)).await.expect(200)["state"], "submitted");
        app.drain_jobs().await;
    }

    async fn of_two_desks_accepting_at_once_one_does(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let path = actions(&case);
        let accept = || json!({"action": "accept"});
        let (one, other) = tokio::join!(desk.post(&path, accept()), town.post(&path, accept()));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(app.number("SELECT count(*) FROM case_event WHERE action = 'accept'").await, 1);
        app.drain_jobs().await;
    }

    async fn a_step_out_of_turn_is_refused_and_changes_nothing(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let early = desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await;
        assert_eq!(early.problem("transition_not_allowed")["state"], "submitted");
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.problem("transition_not_allowed");
        assert_eq!(app.number("SELECT count(*) FROM case_event").await, 1);
        app.drain_jobs().await;
    }

    async fn only_the_assignee_signs_and_answers(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        app.staff("desk").await.post(&actions(&case), answer()).await.problem("not_your_duty");
        app.staff("cadre2").await.post(&actions(&case), answer()).await.problem("not_found");
        app.staff("neighbour").await.post(&actions(&case), answer()).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn done_rests_on_evidence(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let cadre = app.staff("cadre").await;
        let bare = json!({"action": "answer", "result": "done", "text": "好了"});
        cadre.post(&actions(&case), bare).await.invalid("/evidence", "evidence");
        let explained = json!({"action": "answer", "result": "explained", "text": "政策如此"});
        assert_eq!(cadre.post(&actions(&case), explained).await.expect(200)["state"], "answered");
        app.drain_jobs().await;
    }

    async fn a_villager_reopens_and_gets_at_least_three_working_days(app: TestApp) {
        let villager = app.villager("甲").await;
        let body = json!({
            "kind": "voice", "concern": "question", "division": app.village().await, "text": "路灯什么时候修",
        });
        let case = villager.post("/cases", body).await.expect(201);
        answered(&app, &case).await;
        let path = format!("{}/actions", own(&case));
        villager.post(&path, json!({"action": "reopen", "reason": "no_such_reason"})).await.invalid("/reason", "unknown");
        app.advance(chrono::TimeDelta::days(2));
        let reason = app.nobody().get("/lists/reopen_reasons").await.expect(200)["items"][0]["code"].clone();
        let again = villager.post(&path, json!({"action": "reopen", "reason": reason})).await.expect(200);
        assert_eq!((&again["state"], &again["round"], &again["result"]), (&json!("in_progress"), &json!(2), &json!(null)));
        assert_eq!(again["promised_due_on"], "2026-11-30", "three working days from Wednesday 2026-11-25");
        app.staff("cadre").await.post(&actions(&case), answer()).await.expect(200);
        let answered = villager.get(&own(&case)).await.expect(200);
        assert_eq!(answered["actions"], json!(["confirm", "reopen", "nudge"]));
        app.drain_jobs().await;
    }

    async fn a_villager_withdraws_while_it_is_open(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        in_progress(&app, &case).await;
        let path = format!("{}/actions", own(&case));
        let gone = villager.post(&path, json!({"action": "withdraw", "text": "不用了"})).await.expect(200);
        assert_eq!((&gone["state"], &gone["actions"]), (&json!("withdrawn"), &json!([])));
        villager.post(&path, json!({"action": "withdraw"})).await.problem("transition_not_allowed");
        app.drain_jobs().await;
    }

    async fn a_rejection_names_its_reason_and_the_right_channel(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let desk = app.staff("desk").await;
        let list = async |name: &str| {
            app.nobody().get(&format!("/lists/{name}")).await.expect(200)["items"][0]["code"].clone()
        };
        let (reason, channel) = (list("reject_reasons").await, list("right_channels").await);
        desk.post(&actions(&case), json!({"action": "reject", "text": "不归村里管"})).await.invalid("/reason", "required");
        let body = json!({"action": "reject", "reason": reason, "channel": channel, "text": "请到窗口办理"});
        assert_eq!(desk.post(&actions(&case), body).await.expect(200)["state"], "rejected");
        let rejection = villager.get(&format!("{}/events", own(&case))).await.expect(200)["items"][1].clone();
        assert_eq!((&rejection["reason"], &rejection["text"]), (&reason, &json!("请到窗口办理")));
        app.drain_jobs().await;
    }

    async fn a_unit_returns_a_case_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        let reason = app.nobody().get("/lists/return_reasons").await.expect(200)["items"][0]["code"].clone();
        let back = json!({"action": "return", "reason": reason, "text": "不是我的片区"});
        let assign = json!({"action": "assign", "assignee": cadre.id()});
        desk.post(&actions(&case), assign.clone()).await.expect(200);
        let due_before = villager.get(&own(&case)).await.expect(200)["promised_due_on"].clone();
        let returned = cadre.post(&actions(&case), back.clone()).await.expect(200);
        assert_eq!((&returned["state"], &returned["assignee"], &returned["returns"]), (&json!("accepted"), &json!(null), &json!(1)));
        assert_eq!(returned["promised_due_on"], due_before, "the clock runs on");
        desk.post(&actions(&case), assign).await.expect(200);
        cadre.post(&actions(&case), back).await.problem("return_used_up");
        let internal = desk.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(internal["items"][3]["note"], "不是我的片区");
        let public = villager.get(&format!("{}/events", own(&case))).await.expect(200).to_string();
        assert!(!public.contains("不是我的片区"), "why it was handed around is for staff");
        app.drain_jobs().await;
    }
}
