//! Home visits: put in order whole, and the address for the host alone.

use serde_json::{Value, json};

use super::{bookings, of_day, this_afternoon, wish};
use crate::support::TestApp;

async fn visit(app: &TestApp, name: &str, slot: &Value, address: &str) -> Value {
    let mut body = wish();
    body["mode"] = json!("home_visit");
    body["address"] = json!(address);
    let made = app.villager(name).await.post(&bookings(slot), body).await.expect(201);
    made["id"].clone()
}

both_engines! {
    async fn visits_are_put_in_order_whole_and_the_address_is_for_the_host(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let more = json!({"modes": ["in_person", "home_visit"], "hosts": [cadre.id()]});
        let day = this_afternoon(&app, 6, more).await;
        let one = visit(&app, "甲", &day["slots"][0], "二组李家湾").await;
        let two = visit(&app, "乙", &day["slots"][1], "三组王家坪").await;
        let seated = app.villager("丙").await.post(&bookings(&day["slots"][2]), wish()).await.expect(201);
        let desk = app.staff("desk").await;
        let path = of_day(&day, "route");
        let ids = |route: &Value| route["items"].as_array().unwrap().iter().map(|visit| visit["booking"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&desk.get(&path).await.expect(200)), [one.clone(), two.clone()], "by their slots at first");
        let put = async |bookings: Value| desk.put(&path, json!({"bookings": bookings})).await;
        put(json!([one])).await.invalid("/bookings", "incomplete");
        put(json!([one, one])).await.invalid("/bookings/1", "duplicate");
        put(json!([one, two, seated["id"]])).await.invalid("/bookings/2", "unknown");
        let ordered = put(json!([two, one])).await.expect(200);
        assert_eq!(ids(&ordered), [two.clone(), one.clone()]);
        assert!(!ordered.to_string().contains("王家坪"), "{ordered}");
        let at_the_desk = desk.get(&path).await.expect(200);
        assert_eq!((ids(&at_the_desk), &at_the_desk["items"][0]["address"]), (vec![two.clone(), one], &Value::Null));
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'read_route'").await, 0);
        let for_the_host = cadre.get(&path).await.expect(200);
        assert_eq!((&for_the_host["items"][0]["address"], &for_the_host["items"][0]["route_order"]), (&json!("三组王家坪"), &json!(1)));
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'read_route'").await, 1);
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        app.staff("neighbour").await.put(&path, json!({"bookings": []})).await.problem("not_found");
        app.drain_jobs().await;
    }
}
