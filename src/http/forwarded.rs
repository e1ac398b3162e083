//! Who is calling, where proxies stand in between.
//!
//! Each proxy appends whom it heard to `X-Forwarded-For`, so that only what trusted proxies wrote, read from the right,
//! can be believed; what a client wrote lies further left. `Forwarded` (RFC 7239) is not read: two voices that may
//! contradict each other are one too many.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// The address that the last trusted proxy heard; the peer itself when it is none of them.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    // Several headers are one, in their order (RFC 9110, 5.3).
    let lines: Vec<&str> = headers.get_all("X-Forwarded-For").map(|line| line.to_str().unwrap_or("")).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // What cannot be read ends the trail: further left stands what nobody vouches for.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// Whether the call reached the outermost trusted proxy by HTTPS (`X-Forwarded-Proto`); what others say is not believed.
#[must_use]
pub fn came_sealed(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    let peer = peer.to_canonical();
    let said = headers.get("X-Forwarded-Proto").and_then(|said| said.to_str().ok()).unwrap_or("");
    trusted.iter().any(|network| network.contains(&peer)) && said.trim().eq_ignore_ascii_case("https")
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let plain = bare.parse::<IpAddr>().ok();
    plain.or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip())).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(line).unwrap());
        }
        headers.insert(HeaderName::from_static("forwarded"), HeaderValue::from_static("for=198.51.100.99"));
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("203.0.113.5", &["192.0.2.1"], &[]), "203.0.113.5");
        assert_eq!(client("203.0.113.5", &["192.0.2.1"], &["10.0.0.0/8"]), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn the_trail_is_read_from_the_right_until_somebody_unknown() {
        let inner = ["10.0.0.0/8", "2001:db8:1::/48"];
        assert_eq!(client("10.0.0.1", &["192.0.2.1"], &inner), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 192.0.2.1, 10.0.0.2"], &inner), "192.0.2.1", "what a client made up");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "192.0.2.1, 10.0.0.3", "10.0.0.2"], &inner), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.9, 10.0.0.2"], &inner), "10.0.0.9", "a call from inside");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], &inner), "10.0.0.2", "nobody vouches");
        assert_eq!(client("10.0.0.1", &["192.0.2.1,, 10.0.0.2"], &inner), "10.0.0.2");
    }

    #[test]
    fn only_a_trusted_proxy_says_that_a_call_came_sealed() {
        let mut headers = HeaderMap::new();
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let sealed = |headers: &HeaderMap, peer: &str| came_sealed(peer.parse().unwrap(), headers, &trusted);
        assert!(!sealed(&headers, "10.0.0.1"));
        headers.insert(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"));
        assert!(sealed(&headers, "10.0.0.1") && sealed(&headers, "::ffff:10.0.0.1"));
        assert!(!sealed(&headers, "203.0.113.5"));
        headers.insert(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("http"));
        assert!(!sealed(&headers, "10.0.0.1"));
    }

    #[test]
    fn addresses_come_with_ports_and_brackets() {
        let inner = ["10.0.0.0/8", "2001:db8:1::/48"];
        for (said, meant) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:80, [2001:db8:1::7]:443", "192.0.2.1"),
        ] {
            assert_eq!(client("::ffff:10.0.0.1", &[said], &inner), meant, "{said}");
        }
    }
}
