//! The workflow of a case as data: which action leads from where to where, and who may take it.
//!
//! The table feeds the checks, the `actions` of every view, the contract tests and the diagram in the guide; nothing
//! else knows what follows what. [`super::advance`] is the only reader that writes.

use entity::case::CaseState::{
    self, Accepted, Answered, Archived, Assigned, Completed, Draft, InProgress, Rejected, Submitted, Withdrawn,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The person whose case it is.
    Villager,
    /// Staff with the duty to accept, in whose scope it lies.
    Desk,
    /// Staff with the duty to assign, in whose scope it lies.
    Dispatcher,
    /// Who it is assigned to: the person named, or anyone handling cases in the unit.
    Assignee,
    /// Time itself, when somebody stayed silent.
    Clock,
}

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
    /// 不予受理.
    Reject "reject",
    /// 派单.
    Assign "assign",
    /// 签收.
    Sign "sign",
    /// 退回.
    Return "return",
    /// 答复.
    Answer "answer",
    /// 确认办结.
    Confirm "confirm",
    /// 没办好, 重办.
    Reopen "reopen",
    /// 撤回.
    Withdraw "withdraw",
    /// 归档.
    Archive "archive",
}

impl Action {
    /// Whether it decides about the matter: not for somebody near to the villager. Handing it back is not deciding.
    #[must_use]
    pub fn decides(self) -> bool {
        matches!(self, Self::Accept | Self::Reject | Self::Assign | Self::Sign | Self::Answer)
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// By whom; any of these.
    pub by: &'static [Party],
    /// In which states.
    pub from: &'static [CaseState],
    /// What it becomes.
    pub to: CaseState,
    /// The notice the person gets (`locales/notices.yml`).
    pub tells: Option<&'static str>,
}

use Party::{Assignee, Clock, Desk, Dispatcher, Villager};

/// The table (see the rules of cases). Anything else is `transition_not_allowed`.
pub const STEPS: &[Step] = &[
    Step { action: Action::Submit, by: &[Villager], from: &[Draft], to: Submitted, tells: Some("case_submitted") },
    Step { action: Action::Accept, by: &[Desk, Clock], from: &[Submitted], to: Accepted, tells: Some("case_accepted") },
    Step { action: Action::Reject, by: &[Desk], from: &[Submitted], to: Rejected, tells: Some("case_rejected") },
    Step { action: Action::Assign, by: &[Dispatcher], from: &[Accepted], to: Assigned, tells: Some("case_assigned") },
    Step {
        action: Action::Sign,
        by: &[Assignee, Clock],
        from: &[Assigned],
        to: InProgress,
        tells: Some("case_in_progress"),
    },
    Step { action: Action::Return, by: &[Assignee], from: &[Assigned], to: Accepted, tells: None },
    Step { action: Action::Answer, by: &[Assignee], from: &[InProgress], to: Answered, tells: Some("case_answered") },
    Step {
        action: Action::Confirm,
        by: &[Villager, Clock],
        from: &[Answered],
        to: Completed,
        tells: Some("case_completed"),
    },
    Step { action: Action::Reopen, by: &[Villager], from: &[Answered], to: InProgress, tells: Some("case_reopened") },
    Step {
        action: Action::Withdraw,
        by: &[Villager],
        from: &[Submitted, Accepted, Assigned, InProgress],
        to: Withdrawn,
        tells: Some("case_withdrawn"),
    },
    Step { action: Action::Archive, by: &[Clock], from: &[Completed], to: Archived, tells: None },
];

/// Work that changes hands beside the table: the state stays what it is, and so do the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// Somebody is away: to their stand-in.
    Cover,
    /// They are back.
    GiveBack,
    /// They work here no more: to the unit.
    Release,
}

impl Handover {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cover, Self::GiveBack, Self::Release];

    /// Its stable name, as events have it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::GiveBack => "give_back",
            Self::Release => "release",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|handover| handover.slug() == slug)
    }
}

/// The step that `action` is in this state, if there is one.
#[must_use]
pub fn step(action: Action, from: CaseState) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.action == action && step.from.contains(&from))
}

/// What the clock does in this state when nobody else does anything.
#[must_use]
pub fn by_silence(from: CaseState) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.by.contains(&Clock) && step.from.contains(&from))
}

/// Whether the work is over in this state: it leaves every list of open work.
#[must_use]
pub fn is_closed(state: CaseState) -> bool {
    matches!(state, Rejected | Withdrawn | Completed | Archived)
}

/// Whether nothing can follow.
#[must_use]
pub fn is_final(state: CaseState) -> bool {
    matches!(state, Rejected | Withdrawn | Archived)
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_state_is_reached_and_every_state_that_is_not_final_has_an_exit() {
        let reached: HashSet<CaseState> = STEPS.iter().map(|step| step.to).chain([Draft]).collect();
        for state in CaseState::iter() {
            assert!(reached.contains(&state), "{state:?} is never reached");
            let exits = STEPS.iter().filter(|step| step.from.contains(&state)).count();
            assert_eq!(exits == 0, is_final(state), "{state:?} has {exits} exits");
        }
    }

    #[test]
    fn no_action_means_two_things_in_one_state_and_silence_means_at_most_one() {
        for state in CaseState::iter() {
            for action in Action::ALL {
                let steps = STEPS.iter().filter(|step| step.action == *action && step.from.contains(&state)).count();
                assert!(steps <= 1, "{action:?} in {state:?}");
            }
            let silent = STEPS.iter().filter(|step| step.by.contains(&Clock) && step.from.contains(&state)).count();
            assert!(silent <= 1, "the clock has two steps in {state:?}");
        }
    }

    #[test]
    fn slugs_are_what_serde_writes_and_every_action_is_used() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.slug());
            assert!(STEPS.iter().any(|step| step.action == *action), "{action:?} is in no step");
        }
    }
}
