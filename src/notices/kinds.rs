//! What is worth telling beside the inbox: one row for each kind of notice.
//!
//! The rows say how much a kind matters, by which template it goes, which word stands for the state, and whether the law
//! or the rules of cases want that people hear of it. Next: [`super::channels`] for the way it goes.

use entity::notice_delivery::NoticeUrgency::{self, Normal, Quiet, Urgent};

/// What templates are for; see `config::PURPOSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A case moves.
    Progress,
    /// A talk day.
    Talk,
    /// Anything else.
    General,
}

impl Purpose {
    /// As the configuration names it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Talk => "talk_day",
            Self::General => "general",
        }
    }
}

/// One kind of notice.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// A key of the locale files, after `notice.`.
    pub name: &'static str,
    /// How much it matters.
    pub urgency: NoticeUrgency,
    /// By which template it goes.
    pub purpose: Purpose,
    /// People have to hear of it whatever they prefer: a time runs, or a decision was made (行政许可法 32, 38, 44).
    pub must: bool,
    /// A word of at most five Han for the state.
    pub state: &'static str,
    /// What it is about is for the person alone: outside the app nobody says more than that there is something.
    pub discreet: bool,
    /// Of agents and authorisations: never to a phone that was given for a case, which may be the agent's own.
    pub own_phone_only: bool,
}

const fn kind(name: &'static str, urgency: NoticeUrgency, purpose: Purpose, must: bool, state: &'static str) -> Kind {
    Kind { name, urgency, purpose, must, state, discreet: false, own_phone_only: false }
}

impl Kind {
    const fn discreetly(self) -> Self {
        Self { discreet: true, ..self }
    }

    const fn to_own_phone_only(self) -> Self {
        Self { own_phone_only: true, ..self }
    }

    /// Whether it may be said to the phone that was given for its case. Of a case that an agent filed it is the agent's:
    /// what people have to hear of is not told by it.
    #[must_use]
    pub fn may_go_to_phone_of_case(self, by_agent: bool) -> bool {
        let barred = self.own_phone_only || (self.must && by_agent);
        !barred
    }
}

use Purpose::{General, Progress, Talk};

/// What somebody just did themselves is quiet: they know it. What changes what they were promised is told; what does
/// not keep until they next look is urgent.
pub const KINDS: &[Kind] = &[
    kind("case_submitted", Quiet, Progress, false, "已收到"),
    kind("case_accepted", Normal, Progress, true, "已受理"),
    kind("case_rejected", Normal, Progress, true, "不予受理"),
    kind("case_assigned", Quiet, Progress, false, "已派单"),
    kind("case_in_progress", Quiet, Progress, false, "办理中"),
    kind("case_answered", Normal, Progress, true, "有答复了"),
    kind("case_completed", Normal, Progress, false, "已办结"),
    kind("case_withdrawn", Quiet, Progress, false, "已撤回"),
    kind("case_reopened", Normal, Progress, false, "重新办理"),
    kind("case_supplement", Normal, Progress, true, "请补材料"),
    kind("case_supplement_reminder", Urgent, Progress, true, "请补材料"),
    kind("case_objected", Quiet, Progress, false, "异议收到"),
    kind("case_objection_settled", Normal, Progress, true, "异议已裁定"),
    kind("case_merged", Normal, Progress, false, "合并办理"),
    kind("case_unmerged", Normal, Progress, false, "单独办理"),
    kind("case_transferred", Quiet, Progress, false, "已转办"),
    kind("case_escalated", Normal, Progress, false, "已上报"),
    kind("case_paused", Normal, Progress, true, "暂停计时"),
    kind("case_resumed", Normal, Progress, false, "恢复办理"),
    kind("case_extended", Normal, Progress, true, "已延期"),
    kind("case_milestone", Normal, Progress, false, "有新进展"),
    kind("case_lapsed", Normal, Progress, true, "视为撤回"),
    // Somebody was suspected of words that nobody may read.
    kind("content_held", Normal, Progress, false, "暂未展示").discreetly(),
    kind("answer_published", Normal, Progress, true, "将公开"),
    kind("answer_taken_down", Normal, Progress, false, "已撤下"),
    // Those who are rated must not learn who did (reviews are out of reach, decision 0019).
    kind("review_followed_up", Normal, Progress, false, "有回音了").discreetly(),
    kind("booked", Quiet, Talk, false, "已约好"),
    kind("booked_to_confirm", Quiet, Talk, false, "待确认"),
    kind("booking_confirmed", Normal, Talk, false, "已确认"),
    kind("booking_cancelled", Quiet, Talk, false, "已取消"),
    kind("booking_moved", Quiet, Talk, false, "已改期"),
    kind("booking_day_cancelled", Urgent, Talk, true, "已取消"),
    kind("booking_day_cancelled_no_place", Urgent, Talk, true, "已取消"),
    kind("booking_day_shifted", Urgent, Talk, true, "已改期"),
    kind("booking_host_changed", Normal, Talk, false, "换主持人"),
    kind("booking_host_left", Urgent, Talk, true, "位子取消"),
    kind("booking_host_left_no_place", Urgent, Talk, true, "位子取消"),
    kind("booking_missed", Normal, Talk, true, "记为失约"),
    kind("missed_upheld", Normal, Talk, false, "不算失约"),
    kind("missed_refused", Normal, Talk, true, "仍算失约"),
    kind("wait_held", Urgent, Talk, false, "有空位了"),
    kind("wait_expired", Normal, Talk, false, "已让出"),
    kind("wait_left", Normal, Talk, false, "不再候补"),
    kind("wait_ended", Quiet, Talk, false, "候补结束"),
    kind("wait_day_cancelled", Normal, Talk, false, "已取消"),
    kind("wait_day_shifted", Normal, Talk, false, "已改期"),
    kind("wait_hold_withdrawn", Normal, Talk, false, "位子收回"),
    kind("talk_answered", Quiet, Talk, false, "已答复"),
    kind("talk_became_case", Normal, Talk, false, "已立件"),
    kind("talk_to_council", Normal, Talk, false, "交议事会"),
    kind("talk_other_channel", Normal, Talk, true, "请改渠道"),
    kind("talk_minutes_signed", Normal, Talk, true, "已签名"),
    kind("talk_minutes_changed", Normal, Talk, true, "请再签名"),
    kind("residence_verified", Normal, General, false, "已认证"),
    kind("residence_refused", Normal, General, true, "未通过"),
    // 民法典 163, 164: whoever lets somebody act has to learn of every use.
    kind("authorisation_made", Normal, General, true, "委托登记").to_own_phone_only(),
    kind("authorisation_ended", Normal, General, true, "委托结束").to_own_phone_only(),
    kind("agent_acted", Normal, General, true, "帮办人办事").to_own_phone_only(),
    kind("agent_found", Quiet, General, false, "帮办人登录").to_own_phone_only(),
];

/// The row of a kind; of one that is none, a quiet one.
#[must_use]
pub fn of(name: &str) -> Kind {
    let unknown = kind("", Quiet, General, false, "新消息");
    KINDS.iter().find(|kind| kind.name == name).copied().unwrap_or(unknown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_sentence_has_its_row_and_every_row_its_sentence() {
        let files = concat!(include_str!("../../locales/notices.yml"), "\n", include_str!("../../locales/records.yml"));
        let files = format!("{files}\n{}", include_str!("../../locales/rosters.yml"));
        let sentences: BTreeSet<&str> = files
            .lines()
            .filter_map(|line| line.strip_prefix("notice.")?.strip_suffix(':'))
            .filter(|name| !name.contains('.'))
            .collect();
        let rows: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(rows.len(), KINDS.len(), "a kind stands there twice");
        assert_eq!(rows, sentences);
    }

    #[test]
    fn what_an_agent_did_is_not_told_by_the_phone_that_the_agent_named() {
        for (name, by_agent, expected) in [
            ("agent_acted", false, false),
            ("agent_acted", true, false),
            ("case_supplement", false, true),
            ("case_supplement", true, false),
            ("case_milestone", true, true),
        ] {
            assert_eq!(of(name).may_go_to_phone_of_case(by_agent), expected, "{name} {by_agent}");
        }
    }

    #[test]
    fn the_word_for_a_state_fits_into_a_phrase() {
        for kind in KINDS {
            assert!(crate::wechat_sim::fits("phrase1", kind.state), "{}", kind.name);
        }
    }
}
