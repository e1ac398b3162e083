//! What may be done with a case, as people send it: one tagged union for staff, one for the villager.

use chrono::NaiveDate;
use entity::{
    case::CaseResult,
    id::{CaseId, FileId, StaffId, UnitId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Evidence;
use crate::{cases::workflow::Action, settings::Term};

/// A milestone of an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseMilestone {
    /// 接件.
    ReceivedPapers,
    /// 上报.
    HandedUp,
    /// 取件.
    PapersBack,
    /// 送达: with a signature, a photo or a voice note.
    Delivered,
}

impl CaseMilestone {
    /// What is to follow, and in how many working days.
    #[must_use]
    pub fn term(self) -> Option<Term> {
        match self {
            Self::ReceivedPapers => Some(Term::HandUpDays),
            Self::PapersBack => Some(Term::DeliveryDays),
            Self::HandedUp | Self::Delivered => None,
        }
    }
}

/// An action of staff on a case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum StaffAction {
    /// 受理: sets both due dates.
    Accept { version: Option<i32> },
    /// 补正: everything that is missing, at once (行政许可法 32). A second time it is asked of the unit above.
    RequestSupplement {
        version: Option<i32>,
        /// What is missing: 1 to 20 entries of 1 to 100 characters.
        #[schema(min_items = 1, max_items = 20)]
        materials: Vec<String>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 不予受理: with a reason and the right channel.
    Reject {
        version: Option<i32>,
        /// A code of `reject_reasons`.
        reason: String,
        /// A code of `right_channels`: where the villager should go.
        channel: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 裁定异议, by the unit above: upheld, it is to be accepted anew.
    SettleObjection {
        version: Option<i32>,
        upheld: bool,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 并件: into an open case of one's scope.
    Merge {
        version: Option<i32>,
        /// The main case.
        into: CaseId,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 撤销并件: it goes its own way again, its clock as if it had never stopped.
    Unmerge {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 派单: to a person or to a unit, one of the two.
    Assign {
        version: Option<i32>,
        assignee: Option<StaffId>,
        unit: Option<UnitId>,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 签收.
    Sign { version: Option<i32> },
    /// 退回: once per unit.
    Return {
        version: Option<i32>,
        /// A code of `return_reasons`.
        reason: String,
        suggested_unit: Option<UnitId>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 转办: to another person or another unit, one of the two.
    Transfer {
        version: Option<i32>,
        assignee: Option<StaffId>,
        unit: Option<UnitId>,
        /// A code of `transfer_reasons`.
        reason: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 上报: to the level above. The due dates stay.
    Escalate {
        version: Option<i32>,
        /// A code of `escalate_reasons`.
        reason: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 申请挂起: the clock stops when another person with the duty approves.
    Pause {
        version: Option<i32>,
        /// A code of `pause_reasons`.
        reason: String,
        /// The day on which the work goes on by itself; at most half a year ahead.
        until: NaiveDate,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 恢复办理: both due dates move by the working days it was paused.
    Resume { version: Option<i32> },
    /// 申请延期: decided one level up; once.
    Extend {
        version: Option<i32>,
        /// At most the original limit, ten, and what the law leaves.
        #[schema(minimum = 1, maximum = 10)]
        working_days: i32,
        /// A code of `extend_reasons`.
        reason: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 同意 what was asked for.
    Approve {
        version: Option<i32>,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 不同意 what was asked for.
    Refuse {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 吹哨: calls another unit or person in, to answer by a day.
    CallIn {
        version: Option<i32>,
        assignee: Option<StaffId>,
        unit: Option<UnitId>,
        /// By when they are to answer; today or later, at most half a year ahead.
        answer_on: NaiveDate,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 报到: what whoever was called in says.
    Report {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 4000)]
        text: String,
    },
    /// 节点 of an errand.
    Milestone {
        version: Option<i32>,
        milestone: CaseMilestone,
        /// Codes of the item's papers that were handed in; with `received_papers` only.
        #[schema(max_items = 30)]
        materials: Option<Vec<String>>,
        /// `delivered` needs one.
        #[schema(max_items = 10)]
        evidence: Option<Vec<Evidence>>,
    },
    /// 备注: for staff, or for the villager too.
    Note {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
        /// Whether the villager may read it; left out: no.
        visible: Option<bool>,
    },
    /// 文字摘要 of a case that was spoken: shown to both sides and found by search; written again, the last one stands.
    Summarise {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 首次联系: the villager was spoken to.
    Contact {
        version: Option<i32>,
        /// A code of `contact_ways`.
        how: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 答复: `done` needs evidence.
    Answer {
        version: Option<i32>,
        result: CaseResult,
        #[schema(min_length = 1, max_length = 4000)]
        text: String,
        #[schema(max_items = 10)]
        evidence: Option<Vec<Evidence>>,
    },
    /// 督办: whoever has it is told, and it is seen.
    Supervise {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 责令重办: what was closed is done again.
    ReopenByOrder {
        version: Option<i32>,
        /// A code of `reopen_reasons`.
        reason: String,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
}

/// An action of the villager on their case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum VillagerAction {
    /// 提交 a draft: it comes under the version of its item that holds now.
    Submit {
        version: Option<i32>,
        /// Answers to the item's form, in place of those of the draft.
        #[schema(value_type = Option<Object>)]
        form: Option<Map<String, Value>>,
        /// Codes of papers that came with earlier cases and are to serve again.
        #[schema(max_items = 30)]
        reuse: Option<Vec<String>>,
    },
    /// 补正: words, answers to the form or files, at least one of them.
    Supplement {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 4000)]
        text: Option<String>,
        #[schema(value_type = Option<Object>)]
        form: Option<Map<String, Value>>,
        /// Files that the caller brought.
        #[schema(max_items = 9)]
        files: Option<Vec<FileId>>,
    },
    /// 确认办结.
    Confirm { version: Option<i32> },
    /// 没办好.
    Reopen {
        version: Option<i32>,
        /// A code of `reopen_reasons`.
        reason: String,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 撤回.
    Withdraw {
        version: Option<i32>,
        #[schema(max_length = 1000)]
        text: Option<String>,
    },
    /// 异议: against a rejection; the township decides.
    Object {
        version: Option<i32>,
        #[schema(min_length = 1, max_length = 1000)]
        text: String,
    },
    /// 催办: once a day.
    Nudge { version: Option<i32> },
    /// 恢复 what lapsed.
    Revive { version: Option<i32> },
}

macro_rules! versions {
    ($of:ty: $($variant:ident),* $(,)?) => {
        impl $of {
            /// The version that whoever acts has seen.
            #[must_use]
            pub fn version(&self) -> Option<i32> {
                match self { $(Self::$variant { version, .. })|* => *version }
            }

            /// Which action of the workflow it is.
            #[must_use]
            pub fn action(&self) -> Action {
                match self { $(Self::$variant { .. } => Action::$variant),* }
            }
        }
    };
}

versions! {
    StaffAction: Accept, RequestSupplement, Reject, SettleObjection, Merge, Unmerge, Assign, Sign, Return, Transfer,
    Escalate, Pause, Resume, Extend, Approve, Refuse, CallIn, Report, Milestone, Note, Summarise, Contact, Answer,
    Supervise, ReopenByOrder,
}
versions! { VillagerAction: Submit, Supplement, Confirm, Reopen, Withdraw, Object, Nudge, Revive }
