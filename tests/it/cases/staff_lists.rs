//! Lists of staff: in whose scope, in which order, page by page.

use serde_json::{Value, json};

use super::{actions, filed, in_progress};
use crate::support::Actor;

async fn ids(actor: &Actor, query: &str) -> Vec<Value> {
    let page = actor.get(&format!("/staff/cases{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
}

both_engines! {
    async fn the_inbox_holds_what_waits_for_one(app: TestApp) {
        let villager = app.villager("甲").await;
        let (fresh, working) = (filed(&app, &villager).await, filed(&app, &villager).await);
        in_progress(&app, &working).await;
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        assert_eq!(ids(&desk, "").await, [fresh["id"].clone()]);
        assert_eq!(ids(&cadre, "").await, [working["id"].clone()]);
        assert_eq!(ids(&cadre, "?view=mine").await, [working["id"].clone()]);
        assert!(ids(&cadre2, "").await.is_empty());
        assert_eq!(ids(&desk, "?view=unit").await.len(), 2);
        assert_eq!(ids(&desk, "?view=unit&state=in_progress").await, [working["id"].clone()]);
        assert!(ids(&desk, "?view=overdue").await.is_empty());
        assert!(ids(&app.staff("neighbour").await, "?view=unit").await.is_empty());
        let number = working["number"].as_str().unwrap();
        let spoken = format!("{} {} {}", &number[..3], &number[3..6], &number[6..]);
        assert_eq!(ids(&desk, &format!("?q={}", spoken.replace(' ', "%20"))).await, [working["id"].clone()]);
        assert!(ids(&app.staff("neighbour").await, &format!("?q={number}")).await.is_empty());
        app.drain_jobs().await;
    }

    async fn a_case_given_to_another_unit_is_sent(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        desk.post(&actions(&case), json!({"action": "assign", "assignee": town.id()})).await.expect(200);
        assert_eq!(ids(&desk, "?view=sent").await, [case["id"].clone()]);
        assert_eq!(ids(&town, "").await, [case["id"].clone()]);
        app.drain_jobs().await;
    }

    async fn pages_come_by_due_day_without_gaps_or_repeats(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        for concern in ["complaint", "question", "help", "question", "suggestion", "complaint", "help"] {
            let body = json!({"kind": "voice", "concern": concern, "division": app.village().await, "text": "事"});
            let case = villager.post("/cases", body).await.expect(201);
            desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        }
        let (mut due, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = desk.get(&format!("/staff/cases?view=unit&limit=3{cursor}")).await.expect(200);
            due.extend(page["items"].as_array().unwrap().iter().map(|item| {
                (item["due_on"].as_str().unwrap().to_owned(), item["id"].as_str().unwrap().to_owned())
            }));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut sorted = due.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((due.len(), &due), (7, &sorted));
        desk.get("/staff/cases?cursor=nonsense").await.invalid("?cursor", "cursor");
        app.drain_jobs().await;
    }

    async fn what_is_past_its_day_is_overdue_and_red(app: TestApp) {
        let villager = app.villager("甲").await;
        let body = json!({"kind": "voice", "concern": "question", "division": app.village().await, "text": "事"});
        let case = villager.post("/cases", body).await.expect(201);
        in_progress(&app, &case).await;
        app.advance(chrono::TimeDelta::days(4));
        let desk = app.staff("desk").await;
        let page = desk.get("/staff/cases?view=overdue").await.expect(200);
        assert_eq!((&page["items"][0]["id"], &page["items"][0]["light"]), (&case["id"], &json!("red")));
        app.drain_jobs().await;
    }
}
