//! A household comes together: all of them, or none.

use serde_json::{Value, json};

use super::{booked, lets_act, one_slot, wrong_counts};

fn together(persons: &[&str]) -> Value {
    json!({"persons": persons, "topic": "roads", "summary": "一家人的事", "privacy": "private"})
}

fn path(slot: &Value) -> String {
    format!("/slots/{}/household-bookings", slot["id"].as_str().unwrap())
}

both_engines! {
    async fn all_get_a_place_or_none(app: TestApp) {
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        let day = one_slot(&app, 3).await;
        let slot = &day["slots"][0];
        let both = together(&[young.id(), old.id()]);
        let refused = young.post(&path(slot), both.clone()).await.problem("no_authorisation");
        assert_eq!(refused["errors"][0]["pointer"], "/persons/1");
        lets_act(&old, &young).await;
        let made = young.post(&path(slot), both.clone()).await.expect(201);
        let numbers: Vec<_> = made["items"].as_array().unwrap().iter().map(|one| one["number_in_line"].clone()).collect();
        assert_eq!(numbers, [json!(1), json!(2)]);
        assert!(made["items"].as_array().unwrap().iter().all(|one| one["party"] == made["party"] && made["party"] != json!(null)));
        assert_eq!((&made["items"][0]["by_agent"], &made["items"][1]["by_agent"]), (&json!(false), &json!(true)));
        let again = young.post(&path(slot), both).await.problem("already_booked");
        assert_eq!(again["errors"][0]["pointer"], "/persons/0");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
        assert!(old.get("/inbox").await.expect(200)["items"].as_array().unwrap().len() >= 2, "of the place and of who took it");
    }

    async fn who_finds_too_few_places_takes_none(app: TestApp) {
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        lets_act(&old, &young).await;
        let day = one_slot(&app, 2).await;
        let slot = &day["slots"][0];
        booked(&app.villager("甲").await, slot).await;
        let told = young.post(&path(slot), together(&[young.id(), old.id()])).await.problem("slot_full");
        let near = told["alternatives"].as_array().unwrap();
        assert!(!near.is_empty() && near.iter().all(|slot| slot["free"].as_i64().unwrap() >= 2), "{told}");
        assert_eq!(young.get("/bookings").await.expect(200)["items"], json!([]));
        young.post(&path(slot), together(&[young.id(), young.id()])).await.invalid("/persons/1", "duplicate");
        young.post(&path(slot), together(&[young.id()])).await.invalid("/persons", "length");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
