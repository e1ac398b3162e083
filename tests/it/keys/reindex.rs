//! `keys reindex`: another key of hashes finds the same people, and the audit does not notice.

use secrecy::SecretString;
use serde_json::{Value, json};
use shuoshi::{audit::verify::verify, config::Config, keys::reindex};

use super::FRESH;
use crate::support::TestApp;

fn another_index_key(config: &mut Config) {
    config.crypto.index_key = SecretString::from(FRESH);
}

async fn entered(app: &TestApp, text: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "text": text, "channel": "walk_in",
        "for_person": {"name": "样例甲", "phone": "13800001234"},
    });
    app.staff("desk").await.at(app).post("/staff/cases", body).await.expect(201)["person"].clone()
}

both_engines! {
    async fn people_are_found_again_by_another_key(app: TestApp) {
        let known = entered(&app, "一").await;
        assert_eq!(entered(&app, "二").await, known);
        let changed = app.second_server_with(another_index_key).await;
        let done = reindex(changed.db(), &changed.app().field_keys).await.unwrap();
        let of = |column: &str| done.iter().find(|one| one.column == column).unwrap().changed;
        assert_eq!((of("person.name_hash"), of("person.phone_hash"), of("roster_entry.name_hash")), (1, 1, 0));
        assert_eq!(entered(&changed, "三").await, known);
        let again = reindex(changed.db(), &changed.app().field_keys).await.unwrap();
        assert!(again.iter().all(|one| one.changed == 0), "{again:?}");
        verify(changed.db().read(), &changed.app().field_keys, None).await.unwrap().unwrap();
        app.drain_jobs().await;
    }
}
