//! Files: photos, voice notes and documents that people bring, and who may see them.
//!
//! A file comes in parts over weak lines ([`incoming`], [`uploads`]), is looked over and written anew ([`clean`]), and lies
//! sealed in a [`store`]. It belongs to who brought it until it is attached ([`attach`]) to a case, a booking, a record, a
//! review or an authorisation; from then on whoever may see that thing may see it ([`access`]), and it goes when the thing
//! goes ([`sweep`]). Players open it by signed links that soon end ([`links`]). Decision 0025 says why. Next: [`api`].

mod access;
pub mod api;
mod attach;
mod clean;
mod document;
mod incoming;
mod links;
mod reader;
pub(crate) mod sealing;
mod serve;
mod store;
mod store_identity;
mod sweep;
mod take_in;
mod uploads;
mod views;

pub use attach::{
    Claimed, Hanging, Named, attach, attached_to, claim, drop_of, drop_of_those, drop_unattached, drop_uploads, hang,
    move_person, move_thing, views_of,
};
pub use links::public_link;
pub use store::{Store, Stored};
pub use sweep::{sweep, sweep_orphans};
pub use take_in::objects;
pub use views::{FileView, UploadView};

use std::sync::Arc;

use entity::id::{PersonId, StaffId};
use tokio::sync::Semaphore;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::config::{Config, ConfigFault};

/// What of this feature lives as long as the application.
pub struct Files {
    /// Where bytes lie.
    pub store: Store,
    /// How many are decoded at a time.
    cleaning: Arc<Semaphore>,
}

impl Files {
    /// From configuration.
    pub fn open(config: &Config) -> Result<Self, ConfigFault> {
        Ok(Self { store: Store::open(config)?, cleaning: Arc::new(Semaphore::new(config.files.cleaners)) })
    }
}

/// The most files that hang on one thing.
pub const MOST_FILES: u64 = 9;

/// Who brings a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A villager.
    Person(PersonId),
    /// Somebody at work.
    Staff(StaffId),
}

impl Owner {
    /// Their id; ids of the two never meet.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::Person(id) => id.0,
            Self::Staff(id) => id.0,
        }
    }
}

/// The calls of the API.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::upload_file)
        .service(api::upload_staff_file)
        .service(api::get_upload)
        .service(api::get_staff_upload)
        .service(api::get_file)
        .service(api::get_staff_file)
        .service(api::link_file)
        .service(api::link_staff_file);
}

/// What players open, outside the versioned API.
pub fn media(config: &mut ServiceConfig) {
    config.service(api::get_media);
}
