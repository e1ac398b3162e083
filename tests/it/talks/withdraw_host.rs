//! A host who cannot come: a stand-in keeps every booking; without one the day is smaller, and true to its counters.

use chrono::TimeDelta;
use entity::{id::TalkDayId, talk_day};
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{booked, bookings, last_told, name_hosts, seen, single_day, waits, wish, wrong_counts};
use crate::{
    audit::entries,
    staffing::clerk,
    support::{Actor, TestApp},
};

fn withdraw(day: &Value) -> String {
    format!("/staff/talk-days/{}/withdraw-host", day["id"].as_str().unwrap())
}

fn without(host: &Actor) -> Value {
    json!({"host": host.id(), "reason": "去镇上开会"})
}

/// Half an hour with four public places and two kept ones, heard by two.
async fn with_two_hosts(app: &TestApp) -> (Value, Actor, Actor) {
    let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
    let fields = json!({
        "ends": "15:30", "slot_minutes": 30, "capacity": 6, "walk_in_share": 0.34, "hosts": [cadre.id(), desk.id()],
    });
    let day = single_day(app, fields).await;
    assert_eq!(day["slots"][0]["capacity"], 4);
    (day, cadre, desk)
}

both_engines! {
    async fn a_stand_in_keeps_every_booking_and_hears_what_is_private(app: TestApp) {
        let (villager, cadre2) = (app.villager("甲").await, app.staff("cadre2").await);
        let (day, cadre, desk) = with_two_hosts(&app).await;
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        villager.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        let body = json!({"host": cadre.id(), "stand_in": cadre2.id(), "reason": "生病"});
        let now = desk.post(&withdraw(&day), body).await.expect(200);
        assert_eq!((&now["slots"][0]["capacity"], &now["slots"][0]["free"]), (&json!(4), &json!(3)));
        let (kind, text) = last_told(&app, &villager).await;
        assert_eq!((kind.as_str(), text.as_str()), ("booking_host_changed", "11月25日 15:00 的说事日换了人主持，您的预约不变"));
        let line = format!("/staff/talk-days/{}/line", day["id"].as_str().unwrap());
        assert!(cadre2.get(&line).await.expect(200).to_string().contains("和邻居的事"), "who stands in prepares");
        assert!(!cadre.get(&line).await.expect(200).to_string().contains("和邻居的事"), "who has left does not");
    }

    async fn who_cannot_stand_in_is_refused(app: TestApp) {
        let (day, cadre, desk) = with_two_hosts(&app).await;
        let (neighbour, cadre2) = (app.staff("neighbour").await, app.staff("cadre2").await);
        let instead = |who: &Actor| json!({"host": cadre.id(), "stand_in": who.id(), "reason": "生病"});
        desk.post(&withdraw(&day), instead(&neighbour)).await.invalid("/stand_in", "unknown");
        desk.post(&withdraw(&day), instead(&desk)).await.invalid("/stand_in", "duplicate");
        desk.post(&withdraw(&day), without(&cadre2)).await.invalid("/host", "unknown");
        let away = json!({"from": "2026-11-25", "until": "2026-11-25", "stand_in": cadre.id()});
        cadre2.post("/staff/absences", away).await.expect(201);
        desk.post(&withdraw(&day), instead(&cadre2)).await.invalid("/stand_in", "away");
        neighbour.post(&withdraw(&day), without(&cadre)).await.problem("not_found");
        desk.post(&withdraw(&day), without(&cadre)).await.expect(200);
        desk.post(&withdraw(&day), without(&desk)).await.problem("last_host");
        let off = format!("/staff/talk-days/{}/cancel", day["id"].as_str().unwrap());
        desk.post(&off, json!({"reason": "停电"})).await.expect(200);
        desk.post(&withdraw(&day), without(&desk)).await.problem("transition_not_allowed");
    }

    async fn without_one_who_booked_last_loses_the_place_and_hears_of_another(app: TestApp) {
        let (day, cadre, desk) = with_two_hosts(&app).await;
        let mut people = Vec::new();
        for name in ["甲", "乙", "丙"] {
            let villager = app.villager(name).await;
            let booking = booked(&villager, &day["slots"][0]).await;
            people.push((villager, booking));
            app.advance(TimeDelta::minutes(1));
        }
        let now = desk.post(&withdraw(&day), without(&cadre)).await.expect(200);
        assert_eq!((&now["slots"][0]["capacity"], &now["slots"][0]["free"]), (&json!(2), &json!(0)));
        assert_eq!(app.number("SELECT CAST(places AS bigint) FROM slot WHERE public_places = 2 AND released = 1").await, 3);
        for (at, (villager, booking)) in people.iter().enumerate() {
            let now = villager.get(&format!("/bookings/{}", booking["id"].as_str().unwrap())).await.expect(200);
            let stays = (json!("booked"), json!(null));
            let gone = (json!("cancelled"), json!("host_left"));
            assert_eq!((now["state"].clone(), now["cancel_reason"].clone()), if at < 2 { stays } else { gone });
        }
        let (kind, text) = last_told(&app, &people[2].0).await;
        assert_eq!(kind, "booking_host_left");
        assert!(text.contains("去镇上开会") && text.contains("11月25日 09:00"), "{text}");
        assert_eq!(wrong_counts(&app).await, 0);
        app.villager("丁").await.post(&bookings(&day["slots"][0]), wish()).await.problem("slot_full");
    }

    async fn a_place_that_was_held_goes_first(app: TestApp) {
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let (day, cadre, desk) = with_two_hosts(&app).await;
        booked(&one, &day["slots"][0]).await;
        booked(&two, &day["slots"][0]).await;
        let waiting = app.villager("丙").await;
        waits(&app, &day["slots"][0], &waiting, true).await;
        desk.post(&withdraw(&day), without(&cadre)).await.expect(200);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE live").await, 2, "nobody who is in goes out");
        let again = "SELECT count(*) FROM talk_wait WHERE state = 'waiting' AND held_until IS NULL";
        assert_eq!(app.number(again).await, 1);
        assert_eq!(app.number("SELECT CAST(waiting - held AS bigint) FROM slot WHERE taken = 2").await, 1);
        assert_eq!(last_told(&app, &waiting).await.0, "wait_hold_withdrawn");
        assert_eq!(wrong_counts(&app).await, 0);
    }

    async fn whoever_stands_in_for_an_absence_hosts_its_days_and_no_others(app: TestApp) {
        let (villager, cadre, cadre2) = (app.villager("甲").await, app.staff("cadre").await, app.staff("cadre2").await);
        let hosted = |date: &str| json!({"date": date, "hosts": [cadre.id()]});
        let (during, after) = (single_day(&app, hosted("2026-11-26")).await, single_day(&app, hosted("2026-11-30")).await);
        booked(&villager, &during["slots"][0]).await;
        let absence = json!({"from": "2026-11-23", "until": "2026-11-27", "stand_in": cadre2.id()});
        cadre.post("/staff/absences", absence).await.expect(201);
        for _ in 0..2 {
            sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        }
        assert_eq!((hosts(&app, &during).await, hosts(&app, &after).await), (json!([cadre2.id()]), json!([cadre.id()])));
        let (kind, _) = last_told(&app, &villager).await;
        assert_eq!(kind, "booking_host_changed");
        assert_eq!(villager.get("/inbox").await.expect(200)["items"].as_array().unwrap().len(), 2, "told once");
        assert_eq!(seen(&app, &during).await["state"], "planned");
    }

    async fn only_who_has_the_duty_to_host_becomes_a_host(app: TestApp) {
        let (desk, cadre, town) = (app.staff("desk").await, app.staff("cadre").await, app.staff("town").await);
        let village = app.village().await;
        let days = format!("/staff/divisions/{village}/talk-days");
        let single = |hosts: Value| json!({"date": "2026-11-25", "starts": "15:00", "ends": "16:00", "place": "村委会", "hosts": hosts});
        // Whoever manages the talk days of the whole township does not make themselves a host.
        town.post(&days, single(json!([town.id()]))).await.invalid("/hosts/0", "unknown");
        let rule = json!({
            "recurrence": {"kind": "weekly", "weekdays": [6]}, "starts": "19:00", "ends": "20:00", "place": "村委会",
            "hosts": [cadre.id(), town.id()],
        });
        town.post(&format!("/staff/divisions/{village}/talk-rules"), rule).await.invalid("/hosts/1", "unknown");
        let (day, cadre, _) = with_two_hosts(&app).await;
        let body = json!({"host": cadre.id(), "stand_in": town.id(), "reason": "生病"});
        town.post(&withdraw(&day), body).await.invalid("/stand_in", "unknown");
        // Named before the duty was theirs alone to have, they read nothing all the same.
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        app.villager("甲").await.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        name_hosts(&app, &day, json!([town.id()])).await;
        let line = format!("/staff/talk-days/{}/line", day["id"].as_str().unwrap());
        assert!(!town.get(&line).await.expect(200).to_string().contains("和邻居的事"));
        desk.get(&line).await.expect(200);
        app.drain_jobs().await;
    }

    async fn every_change_of_hosts_is_entered(app: TestApp) {
        let (day, cadre, desk) = with_two_hosts(&app).await;
        desk.post(&withdraw(&day), without(&cadre)).await.expect(200);
        let rules = format!("/staff/divisions/{}/talk-rules", app.village().await);
        let mut rule = json!({
            "recurrence": {"kind": "weekly", "weekdays": [6]}, "starts": "19:00", "ends": "20:00", "place": "村委会",
            "hosts": [cadre.id()],
        });
        let made = desk.post(&rules, rule.clone()).await.expect(201);
        let path = format!("/staff/talk-rules/{}", made["id"].as_str().unwrap());
        desk.put(&path, rule.clone()).await.expect(200);
        rule["hosts"] = json!([cadre.id(), desk.id()]);
        desk.put(&path, rule).await.expect(200);
        let of_hosts = entries(&app).await.into_iter().filter(|entry| entry.fields.as_ref().is_some_and(|said| said.starts_with("hosts=")));
        let said: Vec<(String, String)> = of_hosts.map(|entry| (entry.action, entry.fields.unwrap())).collect();
        let (one, other, both) = (format!("hosts={}", desk.id()), format!("hosts={}", cadre.id()), format!("hosts={} {}", cadre.id(), desk.id()));
        let expected = [("make_talk_day", &both), ("withdraw_host", &one), ("make_talk_rule", &other), ("change_talk_rule", &both)];
        assert_eq!(said, expected.map(|(action, fields)| (action.to_owned(), fields.clone())));
        app.drain_jobs().await;
    }

    async fn a_stand_in_who_may_not_host_leaves_the_day_as_it_is(app: TestApp) {
        let (cadre, clerk) = (app.staff("cadre").await, clerk(&app, "clerk").await);
        let day = single_day(&app, json!({"date": "2026-11-26", "hosts": [cadre.id()]})).await;
        let absence = json!({"from": "2026-11-23", "until": "2026-11-27", "stand_in": clerk.id()});
        cadre.post("/staff/absences", absence).await.expect(201);
        for _ in 0..2 {
            sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        }
        assert_eq!(hosts(&app, &day).await, json!([cadre.id()]));
        let said = entries(&app).await.into_iter().filter(|entry| entry.action == "cover_talk_day" && entry.result == "left");
        assert_eq!(said.filter(|entry| entry.object_id.as_deref() == day["id"].as_str()).count(), 1, "said once");
        app.drain_jobs().await;
    }

    async fn who_is_back_early_hosts_again_what_the_stand_in_still_hosts(app: TestApp) {
        let villager = app.villager("甲").await;
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let hosted = |date: &str| json!({"date": date, "hosts": [cadre.id()]});
        let (kept, changed) = (single_day(&app, hosted("2026-11-26")).await, single_day(&app, hosted("2026-11-27")).await);
        booked(&villager, &kept["slots"][0]).await;
        let absence = json!({"from": "2026-11-23", "until": "2026-11-27", "stand_in": cadre2.id()});
        let absence = cadre.post("/staff/absences", absence).await.expect(201);
        sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        let to_the_desk = json!({"host": cadre2.id(), "stand_in": desk.id(), "reason": "另有安排"});
        desk.post(&withdraw(&changed), to_the_desk).await.expect(200);
        cadre.post(&format!("/staff/absences/{}/end", absence["id"].as_str().unwrap()), json!({})).await.expect(200);
        assert_eq!((hosts(&app, &kept).await, hosts(&app, &changed).await), (json!([cadre.id()]), json!([desk.id()])));
        assert_eq!(last_told(&app, &villager).await.0, "booking_host_changed");
        for _ in 0..2 {
            sweeps::run(app.app(), Sweep::CoverAbsences).await.unwrap();
        }
        assert_eq!(hosts(&app, &kept).await, json!([cadre.id()]));
        let given = entries(&app).await.into_iter().filter(|entry| entry.action == "give_talk_day_back");
        let given: Vec<_> = given.filter_map(|entry| entry.object_id).collect();
        assert!(given.contains(&kept["id"].as_str().unwrap().to_owned()), "{given:?}");
        assert!(!given.contains(&changed["id"].as_str().unwrap().to_owned()), "{given:?}");
    }
}

/// Who hosts a day: no answer names them.
async fn hosts(app: &TestApp, day: &Value) -> Value {
    let id = TalkDayId::deserialize(&day["id"]).unwrap();
    talk_day::Entity::find_by_id(id).one(app.db().read()).await.unwrap().unwrap().hosts
}
