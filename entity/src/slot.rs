//! A piece of a talk day with a capacity.
//!
//! `taken` counts live bookings of public places, `held` public places that are held for those who waited longest,
//! `reserve_taken` live bookings of the places kept for walk-ins and the phone. CHECKs keep each within its bounds.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{SlotId, TalkDayId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "slot")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SlotId,
    pub talk_day_id: TalkDayId,
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// All places, walk-ins and phone included.
    pub places: i32,
    /// Places that villagers book themselves.
    pub public_places: i32,
    pub taken: i32,
    /// Public places held for people of the waiting list.
    pub held: i32,
    /// Live bookings of the places that are kept for walk-ins and the phone.
    pub reserve_taken: i32,
    /// How many entries of the waiting list wait: while 0 nobody needs to look.
    pub waiting: i32,
    /// How many ever joined its waiting list: the next gets the number after, whatever the clocks of servers say.
    pub joined: i32,
    /// How many bookings were ever given up: while 0 the next number needs no look-up.
    pub released: i32,
    /// Number in line of this slot's first place.
    pub first_number: i32,
}

impl ActiveModelBehavior for ActiveModel {}
