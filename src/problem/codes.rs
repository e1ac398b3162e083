//! The table of codes: a stable slug, a status, texts in zh-CN and en.
//!
//! Add a row here and its texts, in both languages, in `locales/problems.yml`.

use actix_web::http::StatusCode;
use rust_i18n::t;

use super::Language;

macro_rules! codes {
    ($($variant:ident $slug:literal $status:ident),* $(,)?) => {
        /// Stable codes of failures; the slug is what clients compare.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $slug, "`: see `locales/problems.yml`.")] $variant),*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What clients compare.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    Malformed "malformed" BAD_REQUEST,
    SignInRequired "sign_in_required" UNAUTHORIZED,
    WechatCodeInvalid "wechat_code_invalid" UNAUTHORIZED,
    BadCredentials "bad_credentials" UNAUTHORIZED,
    TotpRequired "totp_required" UNAUTHORIZED,
    WecomCodeInvalid "wecom_code_invalid" UNAUTHORIZED,
    WecomNotBound "wecom_not_bound" UNAUTHORIZED,
    SessionEnded "session_ended" UNAUTHORIZED,
    NotYourDuty "not_your_duty" FORBIDDEN,
    NoAuthorisation "no_authorisation" FORBIDDEN,
    SecondFactorRequired "second_factor_required" FORBIDDEN,
    GuardianConsentRequired "guardian_consent_required" FORBIDDEN,
    ConsentRequired "consent_required" FORBIDDEN,
    PushRefused "push_refused" FORBIDDEN,
    NotFound "not_found" NOT_FOUND,
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED,
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE,
    Timeout "timeout" REQUEST_TIMEOUT,
    SlotFull "slot_full" CONFLICT,
    AlreadyBooked "already_booked" CONFLICT,
    AlreadyWaiting "already_waiting" CONFLICT,
    BookingClosed "booking_closed" CONFLICT,
    BookingNotOpen "booking_not_open" CONFLICT,
    LimitReached "limit_reached" CONFLICT,
    OfferUsedUp "offer_used_up" CONFLICT,
    TooLate "too_late" CONFLICT,
    UndoTooLate "undo_too_late" CONFLICT,
    LineEmpty "line_empty" CONFLICT,
    DayNotRunning "day_not_running" CONFLICT,
    LastHost "last_host" CONFLICT,
    MinutesNotSigned "minutes_not_signed" CONFLICT,
    WitnessCompiled "witness_compiled" CONFLICT,
    RatingNotOpen "rating_not_open" CONFLICT,
    AlreadyRated "already_rated" CONFLICT,
    DayCancelled "day_cancelled" CONFLICT,
    TransitionNotAllowed "transition_not_allowed" CONFLICT,
    Stale "stale" CONFLICT,
    ConflictOfInterest "conflict_of_interest" CONFLICT,
    ReturnUsedUp "return_used_up" CONFLICT,
    UnitLocked "unit_locked" CONFLICT,
    AnotherHandlerNeeded "another_handler_needed" CONFLICT,
    NoLevelAbove "no_level_above" CONFLICT,
    ExtensionUsedUp "extension_used_up" CONFLICT,
    AlreadyNudged "already_nudged" CONFLICT,
    AlreadyAsked "already_asked" CONFLICT,
    WindowClosed "window_closed" CONFLICT,
    ReviewNotOpen "review_not_open" CONFLICT,
    AlreadyReviewed "already_reviewed" CONFLICT,
    ReviewWindowClosed "review_window_closed" CONFLICT,
    UsernameTaken "username_taken" CONFLICT,
    WecomTaken "wecom_taken" CONFLICT,
    TotpAlreadySet "totp_already_set" CONFLICT,
    AlreadyVerified "already_verified" CONFLICT,
    AlreadyPending "already_pending" CONFLICT,
    AlreadyDecided "already_decided" CONFLICT,
    AlreadyExists "already_exists" CONFLICT,
    ExportNotReady "export_not_ready" CONFLICT,
    AnotherSignerNeeded "another_signer_needed" CONFLICT,
    UploadOffset "upload_offset" CONFLICT,
    IdempotencyInProgress "idempotency_in_progress" CONFLICT,
    TooLarge "too_large" PAYLOAD_TOO_LARGE,
    FileTooLarge "file_too_large" PAYLOAD_TOO_LARGE,
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE,
    FileKindUnsupported "file_kind_unsupported" UNSUPPORTED_MEDIA_TYPE,
    Invalid "invalid" UNPROCESSABLE_ENTITY,
    PhoneCodeInvalid "phone_code_invalid" UNPROCESSABLE_ENTITY,
    TotpInvalid "totp_invalid" UNPROCESSABLE_ENTITY,
    FileEmpty "file_empty" UNPROCESSABLE_ENTITY,
    FileNameDiffers "file_name_differs" UNPROCESSABLE_ENTITY,
    FileBroken "file_broken" UNPROCESSABLE_ENTITY,
    FileTwoKinds "file_two_kinds" UNPROCESSABLE_ENTITY,
    PictureTooLarge "picture_too_large" UNPROCESSABLE_ENTITY,
    VoiceTooLong "voice_too_long" UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY,
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS,
    TooManyUploads "too_many_uploads" TOO_MANY_REQUESTS,
    Unexpected "unexpected" INTERNAL_SERVER_ERROR,
    WechatUnavailable "wechat_unavailable" SERVICE_UNAVAILABLE,
    WecomUnavailable "wecom_unavailable" SERVICE_UNAVAILABLE,
    SmsUnavailable "sms_unavailable" SERVICE_UNAVAILABLE,
    Busy "busy" SERVICE_UNAVAILABLE,
}

impl Code {
    /// One line: what happened.
    #[must_use]
    pub fn title(self, language: Language) -> String {
        t!(format!("problem.{}.title", self.slug()), locale = language.tag()).into_owned()
    }

    /// A spoken sentence: what happened and what to do now.
    #[must_use]
    pub fn detail(self, language: Language) -> String {
        t!(format!("problem.{}.detail", self.slug()), locale = language.tag()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_texts_in_both_languages() {
        for code in Code::ALL {
            for language in [Language::ZhCn, Language::En] {
                assert!(!code.title(language).starts_with("problem."), "title of {}", code.slug());
                assert!(!code.detail(language).starts_with("problem."), "detail of {}", code.slug());
            }
            assert!(code.detail(Language::ZhCn).chars().count() <= 40, "{} is too long to be read aloud", code.slug());
        }
    }
}
