//! What is shown, by the names of the specification. Each also comes as XML.

use serde::Serialize;
use utoipa::ToSchema;

/// Where to find what.
#[derive(Serialize, ToSchema)]
pub struct Open311Discovery {
    /// When this last changed.
    pub(super) changeset: String,
    pub(super) contact: String,
    /// How to get a key.
    pub(super) key_service: String,
    pub(super) endpoints: Vec<Open311Endpoint>,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
pub struct Open311Endpoint {
    pub(super) specification: &'static str,
    pub(super) url: String,
    pub(super) changeset: String,
    /// `production` or `test`.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) formats: [&'static str; 2],
}

/// What one may ask for: a topic.
#[derive(Serialize, ToSchema)]
pub struct Open311Service {
    /// A code of the list `topics`.
    pub(super) service_code: &'static str,
    pub(super) service_name: &'static str,
    pub(super) description: String,
    /// There is more to fill in: see the definition.
    pub(super) metadata: bool,
    /// `realtime`.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) keywords: String,
    pub(super) group: String,
}

/// What a service wants to be filled in.
#[derive(Serialize, ToSchema)]
pub struct Open311Definition {
    pub(super) service_code: &'static str,
    pub(super) attributes: Vec<Open311Attribute>,
}

/// A field.
#[derive(Serialize, ToSchema)]
pub struct Open311Attribute {
    pub(super) variable: bool,
    pub(super) code: &'static str,
    /// `singlevaluelist`.
    pub(super) datatype: &'static str,
    pub(super) required: bool,
    pub(super) datatype_description: Option<String>,
    pub(super) order: u32,
    pub(super) description: String,
    pub(super) values: Vec<Open311Value>,
}

/// A value of a field.
#[derive(Serialize, ToSchema)]
pub struct Open311Value {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
}

/// A matter that anybody may see.
#[derive(Serialize, ToSchema)]
pub struct Open311Request {
    /// Not the number on the receipt.
    pub(super) service_request_id: String,
    /// `open` or `closed`.
    pub(super) status: &'static str,
    /// How it stands, in words.
    pub(super) status_notes: String,
    pub(super) service_name: Option<&'static str>,
    pub(super) service_code: Option<String>,
    /// In the villager's words once staff accepted it, numbers and the name masked; else a sentence that says so.
    pub(super) description: String,
    /// The unit that has it.
    pub(super) agency_responsible: Option<String>,
    pub(super) service_notice: Option<String>,
    pub(super) requested_datetime: String,
    pub(super) updated_datetime: String,
    /// The end of the desk's day by which it is promised; null before acceptance, while the clock stands and once closed.
    pub(super) expected_datetime: Option<String>,
    /// The village.
    pub(super) address: String,
    /// Its statistical code.
    pub(super) address_id: String,
    pub(super) zipcode: Option<String>,
    pub(super) lat: Option<f64>,
    pub(super) long: Option<f64>,
    pub(super) media_url: Option<String>,
}

/// What was filed.
#[derive(Serialize, ToSchema)]
pub struct Open311Filed {
    pub(super) service_request_id: String,
    /// What happens next; first of all whom to call where it sounds like danger.
    pub(super) service_notice: String,
    pub(super) account_id: Option<String>,
}

/// The request of a token; here they are the same.
#[derive(Serialize, ToSchema)]
pub struct Open311Token {
    pub(super) service_request_id: String,
    pub(super) token: String,
}
