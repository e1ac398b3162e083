use chrono::TimeDelta;
use futures_util::future::join;
use serde_json::{Value, json};
use shuoshi::demo::PASSWORD;

use super::{WITHOUT_FORM, change, errand, exported, publish, with};
use crate::{
    cases::{actions, own},
    support::Actor,
};

const ITEM: &str = "DZ-MZ-01";

async fn versions(actor: &Actor, code: &str) -> Value {
    actor.get(&format!("/staff/catalogue/{code}/versions")).await.expect(200)
}

fn harder(item: &mut Value) {
    item["promised_days"] = json!(3);
    item["statutory_days"] = json!(5);
    item["materials"] = json!([{"code": "id_card", "name": "居民身份证"}]);
    item["form"] = json!({"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}});
}

both_engines! {
    async fn a_new_version_holds_for_what_is_filed_and_running_cases_keep_theirs(app: TestApp) {
        let (villager, admin, desk) = (app.villager("甲").await, app.staff("admin").await, app.staff("desk").await);
        let running = villager.post("/cases", errand(&app, ITEM).await).await.expect(201);
        let made = change(&admin, ITEM, 1, harder).await;
        assert_eq!((&made["version"], &made["current"], &made["change_note"]), (&json!(2), &json!(true), &json!("按新规定调整")));
        villager.post("/cases", errand(&app, ITEM).await).await.invalid("/form/reason", "required");
        let body = with(errand(&app, ITEM).await, "form", json!({"reason": "病"}));
        let fresh = villager.post("/cases", body).await.expect(201);
        assert_eq!((&running["item"]["version"], &fresh["item"]["version"]), (&json!(1), &json!(2)));
        // The days, the form and the papers of the running one are what they were.
        let due = |case: &Value| (case["promised_due_on"].clone(), case["statutory_due_on"].clone());
        let running = desk.post(&actions(&running), json!({"action": "accept"})).await.expect(200);
        let fresh = desk.post(&actions(&fresh), json!({"action": "accept"})).await.expect(200);
        assert_eq!(due(&running), (json!("2026-12-28"), json!("2027-01-04")));
        assert_eq!(due(&fresh), (json!("2026-11-26"), json!("2026-11-30")));
        assert_eq!(villager.get(&own(&running)).await.expect(200)["item"]["version"], 1);
        let old = app.nobody().get(&format!("/catalogue/{ITEM}?version=1")).await.expect(200);
        assert_eq!((&old["current"], old["papers"].as_array().unwrap().len()), (&json!(false), 4));
        assert_eq!(old["form"]["required"], Value::Null);
        let new = app.nobody().get(&format!("/catalogue/{ITEM}")).await.expect(200);
        assert_eq!((&new["version"], &new["materials"]), (&json!(2), &json!(["居民身份证"])));
        app.drain_jobs().await;
    }

    async fn what_is_added_to_a_running_case_is_held_to_its_own_version(app: TestApp) {
        let (villager, admin) = (app.villager("甲").await, app.staff("admin").await);
        let case = villager.post("/cases", errand(&app, ITEM).await).await.expect(201);
        change(&admin, ITEM, 1, harder).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        app.staff("desk").await.post(&actions(&case), ask).await.expect(200);
        let path = format!("{}/actions", own(&case));
        let added = json!({"action": "supplement", "form": {"members": 31}});
        villager.post(&path, added).await.invalid("/form/members", "too_big");
        villager.post(&path, json!({"action": "supplement", "form": {"members": 3}})).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_draft_comes_under_the_version_that_holds_when_it_is_submitted(app: TestApp) {
        let (villager, admin) = (app.villager("甲").await, app.staff("admin").await);
        let draft = with(errand(&app, ITEM).await, "draft", json!(true));
        let draft = villager.post("/cases", draft).await.expect(201);
        change(&admin, ITEM, 1, harder).await;
        let path = format!("{}/actions", own(&draft));
        villager.post(&path, json!({"action": "submit"})).await.invalid("/form/reason", "required");
        assert_eq!(villager.get(&own(&draft)).await.expect(200)["item"]["version"], 1);
        let case = villager.post(&path, json!({"action": "submit", "form": {"reason": "病"}})).await.expect(200);
        assert_eq!(case["item"]["version"], 2);
        let accepted = app.staff("desk").await.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        assert_eq!((&accepted["promised_due_on"], &accepted["statutory_due_on"]), (&json!("2026-11-26"), &json!("2026-11-30")));
        app.drain_jobs().await;
    }

    async fn who_published_what_when_and_why_is_on_record(app: TestApp) {
        let admin = app.staff("admin").await;
        change(&admin, ITEM, 1, harder).await;
        app.advance(TimeDelta::days(1));
        change(&admin, ITEM, 2, |item| item["fee"] = json!("10")).await;
        let page = versions(&admin, ITEM).await;
        let numbers: Vec<i64> = page["items"].as_array().unwrap().iter().map(|one| one["version"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [3, 2, 1]);
        let newest = &page["items"][0];
        assert_eq!((&newest["published_by"], &newest["published_by_name"]), (&json!(admin.id()), &json!("样例 管理员庚")));
        assert_eq!((&newest["current"], &newest["published_at"]), (&json!(true), &json!("2026-11-24T02:00:00Z")));
        assert_eq!((&page["items"][2]["published_by"], &page["items"][2]["change_note"]), (&Value::Null, &Value::Null));
        let first = admin.get(&format!("/staff/catalogue/{ITEM}/versions?limit=2")).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = admin.get(&format!("/staff/catalogue/{ITEM}/versions?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        let entries = admin.get("/staff/audit?action=publish_item").await.expect(200);
        assert_eq!((&entries["items"][0]["fields"], &entries["items"][0]["reason"]), (&json!("DZ-MZ-01 3"), &json!("按新规定调整")));
        admin.get("/staff/catalogue/NO-SUCH/versions").await.problem("not_found");
    }

    async fn what_may_not_be_published_is_named(app: TestApp) {
        let admin = app.staff("admin").await;
        let item = exported(&admin, ITEM).await;
        let changed = |field: &str, value: Value| with(item.clone(), field, value);
        publish(&admin, 7, &changed("fee", json!("1"))).await.problem("stale");
        publish(&admin, 1, &item).await.invalid("/item", "unchanged");
        publish(&admin, 1, &changed("promised_days", json!(31))).await.invalid("/item/promised_days", "beyond_the_law");
        publish(&admin, 1, &changed("form", json!({"type": "object", "required": "x"}))).await.invalid("/item/form/required", "not_a_schema");
        publish(&admin, 1, &changed("colour", json!(1))).await.invalid("/item/colour", "unknown_field");
        publish(&admin, 1, &changed("materials", json!(["甲", "甲"]))).await.invalid("/item/materials/1/code", "duplicate");
        let away = json!([{"id": "a", "text": "是吗？", "answers": [
            {"label": "是", "value": "yes", "outcome": {"kind": "other_item", "code": "NO-SUCH"}},
        ]}]);
        publish(&admin, 1, &changed("pre_check", away)).await.invalid("/item/pre_check/0/answers/0/outcome/code", "unknown");
        let path = "/staff/catalogue/DZ-MZ-02/versions";
        let body = json!({"version": 1, "note": "x", "item": changed("fee", json!("1"))});
        admin.post(path, body).await.invalid("/item/item_code", "not_allowed_here");
        assert_eq!(versions(&admin, ITEM).await["items"].as_array().unwrap().len(), 1);
        // A new item is the first version of itself.
        let made = publish(&admin, 0, &with(changed("name", json!("样例事项")), "item_code", json!("DZ-XX-01"))).await.expect(201);
        assert_eq!((&made["code"], &made["version"]), (&json!("DZ-XX-01"), &json!(1)));
    }

    async fn of_two_who_publish_at_once_one_is_told(app: TestApp) {
        let (admin, other) = (app.staff("admin").await, app.second_server().await);
        let item = exported(&admin, ITEM).await;
        let (left, right) = (with(item.clone(), "fee", json!("1")), with(item, "fee", json!("2")));
        let elsewhere = admin.clone().at(&other);
        let (one, two) = join(publish(&admin, 1, &left), publish(&elsewhere, 1, &right)).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.text(), two.text());
        assert_eq!(app.number("SELECT count(*) FROM service_item WHERE code = 'DZ-MZ-01' AND current").await, 1);
    }

    async fn only_the_county_publishes_for_all(app: TestApp) {
        let admin = app.staff("admin").await;
        let posting = json!({"division": app.village().await, "duties": ["manage_catalogue"]});
        let body = json!({"username": "keeper", "password": PASSWORD, "name": "样例", "postings": [posting]});
        admin.post("/staff/accounts", body).await.expect(201);
        let keeper = app.staff("keeper").await;
        let item = with(exported(&keeper, ITEM).await, "fee", json!("1"));
        publish(&keeper, 1, &item).await.problem("not_your_duty");
        let retire = format!("/staff/catalogue/{ITEM}/retire");
        keeper.post(&retire, json!({"reason": "x"})).await.problem("not_your_duty");
        keeper.post("/staff/catalogue/import", json!({"items": []})).await.problem("not_your_duty");
        versions(&keeper, ITEM).await;
        for name in ["desk", "town", "county", "discipline"] {
            let staff = app.staff(name).await;
            publish(&staff, 1, &item).await.problem("not_your_duty");
            staff.get("/staff/catalogue/export").await.problem("not_your_duty");
        }
        app.villager("甲").await.get("/staff/catalogue/export").await.problem("not_your_duty");
    }

    async fn a_retired_item_takes_no_new_cases_and_running_ones_go_on(app: TestApp) {
        let (villager, admin, desk) = (app.villager("甲").await, app.staff("admin").await, app.staff("desk").await);
        let running = villager.post("/cases", errand(&app, WITHOUT_FORM).await).await.expect(201);
        let draft = with(errand(&app, WITHOUT_FORM).await, "draft", json!(true));
        let draft = villager.post("/cases", draft).await.expect(201);
        let path = format!("/staff/catalogue/{WITHOUT_FORM}/retire");
        admin.post(&path, json!({"reason": "并入低保", "version": 9})).await.problem("stale");
        let retired = admin.post_keyed(&path, "retire-0001", json!({"reason": "并入低保"})).await.expect(200);
        assert_eq!(retired["retired_at"], "2026-11-23T02:00:00Z");
        assert_eq!(admin.post_keyed(&path, "retire-0001", json!({"reason": "并入低保"})).await.expect(200), retired);
        admin.post(&path, json!({"reason": "又一次"})).await.problem("already_decided");
        villager.post("/cases", errand(&app, WITHOUT_FORM).await).await.invalid("/item", "retired");
        villager.post(&format!("{}/actions", own(&draft)), json!({"action": "submit"})).await.invalid("/item", "retired");
        let listed = app.nobody().get("/catalogue?q=MZ-02").await.expect(200);
        assert_eq!(listed["items"], json!([]));
        assert_eq!(app.nobody().get(&format!("/catalogue/{WITHOUT_FORM}")).await.expect(200)["retired_at"], retired["retired_at"]);
        app.nobody().post(&format!("/catalogue/{WITHOUT_FORM}/pre-check"), json!({})).await.problem("not_found");
        let accepted = desk.post(&actions(&running), json!({"action": "accept"})).await.expect(200);
        assert_eq!(accepted["promised_due_on"], "2026-12-28");
        let entries = admin.get("/staff/audit?action=retire_item").await.expect(200);
        assert_eq!(entries["items"][0]["reason"], "并入低保");
        // Another version offers it again.
        let item = json!({"version": 1, "note": "恢复", "item": with(exported(&admin, ITEM).await, "item_code", json!(WITHOUT_FORM))});
        let mut item = item;
        item["item"]["pre_check"] = json!([]);
        admin.post(&format!("/staff/catalogue/{WITHOUT_FORM}/versions"), item).await.expect(201);
        villager.post("/cases", errand(&app, WITHOUT_FORM).await).await.expect(201);
        app.drain_jobs().await;
    }
}
