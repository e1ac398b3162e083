//! What is told: an event of a case as a `CloudEvents` message, without anybody's name and without anybody's words.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    case::{self, CaseConcern, CaseKind, CaseState},
    case_event,
    id::DivisionId,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Actions of the workflow that are told, and by which word of the list `webhook_events`. What is internal (notes, nudges,
/// reminders, cover) is not.
pub const EVENTS: &[(&str, &str)] = &[
    ("submit", "submitted"),
    ("accept", "accepted"),
    ("request_supplement", "supplement_requested"),
    ("supplement", "supplemented"),
    ("reject", "rejected"),
    ("object", "objected"),
    ("settle_objection", "objection_settled"),
    ("revive", "revived"),
    ("merge", "merged"),
    ("unmerge", "unmerged"),
    ("assign", "assigned"),
    ("sign", "signed"),
    ("return", "returned"),
    ("transfer", "transferred"),
    ("escalate", "escalated"),
    ("pause", "pause_requested"),
    ("resume", "resumed"),
    ("extend", "extension_requested"),
    ("approve", "request_approved"),
    ("refuse", "request_refused"),
    ("milestone", "milestone_reached"),
    ("contact", "contacted"),
    ("answer", "answered"),
    ("confirm", "completed"),
    ("reopen", "reopened"),
    ("reopen_by_order", "reopened_by_order"),
    ("supervise", "supervised"),
    ("recalculate", "rescheduled"),
    ("withdraw", "withdrawn"),
    ("lapse", "lapsed"),
    ("archive", "archived"),
];

/// The word of a test.
pub const TEST: &str = "test";

/// The word by which an action is told.
#[must_use]
pub fn word_of(action: &str) -> Option<&'static str> {
    EVENTS.iter().find(|(known, _)| *known == action).map(|(_, word)| *word)
}

/// The action that a word tells of.
#[must_use]
pub fn action_of(word: &str) -> Option<&'static str> {
    EVENTS.iter().find(|(_, known)| *known == word).map(|(action, _)| *action)
}

/// A message (`CloudEvents` 1.0, structured JSON, `application/cloudevents+json`).
#[derive(Serialize, ToSchema)]
pub struct CaseCloudEvent {
    /// `1.0`.
    specversion: &'static str,
    /// Of the event; the same each time it is told. The header `webhook-id` says the same.
    id: Uuid,
    /// `/api/v1/divisions/{id}` of the village.
    source: String,
    /// `cn.shuoshi.case.` and a code of the list `webhook_events`; of a test `cn.shuoshi.webhook.test`.
    #[serde(rename = "type")]
    #[schema(example = "cn.shuoshi.case.accepted")]
    kind: String,
    /// The number of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// When it happened.
    time: DateTime<Utc>,
    /// `application/json`.
    datacontenttype: &'static str,
    /// Orders the events of one case: its version then, ten digits. They may arrive in another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    data: CaseEventData,
}

/// What is told of a case; empty in a test.
#[derive(Default, Serialize, ToSchema)]
pub struct CaseEventData {
    #[serde(flatten)]
    #[schema(inline)]
    case: Option<ToldCase>,
    /// Only where the receiver is entitled to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ToldContact>,
}

/// The case and what happened to it.
#[derive(Serialize, ToSchema)]
pub struct ToldCase {
    number: String,
    kind: CaseKind,
    /// A code of the list `topics`.
    topic: Option<String>,
    concern: Option<CaseConcern>,
    /// Code of the service item.
    item: Option<String>,
    /// The action of the workflow.
    action: String,
    from: Option<CaseState>,
    state: CaseState,
    /// It happened because somebody stayed silent.
    auto: bool,
    promised_due_on: Option<NaiveDate>,
    statutory_due_on: Option<NaiveDate>,
    /// The name of the unit that has the work.
    unit: Option<String>,
    /// The village.
    division: DivisionId,
    /// Its statistical code.
    division_code: Option<String>,
}

/// Personal data, in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ToldContact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
}

/// What a message needs beside the rows of the case and the event.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) item: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) division_code: Option<String>,
    pub(super) contact: Option<ToldContact>,
}

impl CaseCloudEvent {
    pub(super) fn of(case: &case::Model, event: &case_event::Model, word: &str, beside: Beside) -> Self {
        Self {
            specversion: "1.0",
            id: event.id.0,
            source: format!("/api/v1/divisions/{}", case.village_id),
            kind: format!("cn.shuoshi.case.{word}"),
            subject: Some(case.number.clone()),
            time: event.at,
            datacontenttype: "application/json",
            sequence: Some(format!("{:010}", event.seq)),
            data: CaseEventData {
                case: Some(ToldCase {
                    number: case.number.clone(),
                    kind: case.kind,
                    topic: case.topic.clone(),
                    concern: case.concern,
                    item: beside.item,
                    action: event.action.clone(),
                    from: event.from_state,
                    state: event.to_state,
                    auto: event.auto,
                    promised_due_on: event.promised_due_on,
                    statutory_due_on: event.statutory_due_on,
                    unit: beside.unit,
                    division: case.village_id,
                    division_code: beside.division_code,
                }),
                contact: beside.contact,
            },
        }
    }

    pub(super) fn test(id: Uuid, division: DivisionId, time: DateTime<Utc>) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: format!("/api/v1/divisions/{division}"),
            kind: format!("cn.shuoshi.webhook.{TEST}"),
            subject: None,
            time,
            datacontenttype: "application/json",
            sequence: None,
            data: CaseEventData::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::lists;

    #[test]
    fn every_word_stands_once_and_in_the_list() {
        let words: Vec<&str> = EVENTS.iter().map(|(_, word)| *word).collect();
        let listed: Vec<&str> =
            lists::entries("webhook_events").unwrap().iter().map(|entry| entry.code.as_str()).collect();
        assert_eq!(words, listed);
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        assert_eq!((word_of("confirm"), action_of("completed")), (Some("completed"), Some("confirm")));
        assert_eq!((word_of("note"), action_of(TEST)), (None, None));
    }
}
