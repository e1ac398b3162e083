//! What came of an import, for those who have to mend the file.

use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{Checked, Fault};
use crate::problem::{FieldFault, Language, Problem};

/// The most faults that are told at once; who has mended these asks again.
const MOST_FAULTS: usize = 200;

/// How many lines took which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
}

/// What an import did, or would do.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct RosterReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Lines below the heading that are not blank.
    pub rows: usize,
    /// People who were not in the roster yet.
    pub created: usize,
    /// People of whom the file says something else than the roster did.
    pub updated: usize,
    /// People who stand there just so.
    pub unchanged: usize,
    /// Lines that were left out, since something is wrong with them.
    pub skipped: usize,
    /// What is wrong, at most 200, in the order of the lines.
    pub faults: Vec<RosterFault>,
    /// How many faults are not told here.
    pub more_faults: usize,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct RosterFault {
    /// As the file or the sheet counts; the heading is line 1.
    pub line: u32,
    /// `name`, `citizen_no` ..., the letter of a column without such a name, or empty for the whole line.
    pub column: String,
    /// A stable reason: `required`, `bad_check_digit`, `digits_lost`, `duplicate_line`, ...
    pub code: String,
    /// In words.
    pub detail: String,
}

impl RosterReport {
    /// The report of a file and of what became of its good lines, with sentences in this language.
    pub(crate) fn of(checked: &Checked, counts: Counts, dry_run: bool, language: Language) -> Self {
        let told = checked.faults.iter().take(MOST_FAULTS);
        Self {
            dry_run,
            rows: checked.lines,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            skipped: checked.lines - checked.entries.len(),
            faults: told.map(|fault| RosterFault::of(fault, language)).collect(),
            more_faults: checked.faults.len().saturating_sub(MOST_FAULTS),
        }
    }
}

impl RosterFault {
    fn of(fault: &Fault, language: Language) -> Self {
        let detail = of_field(fault).in_words(language);
        Self { line: fault.line, column: fault.column.clone(), code: fault.code.to_owned(), detail }
    }
}

/// The refusal of a file: 422 with the place of each fault.
pub(crate) fn refusal(checked: &Checked) -> Problem {
    let told = checked.faults.iter().take(MOST_FAULTS).map(of_field).collect();
    let more = checked.faults.len().saturating_sub(MOST_FAULTS);
    Problem::invalid(told).with("more_faults", more)
}

fn of_field(fault: &Fault) -> FieldFault {
    let pointer = format!("/lines/{}/{}", fault.line, fault.column);
    let mut field = FieldFault::new(pointer.trim_end_matches('/'), fault.code);
    field.hint = fault.other_line.map(|line| line.to_string());
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: u32, code: &'static str) -> Fault {
        Fault { line, column: "citizen_no".into(), code, other_line: (code == "duplicate_line").then_some(3) }
    }

    #[test]
    fn a_report_tells_the_first_faults_in_words_and_counts_the_others() {
        let faults: Vec<Fault> = (2..=252).map(|line| fault(line, "bad_check_digit")).collect();
        let checked = Checked { lines: 251, faults, ..Checked::default() };
        let report = RosterReport::of(&checked, Counts::default(), true, Language::En);
        assert_eq!((report.faults.len(), report.more_faults, report.skipped), (200, 51, 251));
        assert!(report.faults[0].detail.starts_with("has a wrong check digit"), "{}", report.faults[0].detail);
    }

    #[test]
    fn every_reason_has_its_words_in_both_languages() {
        let other = |language| FieldFault::new("", "no such reason").in_words(language);
        for code in super::super::rules::tests::CODES {
            for language in [Language::ZhCn, Language::En] {
                assert_ne!(of_field(&fault(2, code)).in_words(language), other(language), "{code}");
            }
        }
        assert!(of_field(&fault(9, "duplicate_line")).in_words(Language::ZhCn).ends_with("(3)"));
    }
}
