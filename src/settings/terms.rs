//! The numbers of the rules: how long what may take. Each has a usual value and bounds.
//!
//! The usual values are those of the rules of cases (行政许可法 32, 42, 44; 四川12345 of 2025-12; 国办函〔2025〕66号); a place
//! may set its own, and what it sets holds for everything below it until a nearer place sets another.

use std::fmt;

use crate::calendar::DeskHours;

macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident $slug:literal = $usual:literal in $least:literal..=$most:literal),* $(,)?) => {
        /// A number of the rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Term { $($(#[$doc])* $name),* }

        impl Term {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }

            /// What holds where no place set it.
            #[must_use]
            pub fn usual(self) -> u32 {
                match self { $(Self::$name => $usual),* }
            }

            /// Whether a place may set it so.
            #[must_use]
            pub fn allows(self, value: u32) -> bool {
                match self { $(Self::$name => ($least..=$most).contains(&value)),* }
            }
        }
    };
}

terms! {
    /// Working days the desk has to accept; then silence accepts.
    AcceptDays "accept_days" = 1 in 1..=5,
    /// Desk hours to dispatch what was accepted (half a working day); then the dispatcher is reminded.
    DispatchHours "dispatch_hours" = 4 in 1..=24,
    /// Working days to sign or return; then silence signs.
    SignDays "sign_days" = 1 in 1..=5,
    /// Working days in which the township signs what was escalated to it.
    TownshipSignDays "township_sign_days" = 1 in 1..=5,
    /// Working days in which the county signs what was escalated to it.
    CountySignDays "county_sign_days" = 3 in 1..=10,
    /// Working days the villager has to bring what is missing.
    SupplementDays "supplement_days" = 10 in 5..=30,
    /// Working days in which the township decides on an objection.
    ObjectionDays "objection_days" = 2 in 1..=10,
    /// Working days to confirm or object; then silence closes, unconfirmed.
    ConfirmDays "confirm_days" = 5 in 3..=20,
    /// Working days a reopened case has at least.
    ReopenedDays "reopened_days" = 3 in 1..=15,
    /// The most working days of an extension.
    ExtensionDays "extension_days" = 10 in 1..=10,
    /// Working days to the first contact with the villager after signing.
    ContactDays "contact_days" = 1 in 1..=3,
    /// Minutes of desk time to the first contact when it is urgent.
    UrgentContactMinutes "urgent_contact_minutes" = 30 in 5..=240,
    /// Working days to hand papers to the township.
    HandUpDays "hand_up_days" = 1 in 1..=3,
    /// Working days to deliver after papers are back.
    DeliveryDays "delivery_days" = 2 in 1..=10,
    /// Working days promised for a question.
    QuestionDays "question_days" = 3 in 1..=3,
    /// Working days promised for help or a suggestion.
    HelpDays "help_days" = 7 in 1..=7,
    /// Working days promised for a complaint or a report.
    ComplaintDays "complaint_days" = 15 in 1..=15,
    /// Working days promised for a matter of a talk day.
    TalkDays "talk_days" = 7 in 1..=7,
    /// Working days left at which the light turns yellow, of a limit up to five.
    YellowShort "yellow_short" = 1 in 1..=3,
    /// The same of a longer limit.
    YellowLong "yellow_long" = 3 in 1..=10,
    /// Whole working days overdue after which the township's leader is told.
    TownshipAfter "township_after" = 3 in 1..=10,
    /// Whole working days overdue after which it stands on the county's list.
    CountyAfter "county_after" = 5 in 2..=20,
    /// Days to revive what lapsed.
    ReviveDays "revive_days" = 30 in 10..=90,
    /// Days after closing in which a supervisor may order it done again.
    OrderDays "order_days" = 30 in 10..=90,
    /// Days after closing until it is archived.
    ArchiveDays "archive_days" = 30 in 30..=180,
    /// Days after the answer in which a review may be given.
    ReviewDays "review_days" = 30 in 30..=90,
    /// Working days to speak to who gave a bad review.
    FollowUpContactDays "follow_up_contact_days" = 1 in 1..=3,
    /// Working days to put right what a bad review names, where it is simple.
    FollowUpSimpleDays "follow_up_simple_days" = 5 in 1..=10,
    /// The same where it is not.
    FollowUpComplexDays "follow_up_complex_days" = 15 in 5..=30,
    /// Working days to decide on an appeal against a review.
    AppealDays "appeal_days" = 5 in 1..=10,
    /// Share of closed cases that are called back, per cent.
    CallBackPercent "call_back_percent" = 20 in 5..=100,
    /// Reviews of one handler that are shown to them together at least.
    ReviewBundle "review_bundle" = 5 in 5..=50,
    /// Days for which something stands on the page of a village.
    PublicationDays "publication_days" = 365 in 30..=1825,
}

/// All numbers that hold in one place, and its desk hours.
#[derive(Clone, PartialEq, Eq)]
pub struct Terms {
    numbers: [u32; Term::ALL.len()],
    /// When its desks work.
    pub hours: DeskHours,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(Term::ALL.iter().map(|term| (term.slug(), self.get(*term)))).finish()
    }
}

impl Default for Terms {
    fn default() -> Self {
        let mut terms = Self { numbers: [0; Term::ALL.len()], hours: DeskHours::default() };
        for term in Term::ALL {
            terms.set(*term, term.usual());
        }
        terms
    }
}

impl Terms {
    /// What holds.
    #[must_use]
    pub fn get(&self, term: Term) -> u32 {
        self.numbers.get(term as usize).copied().unwrap_or_else(|| term.usual())
    }

    pub(super) fn set(&mut self, term: Term, value: u32) {
        if let Some(number) = self.numbers.get_mut(term as usize) {
            *number = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_term_has_a_name_of_its_own_and_a_usual_value_within_its_bounds() {
        let names: HashSet<&str> = Term::ALL.iter().map(|term| term.slug()).collect();
        assert_eq!(names.len(), Term::ALL.len());
        let terms = Terms::default();
        for term in Term::ALL {
            assert!(term.allows(term.usual()), "{}", term.slug());
            assert_eq!(terms.get(*term), term.usual());
        }
    }
}
