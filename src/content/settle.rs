//! What becomes of something when it was judged, or could not be.

use entity::{
    Instant,
    content_check::{self, ContentReason, ContentState, ContentSubject},
    id::{CaseId, PublicationId},
};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::{
    db::Tx,
    notices::{self, About, Telling},
    problem::Problem,
    publications,
    wechat::{Suggest, TextVerdict},
};

/// What WeChat found.
#[derive(Clone, Debug)]
pub struct Judged {
    suggest: Suggest,
    label: i64,
    detail: Vec<Value>,
    trace_id: Option<String>,
}

impl Judged {
    /// Of a text.
    #[must_use]
    pub(super) fn of(verdict: TextVerdict) -> Self {
        let TextVerdict { suggest, label, detail, trace_id } = verdict;
        Self { suggest, label, detail, trace_id: Some(trace_id).filter(|trace| !trace.is_empty()) }
    }

    /// Of a file; the trace is that of the question.
    #[must_use]
    pub fn of_media(suggest: &str, label: i64) -> Self {
        Self { suggest: Suggest::of(suggest), label, detail: vec![], trace_id: None }
    }

    /// Of nothing at all.
    #[must_use]
    pub(super) fn nothing() -> Self {
        Self { suggest: Suggest::Pass, label: 100, detail: vec![], trace_id: None }
    }
}

/// How a question ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Judged(Judged),
    /// And why not.
    Unjudged(ContentReason),
}

/// Brings the row, which is locked, where it belongs: shown, before a person, or held. What cannot be judged is never shown
/// by itself, whoever wrote it.
pub(super) async fn settle(
    tx: &Tx,
    mut row: content_check::Model,
    outcome: Outcome,
    now: Instant,
) -> Result<(), Problem> {
    match outcome {
        Outcome::Judged(judged) => {
            (row.state, row.reason) = match judged.suggest {
                // The desk has read the first words, and WeChat knows nobody's name: a person reads these, too.
                Suggest::Pass if row.rewordings > 0 => (ContentState::ToReview, Some(ContentReason::Reworded)),
                Suggest::Pass => (ContentState::Passed, None),
                Suggest::Review => (ContentState::ToReview, Some(ContentReason::Review)),
                Suggest::Risky => (ContentState::Held, None),
            };
            row.suggest = Some(judged.suggest.word().to_owned());
            row.label = i32::try_from(judged.label).ok();
            row.detail = (!judged.detail.is_empty()).then(|| json!(judged.detail));
            row.trace_id = judged.trace_id.or(row.trace_id);
            row.decided_at = Some(now);
        }
        Outcome::Unjudged(reason) => (row.state, row.reason) = (ContentState::ToReview, Some(reason)),
    }
    let outcome = match row.state {
        ContentState::Passed => "passed",
        ContentState::Held => "held",
        _ => "to_review",
    };
    metrics::counter!("shuoshi_content_checks_total", "outcome" => outcome).increment(1);
    write(tx, row, now).await.map(drop)
}

/// Writes where it stands now, with what follows from it.
pub(super) async fn write(
    tx: &Tx,
    mut row: content_check::Model,
    now: Instant,
) -> Result<content_check::Model, Problem> {
    row.version += 1;
    row.since_at = now;
    let row = row.into_active_model().reset_all().update(tx).await?;
    if row.subject == ContentSubject::Publication {
        publications::show_if_passed(tx, PublicationId(row.subject_id), now).await?;
    }
    if row.state == ContentState::Held {
        notices::tell(tx, tellings(&row), now).await?;
        if row.subject == ContentSubject::Case && row.file_id.is_none() {
            // A page that quotes them goes, too.
            publications::words_held(tx, CaseId(row.subject_id), now).await?;
        }
    }
    Ok(row)
}

/// Whoever wrote it is told politely; what the staff wrote is theirs to mend.
fn tellings(row: &content_check::Model) -> Vec<Telling> {
    let Some(person) = row.person_id.filter(|_| row.written_by.is_none()) else { return vec![] };
    let about = match row.subject {
        ContentSubject::Case => About::Case(CaseId(row.subject_id)),
        _ => About::Oneself,
    };
    vec![Telling { person, kind: "content_held", about, params: json!({}) }]
}
