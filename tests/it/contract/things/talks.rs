//! Bookings and talk days as far as a call needs them.

use serde_json::{Value, json};

use super::Village;
use crate::{
    support::Actor,
    talks::{booked, hearing, of_booking, one_slot, put_in_state, this_afternoon},
};

impl Village {
    /// A booking: of tomorrow, or of this afternoon and as far in the line as the state says.
    pub(super) async fn in_line(&self, state: &str, villager: &Actor) -> Value {
        if !["booked", "checked_in", "called"].contains(&state) {
            return self.booking_that(state, villager).await;
        }
        let booking = booked(villager, &this_afternoon(&self.app, 1, json!({})).await["slots"][0]).await;
        for (step, reached) in [("check-in", "checked_in"), ("call", "called")] {
            if state == reached || state == "called" {
                self.desk.post(&of_booking(&booking, step), json!({})).await.expect(200);
            }
        }
        booking
    }

    /// A booking of tomorrow, lost or left behind as the state says.
    pub(super) async fn booking_that(&self, state: &str, villager: &Actor) -> Value {
        let booking = booked(villager, &one_slot(&self.app, 1).await["slots"][0]).await;
        match state {
            "lost" => {
                let day = booking["talk_day"].as_str().unwrap();
                self.desk.post(&format!("/staff/talk-days/{day}/cancel"), json!({"reason": "下雨"})).await.expect(200);
            }
            "missed" => put_in_state(&self.app, &booking, "missed").await,
            "to_confirm" => put_in_state(&self.app, &booking, "to_confirm").await,
            "objected" => {
                put_in_state(&self.app, &booking, "missed").await;
                let path = format!("/bookings/{}/object", booking["id"].as_str().unwrap());
                villager.post(&path, json!({"text": "我到了"})).await.expect(200);
            }
            _ => {}
        }
        booking
    }

    /// A booking in the state that the call needs.
    pub(super) async fn matter(&self, state: &str, villager: &Actor) -> Value {
        let booking = self.in_line(state, villager).await;
        if ["concluded", "compiled", "signed", "over"].contains(&state) {
            hearing::concluded(&self.app, &self.desk, &booking, hearing::answered()).await;
        }
        booking
    }

    /// A day on which the villager has a place or was heard, with its minutes as far as the call needs them.
    pub(super) async fn talk_day(&self, state: &str, villager: &Actor) -> Value {
        let day = self.matter(state, villager).await["talk_day"].clone();
        let minutes = format!("/staff/talk-days/{}/minutes", day.as_str().unwrap());
        if state == "over" {
            hearing::over(&self.app, day.as_str().unwrap()).await;
        }
        if ["compiled", "signed"].contains(&state) {
            // Whoever compiles is not the witness.
            let digest = self.cadre.post(&minutes, json!({})).await.expect(200)["digest"].clone();
            let signers = [("样例甲", "13800000021"), ("样例乙", "13800000022")];
            for (name, phone) in signers.into_iter().take(if state == "signed" { 2 } else { 0 }) {
                hearing::lives_here(&self.app, name, phone).await;
                let body = json!({"name": name, "phone": phone, "mark": "seal", "digest": digest});
                self.desk.post(&format!("{minutes}/signatures"), body).await.expect(201);
            }
        }
        day
    }
}
