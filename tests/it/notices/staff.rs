//! What staff are told: their inbox, WeCom, the robot of their group; nothing at night, no name, nothing confidential.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    cases::{actions, filed, in_progress},
    support::{Actor, TestApp},
};

async fn kinds(who: &Actor) -> Vec<String> {
    let inbox = who.get("/staff/inbox").await.expect(200);
    inbox["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

async fn later(app: &TestApp, span: TimeDelta) {
    app.advance(span);
    app.drain_jobs().await;
}

/// Binds a member of the simulator's organisation to one of the staff.
async fn bound(app: &TestApp, who: &str, userid: &str) {
    app.simulator("members", json!({"userid": userid})).await;
    app.execute(&format!("UPDATE staff SET wecom_userid = '{userid}' WHERE username = '{who}'")).await;
}

async fn said_to(app: &TestApp, userid: &str) -> Vec<String> {
    let sent = app.simulated(&format!("members/sent?userid={userid}")).await;
    sent.iter().map(|one| one["content"]["content"].as_str().unwrap().to_owned()).collect()
}

both_engines! {
    async fn who_gets_work_is_told_in_the_inbox_and_by_wecom(app: TestApp) {
        bound(&app, "cadre", "cunganbu").await;
        let case = filed(&app, &app.villager("甲").await).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
        later(&app, TimeDelta::seconds(20)).await;
        let number = case["number"].as_str().unwrap();
        assert_eq!(said_to(&app, "cunganbu").await, [format!("办件 {number} 派给您了，请签收")]);
        let inbox = cadre.get("/staff/inbox").await.expect(200);
        let one = &inbox["items"][0];
        assert_eq!((&one["kind"], &one["case"], &one["read"]), (&json!("case_given"), &case["id"], &json!(false)));
        let path = format!("/staff/inbox/{}/read", one["id"].as_str().unwrap());
        desk.post(&path, json!({})).await.problem("not_found");
        assert_eq!(cadre.post(&path, json!({})).await.expect(200)["read"], true);
        assert!(kinds(&desk).await.is_empty(), "who does it knows it");
        cadre.post(&actions(&case), json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"})).await.expect(200);
        assert_eq!(kinds(&desk).await, ["case_returned"]);
        app.drain_jobs().await;
    }

    async fn many_things_are_one_message_in_ten_minutes_and_none_at_night(app: TestApp) {
        bound(&app, "cadre", "cunganbu").await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let mut numbers = Vec::new();
        for who in ["甲", "乙", "丙"] {
            let case = filed(&app, &app.villager(who).await).await;
            desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
            desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
            numbers.push(case["number"].as_str().unwrap().to_owned());
            later(&app, TimeDelta::seconds(20)).await;
        }
        assert_eq!(said_to(&app, "cunganbu").await.len(), 1);
        later(&app, TimeDelta::minutes(11)).await;
        let said = said_to(&app, "cunganbu").await;
        assert_eq!(said.len(), 2);
        assert_eq!(said[1], format!("您有 2 条新的待办（{}、{}），请登录查看", numbers[1], numbers[2]));
        // Ten in the evening.
        later(&app, TimeDelta::hours(12)).await;
        let case = filed(&app, &app.villager("丁").await).await;
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
        later(&app, TimeDelta::hours(8)).await;
        let at_night = said_to(&app, "cunganbu").await.len();
        later(&app, TimeDelta::hours(2)).await;
        assert_eq!((at_night, said_to(&app, "cunganbu").await.len()), (2, 3));
    }

    async fn an_overdue_case_climbs_in_the_inboxes(app: TestApp) {
        let body = json!({
            "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
            "contact_phone": "13800001234",
        });
        let case = app.villager("甲").await.post("/cases", body).await.expect(201);
        in_progress(&app, &case).await;
        for _ in 0..14 {
            later(&app, TimeDelta::days(1)).await;
        }
        let has = async |name: &str, kind: &str| {
            kinds(&app.staff(name).await).await.iter().filter(|known| *known == kind).count()
        };
        assert_eq!(has("cadre", "case_due_soon").await, 1);
        assert_eq!(has("desk", "case_overdue").await, 1);
        assert_eq!(has("town", "case_to_township").await, 1);
        assert_eq!(has("county", "case_to_county").await, 1);
    }

    async fn danger_is_told_at_night_and_the_robot_names_nobody(app: TestApp) {
        let key = app.simulator("robots", json!({})).await["key"].as_str().unwrap().to_owned();
        let robot = key.clone();
        let app = app.second_server_with(move |config| {
            config.notices.robots.insert(shuoshi::demo::VILLAGE.to_owned(), robot.into());
        }).await;
        bound(&app, "desk", "jingbanyuan").await;
        later(&app, TimeDelta::hours(12)).await;
        let body = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "隔壁着火了，有人被困",
            "contact_phone": "13800001234",
        });
        let me = app.villager("甲").await;
        let case = me.post("/cases", body).await.expect(201);
        later(&app, TimeDelta::seconds(20)).await;
        let number = case["number"].as_str().unwrap();
        assert_eq!(said_to(&app, "jingbanyuan").await, [format!("紧急件 {number} 刚提交，请马上看")]);
        // The others of the desk are told by day, by the robot.
        later(&app, TimeDelta::hours(10)).await;
        let desk = app.staff("desk").await;
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": app.staff("cadre").await.id()})).await.expect(200);
        later(&app, TimeDelta::seconds(20)).await;
        let said = app.simulated(&format!("robots/sent?key={key}")).await;
        let said: Vec<&str> = said.iter().map(|one| one["content"]["content"].as_str().unwrap()).collect();
        assert_eq!(said, [format!("有 1 条新的待办（{number}），请登录查看")]);
    }

    async fn a_complaint_is_told_whom_it_is_for_and_nobody_it_is_about(app: TestApp) {
        for (who, userid) in [("desk", "desk"), ("cadre", "cadre"), ("discipline", "jijian")] {
            bound(&app, who, userid).await;
        }
        let cadre = app.staff("cadre").await;
        let complaint = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "反映村干部办事不公",
            "against": [cadre.id()], "urgency": "urgent", "contact_phone": "13800001234",
        });
        let case = app.villager("反映人").await.post("/cases", complaint).await.expect(201);
        let discipline = app.staff("discipline").await;
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "assign", "assignee": discipline.id()})).await.expect(200);
        for _ in 0..30 {
            later(&app, TimeDelta::days(1)).await;
        }
        for name in ["desk", "cadre", "cadre2", "town", "county", "admin", "neighbour"] {
            assert!(kinds(&app.staff(name).await).await.is_empty(), "{name}");
        }
        let told: Vec<Value> = app.simulated("members/sent").await;
        let number = case["number"].as_str().unwrap();
        assert!(told.iter().all(|one| one["to"] == json!(["jijian"]) && !one.to_string().contains(number)), "{told:?}");
    }
}
