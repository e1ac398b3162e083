//! How this is built and why, for those who change it.
//!
//! The pages are the files of this folder; reading them here or there is the same.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("api.md")]
pub mod api {}

#[doc = include_str!("forms.md")]
pub mod forms {}

#[doc = include_str!("logging.md")]
pub mod logging {}

#[doc = include_str!("keys.md")]
pub mod keys {}

#[doc = include_str!("backup.md")]
pub mod backup {}

#[doc = include_str!("privacy.md")]
pub mod privacy {}

/// Decisions worth arguing about: date, status, context, decision, consequences.
pub mod decisions {
    #[doc = include_str!("decisions/0001-actors-are-arguments.md")]
    pub mod d0001 {}
    #[doc = include_str!("decisions/0002-queries-begin-at-the-scope.md")]
    pub mod d0002 {}
    #[doc = include_str!("decisions/0003-two-engines-one-seam.md")]
    pub mod d0003 {}
    #[doc = include_str!("decisions/0004-operations-share-commits.md")]
    pub mod d0004 {}
    #[doc = include_str!("decisions/0005-the-first-answer-is-kept.md")]
    pub mod d0005 {}
    #[doc = include_str!("decisions/0006-the-workflow-is-a-table.md")]
    pub mod d0006 {}
    #[doc = include_str!("decisions/0007-personal-data-is-sealed-from-the-start.md")]
    pub mod d0007 {}
    #[doc = include_str!("decisions/0008-case-numbers.md")]
    pub mod d0008 {}
    #[doc = include_str!("decisions/0009-confidential-cases-are-not-tracked.md")]
    pub mod d0009 {}
    #[doc = include_str!("decisions/0010-own-wechat-client.md")]
    pub mod d0010 {}
    #[doc = include_str!("decisions/0011-crowds-are-done-together.md")]
    pub mod d0011 {}
    #[doc = include_str!("decisions/0012-the-audit-is-a-keyed-chain.md")]
    pub mod d0012 {}
    #[doc = include_str!("decisions/0013-personal-types-print-masked.md")]
    pub mod d0013 {}
    #[doc = include_str!("decisions/0014-acting-for-others.md")]
    pub mod d0014 {}
    #[doc = include_str!("decisions/0015-residence-and-recovery.md")]
    pub mod d0015 {}
    #[doc = include_str!("decisions/0016-a-freed-place-belongs-to-who-waited.md")]
    pub mod d0016 {}
    #[doc = include_str!("decisions/0017-walk-ins-are-never-turned-away.md")]
    pub mod d0017 {}
    #[doc = include_str!("decisions/0018-one-row-carries-its-clocks.md")]
    pub mod d0018 {}
    #[doc = include_str!("decisions/0019-reviews-are-out-of-reach.md")]
    pub mod d0019 {}
    #[doc = include_str!("decisions/0020-forms-are-schemas-that-cannot-hang-us.md")]
    pub mod d0020 {}
    #[doc = include_str!("decisions/0021-reports-are-reckoned-from-events.md")]
    pub mod d0021 {}
    #[doc = include_str!("decisions/0022-others-are-told-after-the-fact.md")]
    pub mod d0022 {}
    #[doc = include_str!("decisions/0023-what-anybody-may-see.md")]
    pub mod d0023 {}
    #[doc = include_str!("decisions/0024-cases-are-found-by-pairs-of-characters.md")]
    pub mod d0024 {}
    #[doc = include_str!("decisions/0025-files-are-written-anew-and-sealed.md")]
    pub mod d0025 {}
    #[doc = include_str!("decisions/0026-one-notice-one-way-at-a-time.md")]
    pub mod d0026 {}
    #[doc = include_str!("decisions/0027-what-others-see-is-looked-at-first.md")]
    pub mod d0027 {}
}
