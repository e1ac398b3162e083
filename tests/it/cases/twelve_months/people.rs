//! Who acts: everybody signs in now and then, and has a fresh access token whenever they are asked for.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::id::SessionId;
use serde_json::Value;

use crate::support::{Actor, TestApp};

/// Sessions last ninety days without use.
const SIGN_IN_AGAIN: TimeDelta = TimeDelta::days(60);

#[derive(Default)]
pub(super) struct People {
    known: BTreeMap<String, (DateTime<Utc>, Actor, SessionId)>,
}

impl People {
    /// A member of the demonstration staff, or a villager whose name begins with 样例.
    pub(super) async fn get(&mut self, app: &TestApp, name: &str) -> Actor {
        let now = app.now();
        let (_, actor, session) = match self.known.get(name) {
            Some(known) if now - known.0 < SIGN_IN_AGAIN => known.clone(),
            _ => {
                let actor = if name.starts_with("样例") { app.villager(name).await } else { app.staff(name).await };
                let known = (now, actor.clone(), session(&actor));
                self.known.insert(name.to_owned(), known.clone());
                known
            }
        };
        actor.with_token(&app.app().keyring.sign(session, now).unwrap())
    }
}

fn session(actor: &Actor) -> SessionId {
    let token = actor.session["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_value(serde_json::from_slice::<Value>(&claims).unwrap()["sid"].clone()).unwrap()
}
