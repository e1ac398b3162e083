//! The actions of the workflow, by their stable names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $slug:literal),* $(,)?) => {
        /// An action of the workflow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = CaseAction)]
        pub enum Action { $($(#[$doc])* $name),* }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }
        }
    };
}

actions! {
    /// 提交.
    Submit "submit",
    /// 受理.
    Accept "accept",
    /// 一次性告知补正.
    RequestSupplement "request_supplement",
    /// 补正.
    Supplement "supplement",
    /// 不予受理.
    Reject "reject",
    /// 对不予受理提出异议.
    Object "object",
    /// 乡镇裁定异议.
    SettleObjection "settle_objection",
    /// 恢复.
    Revive "revive",
    /// 并件.
    Merge "merge",
    /// 撤销并件.
    Unmerge "unmerge",
    /// 派单.
    Assign "assign",
    /// 签收.
    Sign "sign",
    /// 退回.
    Return "return",
    /// 转办.
    Transfer "transfer",
    /// 上报.
    Escalate "escalate",
    /// 申请挂起.
    Pause "pause",
    /// 恢复办理.
    Resume "resume",
    /// 申请延期.
    Extend "extend",
    /// 同意所请.
    Approve "approve",
    /// 不同意所请.
    Refuse "refuse",
    /// 吹哨: calls another unit in, to answer by a day.
    CallIn "call_in",
    /// 报到: what the unit called in says.
    Report "report",
    /// 节点: 接件, 上报, 取件, 送达.
    Milestone "milestone",
    /// 备注.
    Note "note",
    /// 文字摘要 of what was spoken.
    Summarise "summarise",
    /// 首次联系.
    Contact "contact",
    /// 答复.
    Answer "answer",
    /// 确认办结.
    Confirm "confirm",
    /// 没办好, 重办.
    Reopen "reopen",
    /// 责令重办.
    ReopenByOrder "reopen_by_order",
    /// 催办.
    Nudge "nudge",
    /// 督办.
    Supervise "supervise",
    /// 撤回.
    Withdraw "withdraw",
    /// A clock of this state is about to run out, or has.
    Remind "remind",
    /// 视为撤回.
    Lapse "lapse",
    /// 归档.
    Archive "archive",
}

impl Action {
    /// Whether it decides about the matter: not for somebody near to the villager. Handing it back or up is not deciding.
    #[must_use]
    pub fn decides(self) -> bool {
        !matches!(self, Self::Return | Self::Escalate)
    }
}

/// What happens to a case beside the table: the state stays what it is, and nobody asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Somebody is away: to their stand-in.
    Cover,
    /// They are back.
    GiveBack,
    /// They work here no more: to the unit.
    Release,
    /// A light turned, or supervision climbed a step.
    Alarm,
    /// Another calendar was published: open due dates are reckoned again.
    Recalculate,
    /// Another case was merged into this one, or parted from it.
    Gather,
    /// It is shown to anybody, or no longer.
    Publication,
}

impl Aside {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Cover, Self::GiveBack, Self::Release, Self::Alarm, Self::Recalculate, Self::Gather, Self::Publication];

    /// Its stable name, as events have it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::GiveBack => "give_back",
            Self::Release => "release",
            Self::Alarm => "alarm",
            Self::Recalculate => "recalculate",
            Self::Gather => "gather",
            Self::Publication => "publication",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|aside| aside.slug() == slug)
    }
}
