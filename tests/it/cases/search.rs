//! `?q=`: words, names, numbers; in scope only. And what is closed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::db::{Term, Wanted};

use super::{actions, answered, becomes_private, filed, own};
use crate::support::{Actor, TestApp};

async fn told(app: &TestApp, villager: &Actor, text: &str) -> Value {
    let body = json!({"kind": "voice", "concern": "help", "division": app.village().await, "text": text});
    villager.post("/cases", body).await.expect(201)
}

/// Ids of what `q` finds, in their order.
async fn found(actor: &Actor, q: &str) -> Vec<String> {
    let path = reqwest::Url::parse_with_params("http://host/staff/cases", [("q", q)]).unwrap();
    let page = actor.get(&format!("/staff/cases?{}", path.query().unwrap())).await.expect(200);
    page["items"].as_array().unwrap().iter().map(id).collect()
}

fn id(case: &Value) -> String {
    case["id"].as_str().unwrap().to_owned()
}

/// Lets the sweep come round.
async fn read(app: &TestApp) {
    app.advance(TimeDelta::minutes(1));
    app.drain_jobs().await;
}

both_engines! {
    async fn words_are_found_wherever_they_stand(app: TestApp) {
        let villager = app.villager("甲").await;
        let water = told(&app, &villager, "三组的自来水管爆了，阀门编号 K-23").await;
        let lamp = told(&app, &villager, "路灯不亮，𰝟渡镇口 LED 灯").await;
        app.drain_jobs().await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        for q in ["自来水", "水管", "爆", "管爆了", "k-23", "Ｋ 23", "阀门 自来", "三组的自来水管爆了，阀门编号 K-23"] {
            assert_eq!(found(&desk, q).await, [id(&water)], "{q}");
        }
        for q in ["led", "LED", "𰝟渡", "灯"] {
            assert_eq!(found(&town, q).await, [id(&lamp)], "{q}");
        }
        // The last filed first.
        let both = told(&app, &villager, "自来水和路灯").await;
        read(&app).await;
        assert_eq!(found(&desk, "自来水").await, [id(&both), id(&water)]);
        assert_eq!(found(&desk, "路灯").await, [id(&both), id(&lamp)]);
        assert_eq!(found(&desk, "自来水 路灯").await, [id(&both)]);
        for q in ["电线", "水自", "自来水 电线", "。！", "k24"] {
            assert!(found(&desk, q).await.is_empty(), "{q}");
        }
        assert!(found(&app.staff("neighbour").await, "自来水").await.is_empty());
    }

    async fn a_found_page_goes_on_where_it_ended_and_is_narrowed(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let mut filed = Vec::new();
        for at in 0..7 {
            filed.push(id(&told(&app, &villager, &format!("水渠 第{at}段")).await));
        }
        app.drain_jobs().await;
        desk.post(&format!("/staff/cases/{}/actions", filed[2]), json!({"action": "accept"})).await.expect(200);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = desk.get(&format!("/staff/cases?q=%E6%B0%B4%E6%B8%A0&limit=3{cursor}")).await.expect(200);
            seen.extend(page["items"].as_array().unwrap().iter().map(id));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        filed.reverse();
        assert_eq!(seen, filed);
        let accepted = desk.get("/staff/cases?q=%E6%B0%B4%E6%B8%A0&state=accepted").await.expect(200);
        assert_eq!(accepted["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>(), [filed[4].clone()]);
        desk.get("/staff/cases?q=%E6%B0%B4&cursor=nonsense").await.invalid("?cursor", "cursor");
        app.drain_jobs().await;
    }

    async fn what_is_added_is_found_and_what_is_closed_too(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = told(&app, &villager, "低保怎么办").await;
        app.drain_jobs().await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        desk.post(&actions(&case), ask).await.expect(200);
        let more = json!({"action": "supplement", "text": "残疾证也有"});
        villager.post(&format!("{}/actions", own(&case)), more).await.expect(200);
        read(&app).await;
        assert_eq!(found(&desk, "残疾证").await, [id(&case)]);
        assert_eq!(found(&desk, "低保 残疾证").await, [id(&case)]);
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "withdraw"})).await.expect(200);
        assert_eq!(found(&desk, "低保").await, [id(&case)]);
        app.drain_jobs().await;
    }

    async fn a_draft_is_found_once_it_is_filed(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let village = app.village().await;
        let draft = json!({"kind": "voice", "concern": "help", "division": village, "text": "修桥", "draft": true});
        let draft = villager.post("/cases", draft).await.expect(201);
        let later = told(&app, &villager, "修路").await;
        app.drain_jobs().await;
        assert_eq!((found(&desk, "修桥").await, found(&desk, "修").await), (vec![], vec![id(&later)]));
        villager.post(&format!("{}/actions", own(&draft)), json!({"action": "submit"})).await.expect(200);
        read(&app).await;
        assert_eq!(found(&desk, "修桥").await, [id(&draft)]);
    }

    async fn complaints_and_private_matters_are_not_found_by_words(app: TestApp) {
        let (villager, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let body = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "乱收水费",
            "against": [cadre.id()],
        });
        let complaint = villager.post("/cases", body).await.expect(201);
        let private = told(&app, &villager, "水费的私事").await;
        becomes_private(&app, &private).await;
        let open = told(&app, &villager, "水费多少").await;
        app.drain_jobs().await;
        for role in ["desk", "cadre", "cadre2", "town", "county", "neighbour"] {
            let seen = found(&app.staff(role).await, "水费").await;
            assert!(seen.iter().all(|seen| *seen == id(&open)), "{role}: {seen:?}");
        }
        assert_eq!(found(&app.staff("desk").await, "水费").await, [id(&open)]);
        assert_eq!(found(&app.staff("discipline").await, "水费").await, [id(&complaint)]);
        let number = private["number"].as_str().unwrap();
        assert!(found(&app.staff("town").await, number).await.is_empty());
    }

    async fn the_desk_finds_a_person_by_the_whole_name_or_phone(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({
            "kind": "voice", "concern": "help", "division": app.village().await, "text": "问补贴", "channel": "walk_in",
            "for_person": {"name": "样例春生", "phone": "13800004321"},
        });
        let case = desk.post("/staff/cases", body).await.expect(201);
        app.drain_jobs().await;
        for q in ["样例春生", "样 例 春 生", "13800004321", "138 0000 4321"] {
            assert_eq!(found(&desk, q).await, [id(&case)], "{q}");
            assert_eq!(found(&app.staff("town").await, q).await, [id(&case)], "{q}");
            for role in ["cadre", "cadre2", "neighbour"] {
                assert!(found(&app.staff(role).await, q).await.is_empty(), "{role} {q}");
            }
        }
        assert!(found(&desk, "样例").await.is_empty());
        assert!(found(&desk, "13800004322").await.is_empty());
    }

    async fn whatever_is_typed_is_answered(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        told(&app, &villager, "NOT 水 AND (OR) \"NEAR\" ' \\ : * & | ! <-> 水").await;
        app.drain_jobs().await;
        for q in [
            "\"", "'", "\\", "*", "a*", "NOT", "AND", "(", ")", "水)", "'水'", "\"水", "水 OR", "NEAR(水 OR)", "^水", "水:*",
            "words:水", "-水", "@", "@@", "@abc", "!水", "水 & !火", "🙂", "①", "ß", "İ", "ﬁ", "\u{0301}", "か゛", "水\u{0}",
        ] {
            let path = reqwest::Url::parse_with_params("http://host/", [("q", q)]).unwrap();
            let answer = desk.get(&format!("/staff/cases?{}", path.query().unwrap())).await;
            assert!([200, 422].contains(&answer.status), "{q:?}: {}", answer.text());
        }
    }

    /// Both engines take every letter and digit as it is.
    async fn every_letter_can_be_looked_for(app: TestApp) {
        let letters: Vec<char> = ('\u{0}'..=char::MAX).filter(|c| c.is_alphanumeric()).collect();
        for some in letters.chunks(400) {
            let whole = some.iter().map(|c| Term::Whole(c.to_string()));
            let beginning = some.iter().map(|c| Term::Beginning(c.to_string()));
            let wanted = Wanted { all: whole.chain(beginning).collect(), any: vec!["@0".to_owned()] };
            assert_eq!(app.db().find_words(&wanted, None, 1).await.unwrap(), Vec::<i64>::new(), "{some:?}");
        }
    }

    async fn two_servers_read_each_case_once(app: TestApp) {
        let (villager, other) = (app.villager("甲").await, app.second_server().await);
        for at in 0..20 {
            told(&app, &villager, &format!("沟渠 {at}")).await;
        }
        let sweep = shuoshi::jobs::sweeps::Sweep::KeepWords;
        let (here, there) = (app.app().clone(), other.app().clone());
        let (one, two) = tokio::join!(
            shuoshi::jobs::sweeps::run(&here, sweep),
            shuoshi::jobs::sweeps::run(&there, sweep),
        );
        assert!(one.is_ok() && two.is_ok());
        app.drain_jobs().await;
        let desk = app.staff("desk").await;
        let seen: BTreeSet<String> = found(&desk, "沟渠").await.into_iter().collect();
        assert_eq!(seen.len(), 20);
        assert_eq!(app.number("SELECT count(*) FROM case_search").await, 20);
    }

    async fn what_is_closed_is_listed_by_when_it_closed(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let mut closed = Vec::new();
        for _ in 0..3 {
            let case = filed(&app, &villager).await;
            answered(&app, &case).await;
            villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.expect(200);
            app.advance(TimeDelta::minutes(1));
            closed.insert(0, id(&case));
        }
        filed(&app, &villager).await;
        let first = desk.get("/staff/cases?view=closed&limit=2").await.expect(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = desk.get(&format!("/staff/cases?view=closed&limit=2&cursor={next}")).await.expect(200);
        let seen = [&first, &second].map(|page| page["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>());
        assert_eq!(seen.concat(), closed);
        assert!(second["next_cursor"].is_null());
        let of = |page: Value| page["items"].as_array().unwrap().len();
        assert_eq!(of(app.staff("cadre").await.get("/staff/cases?view=closed").await.expect(200)), 3);
        assert_eq!(of(app.staff("town").await.get("/staff/cases?view=closed&kind=voice").await.expect(200)), 0);
        for role in ["neighbour", "cadre2"] {
            assert_eq!(of(app.staff(role).await.get("/staff/cases?view=closed").await.expect(200)), 0, "{role}");
        }
        app.drain_jobs().await;
    }
}
