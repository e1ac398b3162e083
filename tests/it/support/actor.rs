//! Callers: values that speak HTTP as a villager, as staff or as nobody.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::Answer;

/// A caller of the API. Clones call as the same person.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who it is, in messages.
    pub name: String,
    /// What signing in answered: tokens and `person` or `staff`.
    pub session: Value,
    client: reqwest::Client,
    address: String,
    token: Option<String>,
    language: Option<String>,
}

impl Actor {
    /// Somebody who is not signed in, at a server.
    pub fn nobody(client: reqwest::Client, address: &str) -> Self {
        let name = "nobody".to_owned();
        Self { name, session: Value::Null, client, address: address.to_owned(), token: None, language: None }
    }

    /// The same caller with the tokens of a sign-in.
    pub fn signed_in(mut self, name: &str, session: Value) -> Self {
        self.token = Some(session["access_token"].as_str().unwrap().to_owned());
        name.clone_into(&mut self.name);
        self.session = session;
        self
    }

    /// With another access token, right or wrong.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Who reads this language; Chinese when not said.
    pub fn with_language(mut self, language: &str) -> Self {
        self.language = Some(language.to_owned());
        self
    }

    /// The same person calling another server.
    pub fn at(mut self, server: &super::TestApp) -> Self {
        self.address.clone_from(&server.address);
        self
    }

    /// The same person calling the server at this address.
    pub fn at_address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// The person or staff id.
    pub fn id(&self) -> &str {
        let who = self.session.get("person").or(self.session.get("staff")).expect("nobody has no id");
        who["id"].as_str().unwrap()
    }

    /// GET of a path of the API, without `/api/v1`.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, &api(path)).send().await
    }

    /// POST likewise.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, &api(path)).json(body).send().await
    }

    /// POST with an `Idempotency-Key`.
    pub async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(Method::POST, &api(path)).header("Idempotency-Key", key).json(body).send().await
    }

    /// PUT likewise.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, &api(path)).json(body).send().await
    }

    /// DELETE likewise.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, &api(path)).send().await
    }

    /// Any call, its whole path said.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let said = format!("{} {method} {path}", self.name);
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(language) = &self.language {
            request = request.header("Accept-Language", language);
        }
        Call { said, request }
    }
}

fn api(path: &str) -> String {
    format!("/api/v1{path}")
}

/// A call that is being put together.
pub struct Call {
    said: String,
    request: RequestBuilder,
}

impl Call {
    /// A header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// A JSON body.
    pub fn json(mut self, body: Value) -> Self {
        self.request = self.request.json(&body);
        self
    }

    /// A body of any kind.
    pub fn body(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("Content-Type", kind).body(body);
        self
    }

    /// Sends it; the answer is read as it comes.
    pub async fn open(self) -> reqwest::Response {
        self.request.send().await.unwrap_or_else(|fault| panic!("{}: no answer: {fault:?}", self.said))
    }

    /// Sends it, whether or not an answer comes.
    pub async fn send_anyway(self) {
        let _ = self.request.send().await;
    }

    /// Sends it.
    pub async fn send(self) -> Answer {
        let answer = self.request.send().await.unwrap_or_else(|fault| panic!("{}: no answer: {fault:?}", self.said));
        Answer::of(self.said, answer).await
    }
}
