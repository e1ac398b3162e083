//! What the calls with bytes take and answer, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::{
    IntoParams, IntoResponses, ToSchema,
    openapi::{ContentBuilder, RefOr, Response, ResponseBuilder},
};

use super::views::{FileView, UploadView};

/// One file.
#[derive(ToSchema)]
#[allow(dead_code, clippy::doc_markdown, reason = "describes the form, to people")]
pub struct FileForm {
    /// A photo (JPEG, PNG, WebP, GIF, BMP; 10 MB), a voice note (MP3, AAC, M4A, AMR, WebM or Ogg with Opus, WAV; 10 minutes,
    /// 10 MB) or a PDF (20 MB). What it is, its bytes say; an extension must fit them.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Headers of a call that brings a file or a part of one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers, to people")]
pub(super) struct UploadHeaders {
    /// 8 to 64 letters, digits, -, _ and .: names the upload
    #[param(rename = "X-Upload-Id")]
    upload_id: Option<String>,
    /// bytes a-b/total; needs X-Upload-Id
    #[param(rename = "Content-Range")]
    content_range: Option<String>,
}

/// What a call that brings bytes is answered.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "describes answers, to people")]
pub(super) enum Taken {
    /// Created
    #[response(status = 201)]
    File(FileView),
    /// Accepted
    #[response(status = 202, headers(("Upload-Offset" = u64, description = "Bytes that arrived")))]
    Part(UploadView),
}

/// Whoever asks how far a file has come is answered this.
#[derive(IntoResponses)]
#[response(status = 200, description = "OK", headers(("Upload-Offset" = u64, description = "Bytes that arrived")))]
#[allow(dead_code, reason = "describes an answer, to people")]
pub(super) struct Offset(UploadView);

/// What a call that fetches bytes is answered.
pub(super) struct Served;

impl IntoResponses for Served {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let bytes = |text| ResponseBuilder::new().description(text).content("*/*", ContentBuilder::new().build());
        let nothing = |text| ResponseBuilder::new().description(text);
        [
            ("200", bytes("Its bytes")),
            ("206", bytes("Some of its bytes")),
            ("304", nothing("Not changed")),
            ("416", nothing("No such bytes")),
        ]
        .into_iter()
        .map(|(status, answer)| (status.to_owned(), answer.build().into()))
        .collect()
    }
}
