//! POST /staff/people/{id}/reveal, POST /staff/cases/{id}/reveal

use chrono::TimeDelta;
use entity::{division, id::StaffId, posting};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use shuoshi::auth::{Duty, accounts};

use super::{CHILD, confidential, entries_of, lives_in_the_village, of_staff};
use crate::{
    cases::filed,
    support::{Actor, TestApp},
};

const ADULT: &str = "511702198706051239";

fn ask(fields: &[&str]) -> Value {
    json!({"fields": fields, "reason": "核对联系方式"})
}

fn person(villager: &Actor) -> String {
    format!("/staff/people/{}/reveal", villager.id())
}

fn of_case(case: &Value) -> String {
    format!("{}/reveal", of_staff(case))
}

/// Somebody of the village with a name and a number.
async fn resident(app: &TestApp, name: &str, number: &str) -> Actor {
    let me = app.villager(name).await;
    me.put("/me", json!({"name": "样例王五"})).await.expect(200);
    lives_in_the_village(app, &me, Some(number)).await;
    me
}

/// Gives somebody another duty where they are posted.
async fn also(app: &TestApp, staff: &Actor, duty: Duty) {
    let id = StaffId(staff.id().parse().unwrap());
    let now = app.now();
    let post = async move |tx: &shuoshi::db::Tx| {
        let known = posting::Entity::find().filter(posting::COLUMN.staff_id.eq(id)).one(tx).await?.unwrap();
        let place = division::Entity::find_by_id(known.division_id).one(tx).await?.unwrap();
        let from = shuoshi::clock::local_day(now);
        accounts::post(tx, id, known.unit_id, &place, &[duty], from, None).await
    };
    app.db().transact(post).await.unwrap();
}

both_engines! {
    async fn a_person_is_shown_with_a_reason_that_is_entered(app: TestApp) {
        let (desk, me) = (app.staff("desk").await, resident(&app, "甲", ADULT).await);
        let shown = desk.post(&person(&me), ask(&["citizen_no", "name", "phone", "name"])).await;
        assert_eq!(shown.header("cache-control"), "no-store");
        let fields = json!({"name": "样例王五", "phone": null, "citizen_no": ADULT});
        // Asked for four, one of them twice.
        assert_eq!(shown.status, 422);
        let shown = desk.post(&person(&me), ask(&["citizen_no", "name", "phone"])).await.expect(200);
        assert_eq!(shown, json!({"fields": fields}));
        let entered = entries_of(&app, "reveal_person").await;
        assert_eq!(entered.len(), 1);
        assert_eq!(entered[0].object_id.as_deref(), Some(me.id()));
        assert_eq!(entered[0].fields.as_deref(), Some("name,phone,citizen_no"));
        assert_eq!(entered[0].reason.as_deref(), Some("核对联系方式"));
        assert_eq!(entered[0].actor_id.unwrap().to_string(), desk.id());
    }

    async fn the_answer_is_not_kept_and_a_repeat_is_another_entry(app: TestApp) {
        let (desk, me) = (app.staff("desk").await, resident(&app, "甲", ADULT).await);
        for _ in 0..2 {
            let shown = desk.post_keyed(&person(&me), "reveal-key-1", ask(&["name"])).await;
            assert_eq!(shown.header("idempotency-replayed"), "");
            assert_eq!(shown.expect(200)["fields"]["name"], "样例王五");
        }
        assert_eq!(entries_of(&app, "reveal_person").await.len(), 2);
        assert_eq!(app.number("SELECT count(*) FROM idempotent_answer").await, 0);
    }

    async fn a_reason_says_something(app: TestApp) {
        let (desk, me) = (app.staff("desk").await, resident(&app, "甲", ADULT).await);
        for reason in ["", "看看吧", "          ", &"长".repeat(201)] {
            desk.post(&person(&me), json!({"fields": ["name"], "reason": reason})).await.invalid("/reason", "length");
        }
        desk.post(&person(&me), json!({"fields": [], "reason": "核对联系方式"})).await.invalid("/fields", "length");
        desk.post(&person(&me), ask(&["openid"])).await.problem("invalid");
        assert!(entries_of(&app, "reveal_person").await.is_empty());
    }

    async fn only_who_keeps_the_residents_of_the_village_sees_them(app: TestApp) {
        let me = resident(&app, "甲", ADULT).await;
        app.staff("town").await.post(&person(&me), ask(&["name"])).await.expect(200);
        app.staff("neighbour").await.post(&person(&me), ask(&["name"])).await.problem("not_found");
        for name in ["cadre", "county", "admin", "discipline"] {
            app.staff(name).await.post(&person(&me), ask(&["name"])).await.problem("not_your_duty");
        }
        me.post(&person(&me), ask(&["name"])).await.problem("not_your_duty");
        // Of no village: of nobody's, but through a case.
        let elsewhere = app.villager("乙").await;
        app.staff("town").await.post(&person(&elsewhere), ask(&["name"])).await.problem("not_found");
        let case = filed(&app, &elsewhere).await;
        let shown = app.staff("desk").await.post(&of_case(&case), ask(&["contact_phone"])).await.expect(200);
        assert_eq!(shown["fields"], json!({"contact_phone": "13800001234"}));
        app.drain_jobs().await;
    }

    async fn a_childs_data_needs_a_duty_of_its_own(app: TestApp) {
        let (desk, child) = (app.staff("desk").await, resident(&app, "甲", CHILD).await);
        let case = filed(&app, &child).await;
        desk.post(&person(&child), ask(&["name"])).await.problem("not_your_duty");
        desk.post(&of_case(&case), ask(&["contact_name"])).await.problem("not_your_duty");
        also(&app, &desk, Duty::ReadMinors).await;
        assert_eq!(desk.post(&person(&child), ask(&["name"])).await.expect(200)["fields"]["name"], "样例王五");
        desk.post(&of_case(&case), ask(&["contact_name"])).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_child_is_one_until_the_fourteenth_birthday(app: TestApp) {
        let (desk, child) = (app.staff("desk").await, resident(&app, "甲", CHILD).await);
        app.advance("2029-05-31T02:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap() - app.now());
        let desk = app.staff(&desk.name).await;
        desk.post(&person(&child), ask(&["name"])).await.problem("not_your_duty");
        // Midnight in China.
        app.advance(TimeDelta::hours(14));
        desk.post(&person(&child), ask(&["name"])).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_case_shows_its_contact_and_form_to_who_may_know_of_it(app: TestApp) {
        let me = resident(&app, "甲", ADULT).await;
        let form = json!({"account": "6217001234567890123"});
        let body = json!({
            "kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "form": form, "contact_phone": "13800001234",
        });
        let case = me.post("/cases", body).await.expect(201);
        let shown = app.staff("desk").await.post(&of_case(&case), ask(&["form", "contact_phone", "contact_name"])).await.expect(200);
        assert_eq!(shown["fields"], json!({"contact_name": "样例王五", "contact_phone": "13800001234", "form": form}));
        for name in ["cadre", "neighbour", "discipline"] {
            app.staff(name).await.post(&of_case(&case), ask(&["form"])).await.problem("not_found");
        }
        app.staff("admin").await.post(&of_case(&case), ask(&["form"])).await.problem("not_your_duty");
        let secret = confidential(&app, &me).await;
        for name in ["desk", "town", "county"] {
            app.staff(name).await.post(&of_case(&secret), ask(&["contact_name"])).await.problem("not_found");
        }
        app.staff("discipline").await.post(&of_case(&secret), ask(&["contact_name"])).await.expect(200);
        assert_eq!(entries_of(&app, "reveal_confidential_case").await.len(), 1);
        assert_eq!(entries_of(&app, "reveal_case").await.len(), 1);
        app.drain_jobs().await;
    }

    async fn so_many_an_hour_and_no_more(app: TestApp) {
        let few = app.second_server_with(|config| config.auth.throttle.reveals_per_hour = 3).await;
        let me = resident(&app, "甲", ADULT).await;
        let case = filed(&app, &me).await;
        let desk = app.staff("desk").await.at(&few);
        for path in [person(&me), of_case(&case), person(&me)] {
            let field = if path.contains("people") { "name" } else { "contact_name" };
            desk.post(&path, ask(&[field])).await.expect(200);
        }
        let refused = desk.post(&person(&me), ask(&["name"])).await;
        assert!(refused.header("retry-after").parse::<i64>().unwrap() > 3500);
        refused.problem("too_many_requests");
        app.staff("town").await.at(&few).post(&person(&me), ask(&["name"])).await.expect(200);
        app.advance(TimeDelta::hours(1));
        desk.post(&person(&me), ask(&["name"])).await.expect(200);
        app.drain_jobs().await;
    }
}
