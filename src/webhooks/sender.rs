//! Where messages may go, and the one exchange with a receiver.
//!
//! Whoever may name an address must not reach with it what only this machine can reach. Hosts are those the configuration
//! names; their addresses are looked up by the client that connects, which connects to what was checked and to nothing
//! else, so that a name that changes its mind in between (DNS rebinding) wins nothing. Redirects are not followed, proxies
//! not used, an attempt has its time, and of an answer only the beginning is read.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use entity::id::WebhookId;
use ipnet::IpNet;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};

use crate::{
    config,
    problem::{FieldFault, Problem},
};

/// Messages on their way to one receiver at a time: a slow one holds up its own and nobody else's.
const AT_ONCE: u32 = 8;
/// Bytes of an answer that are kept.
const ANSWER_BYTES: usize = 1024;
/// What an address that is not public is refused with, inside of an error of the client.
const REFUSED: &str = "address is not public";

/// What a receiver made of a message.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The HTTP status.
    pub(super) status: Option<u16>,
    /// Why it failed, in a word; none when it was taken.
    pub(super) error: Option<&'static str>,
    /// The beginning of the answer of one that failed.
    pub(super) answer: Option<String>,
    /// How long it asks us to wait.
    pub(super) retry_after_s: Option<u64>,
}

impl Outcome {
    pub(super) fn failed(error: &'static str) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// A message, signed.
pub(super) struct Message {
    pub(super) url: String,
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: String,
}

/// The way to receivers.
pub struct Sender {
    hosts: Vec<String>,
    networks: Networks,
    plain_http: bool,
    within: Duration,
    sealed: OnceLock<Option<reqwest::Client>>,
    plain: OnceLock<Option<reqwest::Client>>,
    busy: Busy,
}

type Busy = Arc<Mutex<HashMap<WebhookId, u32>>>;

/// One of the few messages that may be on their way to a receiver.
pub(super) struct Turn {
    busy: Busy,
    receiver: WebhookId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(many) = busy.get_mut(&self.receiver) {
            *many -= 1;
            if *many == 0 {
                busy.remove(&self.receiver);
            }
        }
    }
}

impl Sender {
    /// From configuration.
    #[must_use]
    pub fn new(settings: &config::Webhooks) -> Self {
        Self {
            hosts: settings.allowed_hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect(),
            networks: Networks(Arc::new(settings.private_networks.clone())),
            plain_http: settings.plain_http,
            within: Duration::from_millis(settings.answer_within_ms),
            sealed: OnceLock::new(),
            plain: OnceLock::new(),
            busy: Busy::default(),
        }
    }

    /// The address, when messages may go there.
    ///
    /// # Errors
    /// `invalid` at `/url`: `format`, `https_required`, `host_not_allowed`, `address_refused`.
    pub(super) fn check(&self, url: &str) -> Result<Url, Problem> {
        let refused = |code: &str| Problem::invalid(vec![FieldFault::new("/url", code)]);
        let read = Url::parse(url).map_err(|_| refused("format"))?;
        let host = read.host_str().ok_or_else(|| refused("format"))?.to_owned();
        if !read.username().is_empty() || read.password().is_some() || read.fragment().is_some() {
            return Err(refused("format"));
        }
        match read.scheme() {
            "https" => {}
            "http" if self.plain_http => {}
            "http" => return Err(refused("https_required")),
            _ => return Err(refused("format")),
        }
        if !self.hosts.contains(&host) {
            return Err(refused("host_not_allowed"));
        }
        // An address that stands there itself is looked up by nobody.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.parse().is_ok_and(|address: IpAddr| !self.networks.allow(address)) {
            return Err(refused("address_refused"));
        }
        Ok(read)
    }

    /// A turn, unless as many as may be are on their way to this receiver.
    pub(super) fn turn(&self, receiver: WebhookId) -> Option<Turn> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let many = busy.entry(receiver).or_default();
        if *many >= AT_ONCE {
            return None;
        }
        *many += 1;
        Some(Turn { busy: Arc::clone(&self.busy), receiver })
    }

    fn client(&self, plain: bool) -> Option<&reqwest::Client> {
        let make = || {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let mut http = reqwest::Client::builder()
                .user_agent("shuoshi-webhooks/1")
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(self.within)
                .dns_resolver(Arc::new(self.networks.clone()));
            if plain {
                http = http.tls_certs_only([]);
            }
            http.build().inspect_err(|fault| tracing::warn!(error = %fault, "no client for webhooks")).ok()
        };
        (if plain { &self.plain } else { &self.sealed }).get_or_init(make).as_ref()
    }

    /// Sends a message once.
    pub(super) async fn send(&self, message: Message) -> Outcome {
        let Ok(url) = self.check(&message.url) else { return Outcome::failed("host_not_allowed") };
        let Some(http) = self.client(url.scheme() == "http") else { return Outcome::failed("connect") };
        let sent = http
            .post(url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(fault) => return Outcome::failed(word_of(&fault)),
        };
        let status = answer.status();
        if status.is_success() {
            return Outcome { status: Some(status.as_u16()), ..Outcome::default() };
        }
        let asked =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Outcome {
            status: Some(status.as_u16()),
            error: Some(if status.is_redirection() { "redirect" } else { "status" }),
            retry_after_s: asked.filter(|_| matches!(status.as_u16(), 429 | 503)),
            answer: Some(beginning(answer).await),
        }
    }
}

/// The beginning of an answer, as text.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES {
        let Ok(Some(part)) = answer.chunk().await else { break };
        bytes.extend_from_slice(part.get(..part.len().min(ANSWER_BYTES - bytes.len())).unwrap_or_default());
    }
    // What both engines can store and a page can show.
    String::from_utf8_lossy(&bytes).chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}

fn word_of(fault: &reqwest::Error) -> &'static str {
    let mut cause: Option<&dyn std::error::Error> = Some(fault);
    while let Some(inner) = cause {
        if inner.to_string() == REFUSED {
            return "address_refused";
        }
        cause = inner.source();
    }
    if fault.is_timeout() { "timeout" } else { "connect" }
}

/// Which addresses that are not public may be reached. It resolves names for the client, and so decides where it connects.
#[derive(Clone)]
struct Networks(Arc<Vec<IpNet>>);

impl Networks {
    fn allow(&self, address: IpAddr) -> bool {
        is_public(address) || self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

impl Resolve for Networks {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // All of them: which one is tried is not ours to say.
            if found.iter().any(|address| !networks.allow(address.ip())) {
                return Err(REFUSED.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open network (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let [first, second, third, .., seventh, eighth] = address.segments();
            let inside =
                |high: u16, low: u16| is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
            match (first, second) {
                // Addresses that carry one of the older kind: NAT64 and 6to4; Teredo carries two.
                (0x64, 0xff9b) => inside(seventh, eighth),
                (0x2002, _) => inside(second, third),
                (0x2001, 0x0db8 | 0) => false,
                // Global unicast is 2000::/3; nothing else is given to anybody.
                _ => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        || (first, second & 0xc0) == (100, 64)
        || (first, second & 0xfe) == (198, 18)
        || (first, second, third) == (192, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(hosts: &[&str], networks: &[&str], plain_http: bool) -> Sender {
        Sender::new(&config::Webhooks {
            allowed_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            private_networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            plain_http,
            answer_within_ms: 1000,
        })
    }

    #[test]
    fn only_the_open_network_is_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for address in ["1.1.1.1", "114.114.114.114", "2400:3200::1", "64:ff9b::101:101", "2002:101:101::1"] {
            assert!(public(address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "192.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn only_hosts_that_are_named_may_be_told_and_not_this_machine() {
        let strict = sender(&["told.example.org", "127.0.0.1", "[::1]", "2130706433"], &[], false);
        strict.check("https://told.example.org:8443/hook?from=shuoshi").unwrap();
        strict.check("https://TOLD.example.org/hook").unwrap();
        for (url, code) in [
            ("http://told.example.org/", "https_required"),
            ("https://other.example.org/", "host_not_allowed"),
            ("https://told.example.org.evil.example/", "host_not_allowed"),
            ("https://user:pass@told.example.org/", "format"),
            ("https://told.example.org/#x", "format"),
            ("ftp://told.example.org/", "format"),
            ("told.example.org", "format"),
            ("https://127.0.0.1/", "address_refused"),
            ("https://[::1]/", "address_refused"),
            ("https://2130706433/", "address_refused"),
        ] {
            let fault = strict.check(url).unwrap_err();
            let answer = fault.respond(crate::problem::Language::En, "", "");
            let body = actix_web::body::MessageBody::try_into_bytes(answer.into_body()).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errors"][0]["code"], code, "{url}");
        }
        sender(&["127.0.0.1"], &["127.0.0.0/8"], true).check("http://127.0.0.1:9/").unwrap();
    }

    #[test]
    fn a_receiver_has_few_turns_at_a_time() {
        let sender = sender(&[], &[], false);
        let (one, other) = (WebhookId::fresh(), WebhookId::fresh());
        let turns: Vec<_> = (0..AT_ONCE).map(|_| sender.turn(one).unwrap()).collect();
        assert!(sender.turn(one).is_none());
        assert!(sender.turn(other).is_some());
        drop(turns);
        assert!(sender.turn(one).is_some());
        assert!(sender.busy.lock().unwrap().is_empty());
    }
}
