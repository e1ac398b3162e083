//! Reading and changing oneself.

use entity::{
    person,
    preferences::{Channels, Preferences},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};

use crate::{
    auth::Villager,
    crypto::FieldKeys,
    db::Tx,
    people::api::me::{UpdateMe, UpdatePreferences},
    personal::{PersonName, PhoneNumber},
    problem::{Code, Problem},
};

/// The row of somebody signed in.
pub async fn find(db: &impl ConnectionTrait, me: &Villager) -> Result<person::Model, Problem> {
    person::Entity::find_by_id(me.person())
        .filter(person::COLUMN.closed_at.is_null())
        .one(db)
        .await?
        .ok_or(Code::SessionEnded.into())
}

/// Changes what is named, and answers how it stands then.
pub async fn update(tx: &Tx, keys: &FieldKeys, me: &Villager, change: &UpdateMe) -> Result<person::Model, Problem> {
    let row = find(tx, me).await?;
    let preferences = change.preferences.as_ref().map(|change| merged(&row.preferences, change));
    let verified = row.verified;
    let mut row = row.into_active_model();
    if let Some(name) = &change.name {
        // What the card has confirmed is corrected at the desk.
        if verified {
            return Err(Code::AlreadyVerified.into());
        }
        let name = PersonName::read(name).ok_or_else(|| Problem::field("/name", "format"))?;
        row.name = Set(Some(keys.close(&name)?));
        row.name_hash = Set(Some(keys.hash_of(&name)?));
    }
    if let Some(contact) = &change.family_contact {
        let name = PersonName::read(&contact.name).ok_or_else(|| Problem::field("/family_contact/name", "format"))?;
        let phone =
            PhoneNumber::read(&contact.phone).ok_or_else(|| Problem::field("/family_contact/phone", "format"))?;
        row.family_name = Set(Some(keys.close(&name)?));
        row.family_phone = Set(Some(keys.close(&phone)?));
    }
    if let Some(preferences) = preferences {
        row.preferences = Set(preferences);
    }
    if !row.is_changed() {
        return find(tx, me).await;
    }
    Ok(row.update(tx).await?)
}

fn merged(stored: &Value, change: &UpdatePreferences) -> Value {
    let old = Preferences::of(stored);
    json!(Preferences {
        language: change.language.unwrap_or(old.language),
        large_text: change.large_text.unwrap_or(old.large_text),
        voice_first: change.voice_first.unwrap_or(old.voice_first),
        channels: change.channels.as_ref().map_or(old.channels, |change| Channels {
            wechat: change.wechat.unwrap_or(old.channels.wechat),
            sms: change.sms.unwrap_or(old.channels.sms),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let change = |text| serde_json::from_value::<UpdatePreferences>(text).unwrap();
        let both = json!({"wechat": true, "sms": true});
        let first = merged(&json!({}), &change(json!({"large_text": true})));
        assert_eq!(first, json!({"language": "zh-CN", "large_text": true, "voice_first": false, "channels": both}));
        let second = merged(&first, &change(json!({"language": "en"})));
        assert_eq!(second, json!({"language": "en", "large_text": true, "voice_first": false, "channels": both}));
        let third = merged(&second, &change(json!({"channels": {"sms": false}})));
        assert_eq!(third["channels"], json!({"wechat": true, "sms": false}));
        assert_eq!(merged(&json!("spoilt"), &change(json!({})))["voice_first"], false);
    }
}
