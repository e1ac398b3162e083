//! Duties: what staff may do, declared once.
//!
//! A posting carries duties; a handler names the one it needs by a type, `Staff<ManageTalks>`; the extractor compares.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! duties {
    ($($(#[$doc:meta])* $name:ident $slug:literal),* $(,)?) => {
        /// A duty of a posting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Duty { $($(#[$doc])* $name),* }

        impl Duty {
            /// All duties, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }
        }
    };
}

duties! {
    /// 受理: accept or reject what comes in.
    AcceptCases "accept_cases",
    /// 派单: decide who works on it.
    AssignCases "assign_cases",
    /// 办理: work on what is assigned.
    HandleCases "handle_cases",
    /// 督办: see everything below, supervise.
    Supervise "supervise",
    /// 纪检: complaints about staff.
    HandleDiscipline "handle_discipline",
    /// 说事日管理: rules and days.
    ManageTalks "manage_talks",
    /// 主持说事日.
    HostTalks "host_talks",
    /// 账号与岗位.
    ManageAccounts "manage_accounts",
    /// 事项目录.
    ManageCatalogue "manage_catalogue",
    /// 居民: residence, rosters, households, authorisations.
    ManagePeople "manage_people",
    /// 未成年人: personal data of people under 14.
    ReadMinors "read_minors",
    /// 审计.
    ReadAudit "read_audit",
    /// 系统对接: receivers of webhooks, keys of Open311.
    ManageReceivers "manage_receivers",
    /// 上报审签: draw and sign periodic lists and reports.
    SignReports "sign_reports",
}

/// A need of a handler, as a type: any of these duties will do.
pub trait Need: 'static {
    /// Duties that satisfy it.
    const ANY_OF: &'static [Duty];
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident: $($duty:ident)|+;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Need for $name {
            const ANY_OF: &'static [Duty] = &[$(Duty::$duty),+];
        }
    )*};
}

needs! {
    /// Sees and moves cases; which step, the step table decides.
    WorkOnCases: AcceptCases | AssignCases | HandleCases | Supervise | HandleDiscipline | HostTalks;
    /// Enters matters for people who come or call.
    EnterCases: AcceptCases;
    /// Keeps the list of who works on what.
    KeepDutyList: AssignCases | ManageAccounts;
    /// Keeps accounts, units, postings, absences.
    ManageAccounts: ManageAccounts;
    /// Keeps residents, rosters, authorisations.
    ManagePeople: ManagePeople;
    /// Reads the audit.
    ReadAudit: ReadAudit;
    /// Is posted at all.
    Anything: AcceptCases | AssignCases | HandleCases | Supervise | HandleDiscipline | ManageTalks | HostTalks
        | ManageAccounts | ManageCatalogue | ManagePeople | ReadMinors | ReadAudit | ManageReceivers | SignReports;
    /// Keeps who is near to whom.
    RecordConflicts: ManageAccounts | HandleDiscipline;
    /// Makes and changes talk days.
    ManageTalks: ManageTalks;
    /// Sees what cases come to, not whose they are.
    SeeCaseNumbers: AcceptCases | AssignCases | Supervise;
    /// Sees what talk days come to, not whom they were about.
    SeeTalkNumbers: ManageTalks | HostTalks | Supervise;
    /// Keeps the servers of others that are told of cases, and keys of theirs.
    ManageReceivers: ManageReceivers;
    /// Sees who is booked.
    SeeTalkLine: ManageTalks | HostTalks;
    /// Draws periodic reports and reads them.
    DrawReports: AcceptCases | AssignCases | Supervise | SignReports;
    /// Signs what another person drew.
    SignReports: Supervise | SignReports;
    /// Keeps the catalogue of service items.
    ManageCatalogue: ManageCatalogue;
    /// Looks at what others are to see.
    LookAtContent: AcceptCases;
    /// Keeps the page of a place.
    KeepPublications: AcceptCases | ManageTalks;
    /// Tells people what no machine tells them.
    KeepCallList: AcceptCases | HandleDiscipline;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_what_serde_writes() {
        for duty in Duty::ALL {
            assert_eq!(serde_json::to_value(duty).unwrap(), duty.slug());
        }
    }
}
