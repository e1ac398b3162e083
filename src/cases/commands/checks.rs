//! Rules of the actions that a body can be held to by itself: lengths, codes of lists, what belongs together.

use entity::{
    case::CaseResult,
    id::{StaffId, UnitId},
};
use validator::{Validate, ValidationError, ValidationErrors};

use super::{CaseMilestone, Evidence, StaffAction, VillagerAction};
use crate::lists;

/// Collects faults of a tagged body, whose variants `validator` cannot derive.
#[derive(Default)]
struct Faults(ValidationErrors);

impl Faults {
    fn check(mut self, field: &'static str, code: &'static str, holds: bool) -> Self {
        if !holds {
            self.0.add(field, ValidationError::new(code));
        }
        self
    }

    fn text(self, text: &str, most: usize) -> Self {
        self.check("text", "length", (1..=most).contains(&text.chars().count()))
    }

    fn maybe_text(self, text: Option<&String>, most: usize) -> Self {
        match text {
            Some(text) => self.text(text, most),
            None => self,
        }
    }

    fn listed(self, field: &'static str, list: &str, code: &str) -> Self {
        self.check(field, "unknown", lists::knows(list, code))
    }

    fn one_receiver(self, assignee: Option<StaffId>, unit: Option<UnitId>) -> Self {
        self.check("assignee", "required", assignee.is_some() || unit.is_some()).check(
            "unit",
            "not_allowed_here",
            assignee.is_none() || unit.is_none(),
        )
    }

    fn evidence(self, evidence: Option<&Vec<Evidence>>, needed: bool) -> Self {
        let evidence = evidence.map(Vec::as_slice).unwrap_or_default();
        self.check("evidence", "length", evidence.len() <= 10)
            .check("evidence", "length", evidence.iter().all(|one| one.validate().is_ok()))
            .check("evidence", "evidence", evidence.iter().all(Evidence::holds))
            .check("evidence", "evidence", !needed || !evidence.is_empty())
    }

    fn done(self) -> Result<(), ValidationErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

impl Validate for StaffAction {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let faults = Faults::default();
        match self {
            Self::Accept { .. } | Self::Sign { .. } | Self::Resume { .. } => faults,
            Self::RequestSupplement { materials, text, .. } => faults
                .check("materials", "length", (1..=20).contains(&materials.len()))
                .check("materials", "length", materials.iter().all(|one| (1..=100).contains(&one.chars().count())))
                .text(text, 1000),
            Self::Reject { reason, channel, text, .. } => faults
                .listed("reason", "reject_reasons", reason)
                .listed("channel", "right_channels", channel)
                .text(text, 1000),
            Self::SettleObjection { text, .. }
            | Self::Unmerge { text, .. }
            | Self::Refuse { text, .. }
            | Self::Note { text, .. }
            | Self::Summarise { text, .. }
            | Self::Supervise { text, .. } => faults.text(text, 1000),
            Self::Merge { text, .. } | Self::Approve { text, .. } => faults.maybe_text(text.as_ref(), 1000),
            Self::Assign { assignee, unit, text, .. } => {
                faults.one_receiver(*assignee, *unit).maybe_text(text.as_ref(), 1000)
            }
            Self::Return { reason, text, .. } => faults.listed("reason", "return_reasons", reason).text(text, 1000),
            Self::Transfer { assignee, unit, reason, text, .. } => {
                faults.one_receiver(*assignee, *unit).listed("reason", "transfer_reasons", reason).text(text, 1000)
            }
            Self::Escalate { reason, text, .. } => faults.listed("reason", "escalate_reasons", reason).text(text, 1000),
            Self::Pause { reason, text, .. } => faults.listed("reason", "pause_reasons", reason).text(text, 1000),
            Self::Extend { working_days, reason, text, .. } => faults
                .check("working_days", "range", (1..=10).contains(working_days))
                .listed("reason", "extend_reasons", reason)
                .text(text, 1000),
            Self::CallIn { assignee, unit, text, .. } => faults.one_receiver(*assignee, *unit).text(text, 1000),
            Self::Report { text, .. } => faults.text(text, 4000),
            Self::Milestone { milestone, materials, evidence, .. } => faults
                .check("materials", "length", materials.as_ref().is_none_or(|codes| codes.len() <= 30))
                .check(
                    "materials",
                    "not_allowed_here",
                    materials.is_none() || *milestone == CaseMilestone::ReceivedPapers,
                )
                .evidence(evidence.as_ref(), *milestone == CaseMilestone::Delivered),
            Self::Contact { how, text, .. } => faults.listed("how", "contact_ways", how).text(text, 1000),
            Self::Answer { result, text, evidence, .. } => {
                faults.text(text, 4000).evidence(evidence.as_ref(), *result == CaseResult::Done)
            }
            Self::ReopenByOrder { reason, text, .. } => {
                faults.listed("reason", "reopen_reasons", reason).text(text, 1000)
            }
        }
        .done()
    }
}

impl Validate for VillagerAction {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let faults = Faults::default();
        match self {
            Self::Confirm { .. } | Self::Nudge { .. } | Self::Revive { .. } => faults,
            Self::Submit { reuse, .. } => {
                faults.check("reuse", "length", reuse.as_ref().is_none_or(|codes| codes.len() <= 30))
            }
            Self::Supplement { text, form, files, .. } => {
                let files = files.as_ref().map_or(0, Vec::len);
                faults
                    .check("text", "required", text.is_some() || form.is_some() || files > 0)
                    .maybe_text(text.as_ref(), 4000)
                    .check("files", "length", files <= 9)
            }
            Self::Reopen { reason, text, .. } => {
                faults.listed("reason", "reopen_reasons", reason).maybe_text(text.as_ref(), 1000)
            }
            Self::Withdraw { text, .. } => faults.maybe_text(text.as_ref(), 1000),
            Self::Object { text, .. } => faults.text(text, 1000),
        }
        .done()
    }
}
