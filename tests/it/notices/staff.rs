//! What staff are told: their inbox, WeCom, the robot of their group; nothing at night, no name, nothing confidential.

mod steps;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    cases::{actions, filed, in_progress},
    support::{Actor, TestApp},
};

const MESSAGES: &str = "/cgi-bin/message/send";

async fn kinds(who: &Actor) -> Vec<String> {
    let inbox = who.get("/staff/inbox").await.expect(200);
    inbox["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// How often somebody was told of this kind.
async fn told(who: &Actor, kind: &str) -> usize {
    kinds(who).await.iter().filter(|known| *known == kind).count()
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

fn texts(sent: &[Value]) -> Vec<String> {
    sent.iter().map(|one| one["content"]["content"].as_str().unwrap().to_owned()).collect()
}

async fn said_to(app: &TestApp, userid: &str) -> Vec<String> {
    texts(&app.simulated(&format!("members/sent?userid={userid}")).await)
}

/// A server whose village has a robot, and the robot's key.
async fn with_robot(app: &TestApp) -> (TestApp, String) {
    let key = app.simulator("robots", json!({})).await["key"].as_str().unwrap().to_owned();
    let robot = key.clone();
    let server = app.second_server_with(move |config| {
        config.notices.robots.insert(shuoshi::demo::VILLAGE.to_owned(), robot.into());
    });
    (server.await, key)
}

async fn said_in_group(app: &TestApp, key: &str) -> Vec<String> {
    texts(&app.simulated(&format!("robots/sent?key={key}")).await)
}

/// Accepts a case and assigns it to somebody.
async fn hand_over(case: &Value, by: &Actor, to: &Actor) {
    by.post(&actions(case), json!({"action": "accept"})).await.expect(200);
    by.post(&actions(case), json!({"action": "assign", "assignee": to.id()})).await.expect(200);
}

/// A new case of a villager that the desk gave to somebody; its number.
async fn given(app: &TestApp, villager: &str, to: &Actor) -> String {
    let case = filed(app, &app.villager(villager).await).await;
    hand_over(&case, &app.staff("desk").await, to).await;
    case["number"].as_str().unwrap().to_owned()
}

/// An urgent complaint about somebody.
async fn complaint(app: &TestApp, villager: &str, about: &Actor) -> Value {
    let complaint = json!({
        "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "反映村干部办事不公",
        "against": [about.id()], "urgency": "urgent", "contact_phone": "13800001234",
    });
    app.villager(villager).await.post("/cases", complaint).await.expect(201)
}

/// A call for help because of a fire.
async fn fire(app: &TestApp) -> Value {
    json!({
        "kind": "voice", "concern": "help", "division": app.village().await, "text": "隔壁着火了，有人被困",
        "contact_phone": "13800001234",
    })
}

both_engines! {
    async fn who_gets_work_is_told_in_the_inbox_and_by_wecom(app: TestApp) {
        bound(&app, "cadre", "cunganbu").await;
        let case = filed(&app, &app.villager("甲").await).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        hand_over(&case, &desk, &cadre).await;
        later(&app, TimeDelta::seconds(20)).await;
        let number = case["number"].as_str().unwrap();
        assert_eq!(said_to(&app, "cunganbu").await, [format!("办件 {number} 派给您了，请签收（10:00:00）")]);
        let inbox = cadre.get("/staff/inbox").await.expect(200);
        let one = &inbox["items"][0];
        assert_eq!((&one["kind"], &one["case"], &one["read"]), (&json!("case_given"), &case["id"], &json!(false)));
        assert_eq!(one["text"], format!("办件 {number} 派给您了，请签收"));
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
        let cadre = app.staff("cadre").await;
        let mut numbers = Vec::new();
        for who in ["甲", "乙", "丙"] {
            numbers.push(given(&app, who, &cadre).await);
            later(&app, TimeDelta::seconds(20)).await;
        }
        assert_eq!(said_to(&app, "cunganbu").await.len(), 1);
        later(&app, TimeDelta::minutes(11)).await;
        let said = said_to(&app, "cunganbu").await;
        assert_eq!(said.len(), 2);
        assert_eq!(said[1], format!("您有 2 条新的待办（{}、{}），请登录查看（10:00:40）", numbers[1], numbers[2]));
        // Ten in the evening.
        later(&app, TimeDelta::hours(12)).await;
        given(&app, "丁", &cadre).await;
        later(&app, TimeDelta::hours(8)).await;
        let at_night = said_to(&app, "cunganbu").await.len();
        later(&app, TimeDelta::hours(2)).await;
        assert_eq!((at_night, said_to(&app, "cunganbu").await.len()), (2, 3));
    }

    async fn a_message_whose_answer_is_lost_is_told_once_and_so_is_what_comes_meanwhile(app: TestApp) {
        bound(&app, "cadre", "cunganbu").await;
        let cadre = app.staff("cadre").await;
        app.simulator("faults", json!({"path": MESSAGES, "cut": "after", "times": 1})).await;
        let first = given(&app, "甲", &cadre).await;
        later(&app, TimeDelta::seconds(20)).await;
        let taken = "SELECT count(*) FROM staff_notice WHERE sent_at IS NOT NULL";
        assert_eq!((said_to(&app, "cunganbu").await.len(), app.number(taken).await), (1, 0), "WeCom has it, we do not know");
        let second = given(&app, "乙", &cadre).await;
        for _ in 0..15 {
            later(&app, TimeDelta::minutes(1)).await;
        }
        let said = said_to(&app, "cunganbu").await;
        let about = |text: &str| (text.contains(&first), text.contains(&second));
        assert_eq!(said.iter().map(|text| about(text)).collect::<Vec<_>>(), [(true, false), (false, true)], "{said:?}");
        let asked = app.simulated("requests").await.iter().filter(|one| one["path"] == MESSAGES).count();
        assert_eq!((asked, app.number(taken).await), (3, 2), "the first was made again, as it was");
    }

    async fn what_may_have_gone_is_not_said_again_when_wecom_has_forgotten_it(app: TestApp) {
        bound(&app, "cadre", "cunganbu").await;
        let cadre = app.staff("cadre").await;
        // Two minutes before the night.
        later(&app, TimeDelta::minutes(10 * 60 + 58)).await;
        app.simulator("faults", json!({"path": MESSAGES, "cut": "after", "times": 1})).await;
        given(&app, "甲", &cadre).await;
        later(&app, TimeDelta::seconds(20)).await;
        assert_eq!(said_to(&app, "cunganbu").await.len(), 1);
        later(&app, TimeDelta::minutes(5)).await;
        later(&app, TimeDelta::hours(11)).await;
        later(&app, TimeDelta::minutes(5)).await;
        assert_eq!(said_to(&app, "cunganbu").await.len(), 1, "once is enough: the rest is in the inbox");
        let on_their_way = "SELECT count(*) FROM staff_notice WHERE state IN ('waiting', 'sending')";
        assert_eq!(app.number(on_their_way).await, 0);
    }

    async fn two_confidential_notices_in_the_same_words_are_both_delivered(app: TestApp) {
        bound(&app, "discipline", "jijian").await;
        let cadre = app.staff("cadre").await;
        // The second comes in the same minute, and is told when the first was ten minutes ago.
        for who in ["甲", "乙"] {
            complaint(&app, who, &cadre).await;
            later(&app, TimeDelta::seconds(20)).await;
        }
        later(&app, TimeDelta::minutes(11)).await;
        let expected = ["您有一条新的待办，请登录查看（10:00:00）", "您有一条新的待办，请登录查看（10:00:20）"];
        assert_eq!(said_to(&app, "jijian").await, expected);
    }

    async fn a_robot_speaks_for_those_who_are_posted_there_and_once_a_minute(app: TestApp) {
        let (app, key) = with_robot(&app).await;
        let said = async || said_in_group(&app, &key).await.len();
        let (cadre, town) = (app.staff("cadre").await, app.staff("town").await);
        // The township's own work is not told in the group of the village.
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        later(&app, TimeDelta::minutes(11)).await;
        let before = said().await;
        let up = json!({"action": "escalate", "reason": "serious", "text": "请上级办"});
        cadre.post(&actions(&case), up).await.expect(200);
        later(&app, TimeDelta::minutes(11)).await;
        assert_eq!((kinds(&town).await, said().await), (vec!["case_to_unit".to_owned()], before));
        // What comes while it may not speak again is said a minute later, in one message.
        given(&app, "乙", &cadre).await;
        later(&app, TimeDelta::seconds(20)).await;
        let second = given(&app, "丙", &app.staff("cadre2").await).await;
        later(&app, TimeDelta::seconds(20)).await;
        assert_eq!(said().await, before + 1);
        later(&app, TimeDelta::seconds(61)).await;
        assert_eq!(said().await, before + 2);
        let last = said_in_group(&app, &key).await.pop().unwrap();
        assert!(last.contains(&second), "{last}");
        // A robot that does not take it is asked again; what nobody takes for a day stays in the inbox.
        app.simulator("faults", json!({"path": "/cgi-bin/webhook/send", "errcode": 45009, "times": 1})).await;
        later(&app, TimeDelta::minutes(11)).await;
        given(&app, "丁", &cadre).await;
        later(&app, TimeDelta::seconds(20)).await;
        assert_eq!(said().await, before + 2);
        later(&app, TimeDelta::minutes(3)).await;
        later(&app, TimeDelta::minutes(11)).await;
        assert_eq!(said().await, before + 3);
    }

    async fn danger_is_told_at_night_and_the_robot_names_nobody(app: TestApp) {
        let (app, key) = with_robot(&app).await;
        bound(&app, "desk", "jingbanyuan").await;
        later(&app, TimeDelta::hours(12)).await;
        let case = app.villager("甲").await.post("/cases", fire(&app).await).await.expect(201);
        later(&app, TimeDelta::seconds(20)).await;
        let number = case["number"].as_str().unwrap();
        assert_eq!(said_to(&app, "jingbanyuan").await, [format!("紧急件 {number} 刚提交，请马上看（22:00:00）")]);
        // The others of the desk are told by day, by the robot.
        later(&app, TimeDelta::hours(10)).await;
        hand_over(&case, &app.staff("desk").await, &app.staff("cadre").await).await;
        later(&app, TimeDelta::seconds(20)).await;
        assert_eq!(said_in_group(&app, &key).await, [format!("有 1 条新的待办（{number}），请登录查看")]);
    }

    async fn a_complaint_is_told_whom_it_is_for_and_nobody_it_is_about(app: TestApp) {
        for (who, userid) in [("desk", "desk"), ("cadre", "cadre"), ("discipline", "jijian")] {
            bound(&app, who, userid).await;
        }
        let case = complaint(&app, "反映人", &app.staff("cadre").await).await;
        let discipline = app.staff("discipline").await;
        hand_over(&case, &discipline, &discipline).await;
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
