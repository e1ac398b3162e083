//! What must be true of every call at once, read off the contract itself.

mod bodies;
mod confidential;
mod document;
mod modules;
mod things;
mod walk;

use serde_json::Value;

/// One operation of the document.
struct Operation {
    method: reqwest::Method,
    path: String,
    id: String,
    /// Needs nobody signed in.
    public: bool,
    described: Value,
}

impl Operation {
    fn of_staff(&self) -> bool {
        self.path.starts_with("/api/v1/staff/")
    }

    /// What staff do with their own account, whatever their duties.
    fn is_one_s_own(&self) -> bool {
        self.path.starts_with("/api/v1/staff/me") || self.id == "arrange_absence"
    }

    /// What is kept for all places at once.
    fn of_the_catalogue(&self) -> bool {
        self.path.starts_with("/api/v1/staff/catalogue")
    }

    /// Accounts, and the units they sit in.
    fn of_administrators(&self) -> bool {
        self.path.starts_with("/api/v1/staff/accounts")
            || ["make_unit", "change_unit", "change_settings", "publish_calendar"].contains(&self.id.as_str())
            || self.of_connections()
    }

    /// Servers of others that are told of cases.
    fn of_connections(&self) -> bool {
        self.described["tags"] == serde_json::json!(["connections"])
    }
}

fn operations() -> Vec<Operation> {
    let document = shuoshi::openapi::document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                id: described["operationId"].as_str().unwrap_or_default().to_owned(),
                public: described["security"] == serde_json::json!([{}]),
                described: described.clone(),
            });
        }
    }
    assert!(all.len() > 10, "the document is all but empty");
    all
}
