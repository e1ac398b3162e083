//! The workflow of a case as data: which action leads from where to where, and who may take it.
//!
//! The table feeds the checks, the `actions` of every view, the contract tests and the diagram in the guide; nothing
//! else knows what follows what. [`super::advance`] is the only reader that writes. Next: [`actions`] for the names,
//! [`super::guards`] for what a row asks beside its state.

mod actions;

use entity::case::CaseState::{
    self, Accepted, Answered, Archived, Assigned, Completed, Draft, InProgress, Lapsed, Merged, Paused, Rejected,
    Submitted, Supplement, Withdrawn,
};

pub use actions::{Action, Aside};

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
    /// Who was called in beside them.
    CoHandler,
    /// Who decides what was asked for: never who asked.
    Approver,
    /// Staff with the duty to supervise, in a place above the village.
    Supervisor,
    /// Time itself, when somebody stayed silent.
    Clock,
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To this state.
    State(CaseState),
    /// Nowhere: the state stays what it is.
    Same,
    /// Where what was asked for leads: `pause` to paused, a second `request_supplement` to supplement, `extend` nowhere.
    Asked,
    /// The first time to in progress, the second to accepted, at the township.
    Again,
    /// Accepted; submitted where it was merged before anybody accepted it.
    Before,
}

impl To {
    /// Every state the step can lead to from `from`.
    #[must_use]
    pub fn states(self, from: CaseState) -> Vec<CaseState> {
        match self {
            Self::State(state) => vec![state],
            Self::Same => vec![from],
            Self::Asked => vec![from, Paused, Supplement],
            Self::Again => vec![InProgress, Accepted],
            Self::Before => vec![Accepted, Submitted],
        }
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
    /// Where it leads.
    pub to: To,
    /// The notice the person gets (`locales/notices.yml`).
    pub tells: Option<&'static str>,
}

use Party::{Approver, Assignee, Clock, CoHandler, Desk, Dispatcher, Supervisor, Villager};

/// After submit and before the end.
const OPEN: &[CaseState] = &[Submitted, Supplement, Accepted, Assigned, InProgress, Paused, Answered];

const fn step(
    action: Action,
    by: &'static [Party],
    from: &'static [CaseState],
    to: To,
    tells: Option<&'static str>,
) -> Step {
    Step { action, by, from, to, tells }
}

/// The table (see the rules of cases). Anything else is `transition_not_allowed`.
pub const STEPS: &[Step] = &[
    step(Action::Submit, &[Villager], &[Draft], To::State(Submitted), Some("case_submitted")),
    step(Action::Accept, &[Desk, Clock], &[Submitted], To::State(Accepted), Some("case_accepted")),
    // A second time it is asked for, and nothing changes until it is approved.
    step(Action::RequestSupplement, &[Desk], &[Submitted], To::State(Supplement), Some("case_supplement")),
    step(Action::Supplement, &[Villager], &[Supplement], To::State(Submitted), Some("case_submitted")),
    step(Action::Reject, &[Desk], &[Submitted], To::State(Rejected), Some("case_rejected")),
    step(Action::Object, &[Villager], &[Rejected], To::Same, Some("case_objected")),
    // Upheld; else it stays what it is.
    step(Action::SettleObjection, &[Approver], &[Rejected], To::State(Submitted), Some("case_objection_settled")),
    step(Action::Revive, &[Villager], &[Lapsed], To::State(Submitted), Some("case_submitted")),
    step(
        Action::Merge,
        &[Desk, Dispatcher],
        &[Submitted, Accepted, Assigned, InProgress],
        To::State(Merged),
        Some("case_merged"),
    ),
    step(Action::Unmerge, &[Desk, Dispatcher, Clock], &[Merged], To::Before, Some("case_unmerged")),
    step(Action::Assign, &[Dispatcher], &[Accepted], To::State(Assigned), Some("case_assigned")),
    step(Action::Sign, &[Assignee, Clock], &[Assigned], To::State(InProgress), Some("case_in_progress")),
    step(Action::Return, &[Assignee], &[Assigned], To::State(Accepted), None),
    step(Action::Transfer, &[Assignee, Dispatcher], &[InProgress], To::State(Assigned), Some("case_transferred")),
    step(
        Action::Escalate,
        &[Assignee, Dispatcher],
        &[Accepted, Assigned, InProgress],
        To::State(Assigned),
        Some("case_escalated"),
    ),
    step(Action::Pause, &[Assignee], &[InProgress], To::Same, None),
    step(Action::Resume, &[Assignee, Clock], &[Paused], To::State(InProgress), Some("case_resumed")),
    step(Action::Extend, &[Assignee], &[InProgress], To::Same, None),
    step(Action::Approve, &[Approver], &[Submitted, InProgress], To::Asked, None),
    step(Action::Refuse, &[Approver], &[Submitted, InProgress], To::Same, None),
    step(Action::CallIn, &[Assignee, Dispatcher], &[InProgress], To::Same, None),
    step(Action::Report, &[CoHandler], &[InProgress, Paused], To::Same, None),
    step(Action::Milestone, &[Assignee, CoHandler], &[InProgress], To::Same, Some("case_milestone")),
    step(
        Action::Note,
        &[Desk, Dispatcher, Assignee, CoHandler, Supervisor],
        &[
            Submitted, Supplement, Rejected, Accepted, Assigned, InProgress, Paused, Answered, Completed, Withdrawn,
            Lapsed, Merged,
        ],
        To::Same,
        None,
    ),
    step(Action::Summarise, &[Desk, Dispatcher, Assignee], OPEN, To::Same, None),
    step(Action::Contact, &[Desk, Assignee], &[Assigned, InProgress, Paused], To::Same, None),
    step(Action::Answer, &[Assignee], &[InProgress], To::State(Answered), Some("case_answered")),
    step(Action::Confirm, &[Villager, Clock], &[Answered], To::State(Completed), Some("case_completed")),
    step(Action::Reopen, &[Villager], &[Answered], To::Again, Some("case_reopened")),
    step(Action::ReopenByOrder, &[Supervisor], &[Completed], To::State(InProgress), Some("case_reopened")),
    step(Action::Nudge, &[Villager], OPEN, To::Same, None),
    step(Action::Supervise, &[Supervisor], OPEN, To::Same, None),
    step(
        Action::Withdraw,
        &[Villager],
        &[Submitted, Supplement, Accepted, Assigned, InProgress, Paused],
        To::State(Withdrawn),
        Some("case_withdrawn"),
    ),
    step(Action::Remind, &[Clock], &[Supplement, Rejected, Accepted, InProgress], To::Same, None),
    step(Action::Lapse, &[Clock], &[Supplement], To::State(Lapsed), Some("case_lapsed")),
    step(Action::Archive, &[Clock], &[Completed], To::State(Archived), None),
];

/// Whether an event of this action is the staff's own business: who has it, lights, what they ask of one another.
#[must_use]
pub fn is_inner(action: &str) -> bool {
    const INNER: &[Action] = &[
        Action::Return,
        Action::Refuse,
        Action::CallIn,
        Action::Report,
        Action::Note,
        Action::Contact,
        Action::Supervise,
        Action::Remind,
    ];
    Aside::of(action).is_some() || INNER.iter().any(|inner| inner.slug() == action)
}

/// The step that `action` is in this state, if there is one.
#[must_use]
pub fn find(action: Action, from: CaseState) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.action == action && step.from.contains(&from))
}

/// States in which the clock towards the due day runs.
pub const RUNNING: [CaseState; 3] = [Accepted, Assigned, InProgress];

/// Whether it runs in this one.
#[must_use]
pub fn clock_runs(state: CaseState) -> bool {
    RUNNING.contains(&state)
}

/// Whether the work is over in this state: it leaves every list of open work.
#[must_use]
pub fn is_closed(state: CaseState) -> bool {
    matches!(state, Rejected | Withdrawn | Completed | Archived | Lapsed | Merged)
}

/// Whether what was asked for is not to be had from it: who was merged into it goes on alone.
#[must_use]
pub fn is_let_down(state: CaseState) -> bool {
    matches!(state, Rejected | Withdrawn | Lapsed)
}

/// Whether nothing leads out of it by itself.
#[must_use]
pub fn is_final(state: CaseState) -> bool {
    matches!(state, Withdrawn | Archived)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sea_orm::Iterable;

    use super::*;

    /// Whether a step leads out of a state.
    fn leaves(step: &Step, state: CaseState) -> bool {
        step.from.contains(&state) && step.to.states(state).iter().any(|to| *to != state)
    }

    #[test]
    fn every_state_is_reached_and_every_state_that_is_not_final_has_an_exit() {
        let targets = STEPS.iter().flat_map(|step| step.from.iter().flat_map(|from| step.to.states(*from)));
        let reached: HashSet<CaseState> = targets.chain([Draft]).collect();
        for state in CaseState::iter() {
            assert!(reached.contains(&state), "{state:?} is never reached");
            let exits = STEPS.iter().filter(|step| leaves(step, state)).count();
            assert_eq!(exits == 0, is_final(state), "{state:?} has {exits} exits");
        }
    }

    #[test]
    fn no_action_means_two_things_in_one_state() {
        for state in CaseState::iter() {
            for action in Action::ALL {
                let steps = STEPS.iter().filter(|step| step.action == *action && step.from.contains(&state)).count();
                assert!(steps <= 1, "{action:?} in {state:?}");
            }
        }
    }

    #[test]
    fn slugs_are_what_serde_writes_and_every_action_is_used() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.slug());
            assert!(STEPS.iter().any(|step| step.action == *action), "{action:?} is in no step");
        }
        for aside in Aside::ALL {
            assert!(Action::ALL.iter().all(|action| action.slug() != aside.slug()), "{aside:?} is an action too");
        }
    }
}
