//! Two accounts that are one, and people who go: their places and their waiting lists.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{booked, bookings, last_told, lets_act, one_slot, single_day, wish, wrong_counts};
use crate::{
    people::{GROWN_UP, claim, resident},
    support::{Actor, TestApp},
};

fn waits(slot: &Value) -> String {
    format!("/slots/{}/waits", slot["id"].as_str().unwrap())
}

async fn entry(who: &Actor) -> Value {
    who.get("/waits").await.expect(200)["items"][0].clone()
}

/// The desk finds that a new account is that of a resident who is known.
async fn are_one(app: &TestApp, new: &Actor, name: &str, citizen_no: &str) {
    new.post("/me/residence", claim(app, name, citizen_no).await).await.expect(200);
    let desk = app.staff("desk").await;
    let claim = desk.get("/staff/residence-claims").await.expect(200)["items"][0]["id"].clone();
    desk.post(&format!("/staff/residence-claims/{}/approve", claim.as_str().unwrap()), json!({})).await.expect(200);
}

both_engines! {
    async fn a_party_keeps_its_member_when_two_accounts_are_one(app: TestApp) {
        let old = resident(&app, "样例甲", GROWN_UP).await;
        let (new, young, holder) = (app.villager("新手机").await, app.villager("样例侄").await, app.villager("乙").await);
        lets_act(&new, &young).await;
        let day = one_slot(&app, 2).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        young.post(&waits(slot), json!({"persons": [young.id(), new.id()]})).await.expect(201);
        are_one(&app, &new, "样例甲", GROWN_UP).await;
        let back = app.villager("新手机").await;
        assert_eq!((back.id(), &entry(&back).await["state"]), (old.id(), &json!("waiting")));
        holder.post(&format!("/bookings/{}/cancel", booking["id"].as_str().unwrap()), json!({})).await.expect(200);
        assert_eq!(last_told(&app, &back).await.0, "wait_held");
        app.advance(TimeDelta::hours(2) + TimeDelta::minutes(1));
        app.drain_jobs().await;
        let back = app.villager("新手机").await;
        assert_eq!((&entry(&back).await["state"], last_told(&app, &back).await.0), (&json!("expired"), "wait_expired".to_owned()));
        assert_eq!(wrong_counts(&app).await, 0);
    }

    async fn a_party_of_two_accounts_of_one_person_is_one_person(app: TestApp) {
        let old = resident(&app, "样例甲", GROWN_UP).await;
        let (new, holder) = (app.villager("新手机").await, app.villager("乙").await);
        lets_act(&old, &new).await;
        let day = one_slot(&app, 2).await;
        let slot = &day["slots"][0];
        new.post(&waits(slot), json!({"persons": [new.id(), old.id()]})).await.expect(201);
        holder.post(&waits(slot), json!({})).await.expect(201);
        assert_eq!((&entry(&old).await["state"], &entry(&holder).await["state"]), (&json!("held"), &json!("waiting")));
        are_one(&app, &new, "样例甲", GROWN_UP).await;
        let back = app.villager("新手机").await;
        assert_eq!((&entry(&back).await["places"], &entry(&holder).await["state"]), (&json!(1), &json!("held")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn an_entry_that_cannot_be_moved_keeps_nobody_else_waiting(app: TestApp) {
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let day = single_day(&app, json!({"slot_minutes": 30, "capacity": 1, "walk_in_share": 0.0})).await;
        let spoilt = one.post(&waits(&day["slots"][0]), json!({})).await.expect(201);
        two.post(&waits(&day["slots"][1]), json!({})).await.expect(201);
        let spoil = "UPDATE talk_wait SET party = '[1]' WHERE turn = 1 AND person_id IN (SELECT person_id FROM talk_wait ORDER BY id LIMIT 1)";
        app.db().transact(async move |tx| Ok(tx.execute_unprepared(spoil).await.map(drop)?)).await.unwrap();
        app.advance(TimeDelta::hours(2) + TimeDelta::minutes(1));
        sweeps::run(app.app(), Sweep::MoveWaitingLists).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM talk_wait WHERE state = 'expired'").await, 1);
        assert_eq!(app.number("SELECT count(*) FROM talk_wait WHERE state = 'held'").await, 1, "{spoilt}");
        let mend = "UPDATE talk_wait SET state = 'waiting', party = '[]' WHERE state = 'held'";
        app.db().transact(async move |tx| Ok(tx.execute_unprepared(mend).await.map(drop)?)).await.unwrap();
        app.drain_jobs().await;
    }

    async fn nobody_slips_in_while_they_go(app: TestApp) {
        let day = one_slot(&app, 8).await;
        let path = bookings(&day["slots"][0]);
        for number in 0..6 {
            let goes = app.villager(&format!("村民{number}")).await;
            let (_, gone) = futures_util::future::join(goes.post(&path, wish()), goes.delete("/me")).await;
            gone.expect(200);
        }
        let left = "SELECT count(*) FROM booking b JOIN person p ON p.id = b.person_id WHERE b.live AND p.closed_at IS NOT NULL";
        assert_eq!((app.number(left).await, wrong_counts(&app).await), (0, 0));
        app.drain_jobs().await;
    }

    async fn who_goes_takes_no_place_along(app: TestApp) {
        let (goes, next, old) = (app.villager("甲").await, app.villager("乙").await, app.villager("样例老人").await);
        lets_act(&old, &goes).await;
        let day = single_day(&app, json!({"slot_minutes": 30, "capacity": 2, "walk_in_share": 0.0})).await;
        let (first, second) = (&day["slots"][0], &day["slots"][1]);
        goes.post(&waits(first), json!({"persons": [old.id(), goes.id()]})).await.expect(201);
        next.post(&waits(first), json!({})).await.expect(201);
        booked(&app.villager("丙").await, second).await;
        assert_eq!(entry(&old).await["state"], "held");
        goes.delete("/me").await.expect(200);
        assert_eq!((&entry(&old).await["state"], &entry(&next).await["state"]), (&json!("left"), &json!("held")));
        assert_eq!(last_told(&app, &old).await.0, "wait_left");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
