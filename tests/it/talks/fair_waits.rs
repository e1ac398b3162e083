//! Waiting lists keep nobody's place for ever: one offer a day, in the order of joining, known to everybody it concerns.

use chrono::TimeDelta;
use entity::{
    booking_event,
    id::{BookingEventId, PersonId, SlotId, TalkDayId, TalkWaitId},
    person, slot, talk_wait,
    talk_wait::WaitState,
};
use futures_util::future::join_all;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::Deserialize;
use serde_json::{Value, json};
use shuoshi::db::Tx;
use uuid::Uuid;

use super::{
    booked, bookings, last_told, lets_act, of_booking, of_day, one_slot, single_day, this_afternoon, wish, wrong_counts,
};
use crate::support::{Actor, TestApp};

fn waits(slot: &Value) -> String {
    format!("/slots/{}/waits", slot["id"].as_str().unwrap())
}

async fn cancel(who: &Actor, booking: &Value) {
    who.post(&format!("/bookings/{}/cancel", booking["id"].as_str().unwrap()), json!({})).await.expect(200);
}

async fn entry(who: &Actor) -> Value {
    who.get("/waits").await.expect(200)["items"][0].clone()
}

async fn leave(who: &Actor, entry: &Value) {
    who.delete(&format!("/waits/{}", entry["id"].as_str().unwrap())).await.expect(204);
}

async fn free(app: &TestApp, day: &Value) -> Value {
    super::seen(app, day).await["slots"][0]["free"].clone()
}

/// The last key there is: a server whose clock is ahead draws such.
fn late_key() -> Uuid {
    Uuid::parse_str("ffffffff-ffff-7fff-bfff-ffffffffffff").unwrap()
}

/// An entry of the list with a key of some server, which joins now.
async fn joins(app: &TestApp, slot: &Value, who: PersonId, places: i32, id: TalkWaitId) {
    let (slot, now) = (SlotId::deserialize(&slot["id"]).unwrap(), app.now());
    let write = async move |tx: &Tx| {
        let of = slot::Entity::find_by_id(slot).one(tx).await?.unwrap();
        let row = talk_wait::ActiveModel {
            id: Set(id),
            slot_id: Set(slot),
            talk_day_id: Set(of.talk_day_id),
            turn: Set(of.joined + 1),
            person_id: Set(who),
            agent_id: Set(None),
            authorisation_id: Set(None),
            party: Set(json!([who])),
            places: Set(places),
            state: Set(WaitState::Waiting),
            held_at: Set(None),
            held_until: Set(None),
            created_at: Set(now),
            ended_at: Set(None),
        };
        row.insert(tx).await?;
        let (waiting, joined) = (Set(of.waiting + 1), Set(of.joined + 1));
        slot::ActiveModel { id: Set(slot), waiting, joined, ..Default::default() }.update(tx).await?;
        Ok(())
    };
    app.db().transact(write).await.unwrap();
}

fn person(who: &Actor) -> PersonId {
    PersonId::deserialize(json!(who.id())).unwrap()
}

both_engines! {
    async fn two_who_take_turns_keep_no_place(app: TestApp) {
        let (holder, one, two) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        let first = one.post(&waits(slot), json!({})).await.expect(201);
        two.post(&waits(slot), json!({})).await.expect(201);
        cancel(&holder, &booking).await;
        assert_eq!(entry(&one).await["state"], "held");
        leave(&one, &first).await;
        assert_eq!(entry(&two).await["state"], "held", "on to the next");
        one.post(&waits(slot), json!({})).await.problem("offer_used_up");
        app.advance(TimeDelta::hours(2) + TimeDelta::minutes(1));
        app.drain_jobs().await;
        let (one, two) = (app.villager("乙").await, app.villager("丙").await);
        assert_eq!(entry(&two).await["state"], "expired");
        two.post(&waits(slot), json!({})).await.problem("offer_used_up");
        assert_eq!(free(&app, &day).await, 1, "nobody else waits: it is everybody's");
        booked(&one, slot).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn one_place_is_held_a_day_and_counts_as_a_booking(app: TestApp) {
        let waiting = app.villager("甲").await;
        let two_slots = |date: &str| json!({"date": date, "slot_minutes": 30, "capacity": 1, "walk_in_share": 0.0});
        let mut days = Vec::new();
        for date in ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"] {
            days.push(single_day(&app, two_slots(date)).await);
        }
        let (early, late) = (&days[0]["slots"][0], &days[0]["slots"][1]);
        assert_eq!(waiting.post(&waits(early), json!({})).await.expect(201)["state"], "held");
        let other = waiting.post(&waits(late), json!({})).await.expect(201);
        assert_eq!((&other["state"], &other["reason"]), (&json!("waiting"), &json!("passed_over")));
        assert_eq!(entry(&waiting).await["reason"], "passed_over");
        booked(&app.villager("乙").await, late).await;
        for day in &days[1..3] {
            booked(&waiting, &day["slots"][0]).await;
        }
        waiting.post(&bookings(&days[3]["slots"][0]), wish()).await.problem("limit_reached");
        waiting.post(&waits(&days[3]["slots"][0]), json!({})).await.problem("limit_reached");
        booked(&waiting, early).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn who_books_elsewhere_on_the_day_lets_go_of_what_is_held(app: TestApp) {
        let (waiting, next) = (app.villager("甲").await, app.villager("乙").await);
        let day = single_day(&app, json!({"slot_minutes": 30, "capacity": 1, "walk_in_share": 0.0})).await;
        let (held, other) = (&day["slots"][0], &day["slots"][1]);
        waiting.post(&waits(held), json!({})).await.expect(201);
        next.post(&waits(held), json!({})).await.expect(201);
        booked(&waiting, other).await;
        assert_eq!((&entry(&waiting).await["state"], &entry(&next).await["state"]), (&json!("left"), &json!("held")));
        booked(&next, held).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn who_moves_to_the_day_lets_go_of_what_is_held_there(app: TestApp) {
        let (waiting, next) = (app.villager("甲").await, app.villager("乙").await);
        let day = single_day(&app, json!({"slot_minutes": 30, "capacity": 1, "walk_in_share": 0.0})).await;
        let (held, other) = (&day["slots"][0], &day["slots"][1]);
        let before = one_slot(&app, 1).await;
        let booking = booked(&waiting, &before["slots"][0]).await;
        waiting.post(&waits(held), json!({})).await.expect(201);
        next.post(&waits(held), json!({})).await.expect(201);
        let path = format!("/bookings/{}/move", booking["id"].as_str().unwrap());
        waiting.post(&path, json!({"slot": other["id"]})).await.expect(200);
        assert_eq!((&entry(&waiting).await["state"], &entry(&next).await["state"]), (&json!("left"), &json!("held")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn what_a_family_leaves_of_its_places_goes_to_the_list_before_any_crowd(app: TestApp) {
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        lets_act(&old, &young).await;
        let day = one_slot(&app, 2).await;
        let slot = &day["slots"][0];
        young.post(&waits(slot), json!({"persons": [young.id(), old.id()]})).await.expect(201);
        let next = app.villager("丁").await;
        next.post(&waits(slot), json!({})).await.expect(201);
        let mut crowd = vec![young.clone()];
        for name in ["路人一", "路人二", "路人三", "路人四"] {
            crowd.push(app.villager(name).await);
        }
        let path = bookings(slot);
        let mut answers = join_all(crowd.iter().map(|who| who.post(&path, wish()))).await;
        answers.remove(0).expect(201);
        for answer in answers {
            answer.problem("slot_full");
        }
        assert_eq!(entry(&next).await["state"], "held");
        booked(&next, slot).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn everybody_of_a_party_sees_its_entry_and_may_leave_it(app: TestApp) {
        let (holder, old, aunt) = (app.villager("甲").await, app.villager("样例老人").await, app.villager("样例姑").await);
        let young = app.villager("样例侄").await;
        for principal in [&old, &aunt] {
            lets_act(principal, &young).await;
        }
        let day = one_slot(&app, 3).await;
        let slot = &day["slots"][0];
        let first = booked(&holder, slot).await;
        let entry_of_three = young.post(&waits(slot), json!({"persons": [young.id(), old.id(), aunt.id()]})).await.expect(201);
        assert_eq!(entry(&old).await["id"], entry_of_three["id"]);
        for principal in [&old, &aunt] {
            assert_eq!(last_told(&app, principal).await.0, "agent_acted", "each of them");
        }
        assert_eq!(app.number("SELECT count(*) FROM authorisation_use WHERE action = 'join_waits'").await, 2);
        holder.delete(&format!("/waits/{}", entry_of_three["id"].as_str().unwrap())).await.problem("not_found");
        leave(&aunt, &entry_of_three).await;
        for other in [&old, &young] {
            assert_eq!((entry(other).await["state"].clone(), last_told(&app, other).await.0), (json!("left"), "wait_left".to_owned()));
        }
        let again = young.post(&waits(slot), json!({"for_person": old.id()})).await.expect(201);
        assert_eq!(again["state"], "held");
        leave(&young, &again).await;
        assert_eq!(app.number("SELECT count(*) FROM authorisation_use WHERE action = 'leave_waits'").await, 1);
        assert!(old.get("/inbox").await.expect(200)["items"].to_string().contains("agent_acted"));
        cancel(&holder, &first).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn who_joined_first_is_first_whatever_the_clocks_of_servers(app: TestApp) {
        let (holder, first, second) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        joins(&app, slot, person(&first), 1, TalkWaitId(late_key())).await;
        assert_eq!(second.post(&waits(slot), json!({})).await.expect(201)["position"], 2);
        cancel(&holder, &booking).await;
        let state = "SELECT count(*) FROM talk_wait WHERE state = 'held' AND turn = 1";
        assert_eq!(app.number(state).await, 1);
        assert_eq!(entry(&second).await["state"], "waiting");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn the_latest_step_is_taken_back_whatever_the_clocks_of_servers(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let (first, second) = (booked(&one, &day["slots"][0]).await, booked(&two, &day["slots"][1]).await);
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        desk.post(&of_booking(&first, "check-in"), json!({})).await.expect(200);
        let late = async |tx: &Tx| {
            booking_event::Entity::update_many()
                .col_expr(booking_event::Column::Id, Expr::val(BookingEventId(late_key())))
                .filter(booking_event::COLUMN.action.eq("check_in"))
                .exec(tx)
                .await?;
            Ok(())
        };
        app.db().transact(late).await.unwrap();
        desk.post(&of_booking(&first, "call"), json!({})).await.expect(200);
        desk.post(&of_booking(&second, "check-in"), json!({})).await.expect(200);
        let undo = of_day(&day, "undo");
        let back = desk.post(&undo, json!({})).await.expect(200);
        assert_eq!((&back["booking"], &back["state"]), (&second["id"], &json!("booked")));
        assert_eq!(desk.post(&of_booking(&first, "undo"), json!({})).await.expect(200)["state"], "checked_in");
        app.drain_jobs().await;
    }

    async fn a_single_behind_a_hundred_families_is_served_and_knows_their_place(app: TestApp) {
        let (holder, single) = (app.villager("甲").await, app.villager("乙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        for _ in 0..120 {
            let (id, now) = (PersonId::fresh(), app.now());
            let fresh = async move |tx: &Tx| {
                let row = person::ActiveModel { id: Set(id), ..person::ActiveModel::of_nobody_yet(now) };
                person::Entity::insert(row).exec_without_returning(tx).await?;
                Ok(())
            };
            app.db().transact(fresh).await.unwrap();
            joins(&app, slot, id, 2, TalkWaitId::fresh()).await;
        }
        assert_eq!(single.post(&waits(slot), json!({})).await.expect(201)["position"], 121);
        assert_eq!(entry(&single).await["position"], 121);
        cancel(&holder, &booking).await;
        assert_eq!(entry(&single).await["state"], "held");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn what_a_smaller_day_leaves_free_is_offered(app: TestApp) {
        let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
        let fields = json!({"ends": "15:30", "slot_minutes": 30, "capacity": 4, "walk_in_share": 0.0, "hosts": [cadre.id(), desk.id()]});
        let day = single_day(&app, fields).await;
        let slot = &day["slots"][0];
        booked(&app.villager("甲").await, slot).await;
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        lets_act(&old, &young).await;
        young.post(&waits(slot), json!({"persons": [young.id(), old.id()]})).await.expect(201);
        assert_eq!(entry(&young).await["state"], "held");
        booked(&app.villager("乙").await, slot).await;
        let next = app.villager("丙").await;
        assert_eq!(next.post(&waits(slot), json!({})).await.expect(201)["state"], "waiting");
        let gone = json!({"host": cadre.id(), "reason": "去镇上开会"});
        // Of four places two are left, both booked: the family's go, nobody has one too many.
        desk.post(&of_day(&day, "withdraw-host"), gone).await.expect(200);
        assert_eq!((&entry(&young).await["state"], &entry(&next).await["state"]), (&json!("waiting"), &json!("waiting")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn a_family_whose_places_go_with_a_host_leaves_the_rest_to_the_next(app: TestApp) {
        let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
        let fields = json!({"ends": "15:30", "slot_minutes": 30, "capacity": 3, "walk_in_share": 0.0, "hosts": [cadre.id(), desk.id()]});
        let day = single_day(&app, fields).await;
        let slot = &day["slots"][0];
        booked(&app.villager("甲").await, slot).await;
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        lets_act(&old, &young).await;
        young.post(&waits(slot), json!({"persons": [young.id(), old.id()]})).await.expect(201);
        let next = app.villager("丙").await;
        next.post(&waits(slot), json!({})).await.expect(201);
        let gone = json!({"host": cadre.id(), "reason": "去镇上开会"});
        desk.post(&of_day(&day, "withdraw-host"), gone).await.expect(200);
        assert_eq!((&entry(&young).await["state"], &entry(&next).await["state"]), (&json!("waiting"), &json!("held")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn a_day_knows_its_lists_by_its_key(app: TestApp) {
        let day = one_slot(&app, 1).await;
        let id = TalkDayId::deserialize(&day["id"]).unwrap();
        let count = talk_wait::Entity::find().filter(talk_wait::COLUMN.talk_day_id.eq(id)).all(app.db().read()).await;
        assert!(count.unwrap().is_empty());
        if app.db().engine() != "sqlite" {
            return;
        }
        let plans = [
            ("SELECT id FROM booking WHERE talk_day_id = ?1 AND booking.live", "booking_talk_day_id"),
            ("SELECT id FROM booking WHERE talk_day_id = ?1 AND state IN ('booked')", "ix_booking_talk_day_id_state"),
            ("SELECT number_in_line FROM booking WHERE slot_id IN (?1, ?2) AND booking.live", "booking_slot_id"),
            ("SELECT id FROM talk_wait WHERE slot_id = ?1 AND state = ?2 AND turn > ?3 ORDER BY turn LIMIT 1", "ix_talk_wait_slot_id_state_turn"),
            ("SELECT id FROM talk_wait WHERE talk_day_id IN (?1)", "ix_talk_wait_talk_day_id"),
            ("SELECT d.id FROM talk_day d WHERE d.division_id = ?1 AND EXISTS (SELECT 1 FROM booking b WHERE b.talk_day_id = d.id AND b.state = ?2)", "ix_booking_talk_day_id_state"),
        ];
        for (sql, index) in plans {
            let explain = sea_orm::Statement::from_string(app.db().read().get_database_backend(), format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = app.db().read().query_all_raw(explain).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            let whole = |step: &String| ["SCAN booking", "SCAN talk_wait", "SCAN b"].contains(&step.as_str());
            assert!(plan.iter().any(|step| step.contains(index)) && !plan.iter().any(whole), "{sql}: {plan:?}");
        }
    }
}
