//! What staff are told of.

use entity::notice_delivery::NoticeUrgency::{self, Normal, Urgent};

/// Every kind: what stands behind `staff_notice.` in the locale files, and how much it matters.
pub const KINDS: &[(&str, NoticeUrgency)] = &[
    ("case_given", Normal),
    ("case_to_unit", Normal),
    ("case_returned", Normal),
    ("case_reopened", Normal),
    ("case_urgent", Urgent),
    ("case_due_soon", Normal),
    ("case_overdue", Normal),
    ("case_to_township", Normal),
    ("case_to_county", Normal),
    ("case_supervised", Normal),
    ("called_in", Normal),
    ("unit_called_in", Normal),
    ("papers_came", Normal),
    ("request_to_settle", Normal),
    ("request_approved", Normal),
    ("request_refused", Normal),
    ("objection_to_settle", Normal),
    ("appeal_to_decide", Normal),
    ("follow_up_opened", Normal),
    ("hosts_changed", Normal),
    ("call_list", Normal),
];

/// Whether there is such a kind.
pub(super) fn is_known(name: &str) -> bool {
    KINDS.iter().any(|(kind, _)| *kind == name)
}

/// How much a kind matters.
pub(super) fn urgency(name: &str) -> NoticeUrgency {
    KINDS.iter().find(|(kind, _)| *kind == name).map_or(Normal, |(_, urgency)| *urgency)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_sentence_has_its_row_and_every_row_its_sentence() {
        let lines = include_str!("../../../locales/notices.yml").lines();
        let sentences: BTreeSet<&str> =
            lines.filter_map(|line| line.strip_prefix("staff_notice.")?.strip_suffix(':')).collect();
        let rows: BTreeSet<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(rows, sentences);
    }
}
