//! Access tokens: `POST /cgi-bin/stable_token` and the older `GET /cgi-bin/token`, two families that ignore each other.
//!
//! They follow 接口调用凭证, 获取稳定版接口调用凭据 and 获取接口调用凭据; the difference between them (one repeats its token,
//! the other replaces it) is what breaks clients that run as several processes. Next: [`super::session_key`], which
//! checks a token.

use std::collections::VecDeque;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, ServiceConfig},
};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use super::{
    World,
    answers::Family,
    identifiers, lock,
    login::{query_of, value},
};
use crate::clock::{Instant, local_day};

const LIFE: TimeDelta = TimeDelta::seconds(7200);
/// For so long the old and the new token are both good.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
const FORCED_A_DAY: usize = 20;
const FORCED_APART: TimeDelta = TimeDelta::seconds(30);

#[derive(Clone, Debug)]
struct Token {
    text: String,
    ends_at: Instant,
}

impl Token {
    fn new(at: Instant) -> Self {
        Self { text: identifiers::access_token(), ends_at: at + LIFE }
    }
}

/// The newest token of a family and the one before it.
#[derive(Default)]
struct Pair {
    newest: Option<Token>,
    before: Option<Token>,
}

impl Pair {
    /// Puts a new token in front; the one before keeps working until `OVERLAP` is over or its own end.
    fn renew(&mut self, at: Instant) -> Token {
        let token = Token::new(at);
        self.before = self.newest.replace(token.clone());
        if let Some(before) = &mut self.before {
            before.ends_at = before.ends_at.min(at + OVERLAP);
        }
        token
    }

    fn find(&self, text: &str) -> Option<&Token> {
        [&self.newest, &self.before].into_iter().flatten().find(|token| token.text == text)
    }
}

/// All tokens of the one mini program.
#[derive(Default)]
pub(super) struct Tokens {
    stable: Pair,
    plain: Pair,
    /// When `force_refresh` was obeyed, oldest first.
    forced: VecDeque<Instant>,
}

impl Tokens {
    fn stable(&mut self, force: bool, at: Instant) -> Token {
        if force && self.may_force(at) {
            self.forced.push_back(at);
            let token = self.stable.renew(at);
            // The point of forcing: a token that leaked dies at once.
            self.stable.before = None;
            return token;
        }
        match &self.stable.newest {
            Some(token) if token.ends_at - at >= OVERLAP => token.clone(),
            _ => self.stable.renew(at),
        }
    }

    fn may_force(&mut self, at: Instant) -> bool {
        let today = local_day(at);
        self.forced.retain(|forced| local_day(*forced) == today);
        let rested = self.forced.back().is_none_or(|last| at - last >= FORCED_APART);
        rested && self.forced.len() < FORCED_A_DAY
    }

    fn plain(&mut self, at: Instant) -> Token {
        self.plain.renew(at)
    }

    /// The `errcode` by which a token is refused.
    pub(super) fn check(&self, text: &str, at: Instant) -> Result<(), i64> {
        if text.is_empty() {
            return Err(41001);
        }
        let token = self.stable.find(text).or_else(|| self.plain.find(text)).ok_or(40001)?;
        if token.ends_at > at { Ok(()) } else { Err(42001) }
    }
}

#[derive(Serialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

fn issued(token: Token, at: Instant) -> HttpResponse {
    let expires_in = (token.ends_at - at).num_seconds();
    Family::Cgi.answer(&Issued { access_token: token.text, expires_in })
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/stable_token", web::to(stable_token)).route("/token", web::to(plain_token));
}

async fn stable_token(request: HttpRequest, world: Data<World>, body: Bytes) -> HttpResponse {
    let at = world.clock.now();
    if request.method() != "POST" {
        return Family::Cgi.refuse(43002, at);
    }
    if body.is_empty() {
        return Family::Cgi.refuse(44002, at);
    }
    let Ok(Value::Object(ask)) = serde_json::from_slice(&body) else { return Family::Cgi.refuse(47001, at) };
    let text = |name: &str| ask.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Some(errcode) = world.refuses(text("appid"), text("secret")) {
        return Family::Cgi.refuse(errcode, at);
    }
    if text("grant_type") != "client_credential" {
        return Family::Cgi.refuse(40002, at);
    }
    if let Err(errcode) = lock(&world.quotas).take(request.path(), at) {
        return Family::Cgi.refuse(errcode, at);
    }
    let force = ask.get("force_refresh").and_then(Value::as_bool).unwrap_or_default();
    let token = lock(&world.tokens).stable(force, at);
    issued(token, at)
}

async fn plain_token(request: HttpRequest, world: Data<World>) -> HttpResponse {
    let at = world.clock.now();
    if request.method() != "GET" {
        return Family::Cgi.refuse(43001, at);
    }
    let query = query_of(&request);
    if let Some(errcode) = world.refuses(value(&query, "appid"), value(&query, "secret")) {
        return Family::Cgi.refuse(errcode, at);
    }
    if value(&query, "grant_type") != "client_credential" {
        return Family::Cgi.refuse(40002, at);
    }
    let token = lock(&world.tokens).plain(at);
    issued(token, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn the_stable_token_stays_until_its_last_five_minutes_and_then_overlaps() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, at(0)).text;
        assert_eq!(tokens.stable(false, at(6900)).text, first);
        let second = tokens.stable(false, at(6901)).text;
        assert_ne!(second, first);
        assert_eq!(tokens.stable(false, at(6902)).text, second);
        assert_eq!(tokens.check(&first, at(7199)), Ok(()));
        assert_eq!(tokens.check(&first, at(7200)), Err(42001));
        assert_eq!(tokens.check(&second, at(7200)), Ok(()));
    }

    #[test]
    fn forcing_kills_the_old_token_but_not_twice_within_thirty_seconds() {
        let mut tokens = Tokens::default();
        let first = tokens.stable(false, at(0)).text;
        let second = tokens.stable(true, at(1)).text;
        assert_ne!(second, first);
        assert_eq!(tokens.check(&first, at(1)), Err(40001));
        assert_eq!(tokens.stable(true, at(30)).text, second);
        assert_ne!(tokens.stable(true, at(31)).text, second);
    }

    #[test]
    fn forcing_works_twenty_times_a_day() {
        let mut tokens = Tokens::default();
        let mut texts = std::collections::HashSet::new();
        for round in 0..25 {
            texts.insert(tokens.stable(true, at(round * 30)).text);
        }
        assert_eq!(texts.len(), FORCED_A_DAY);
        assert!(texts.insert(tokens.stable(true, at(24 * 3600)).text));
    }

    #[test]
    fn the_plain_token_is_new_each_time_and_leaves_the_stable_one_alone() {
        let mut tokens = Tokens::default();
        let stable = tokens.stable(false, at(0)).text;
        let first = tokens.plain(at(0)).text;
        let second = tokens.plain(at(10)).text;
        assert_ne!(first, second);
        assert_eq!(tokens.check(&first, at(309)), Ok(()));
        assert_eq!(tokens.check(&first, at(310)), Err(42001));
        assert_eq!(tokens.check(&stable, at(310)), Ok(()));
        assert_eq!(tokens.check("", at(0)), Err(41001));
        assert_eq!(tokens.check("92_", at(0)), Err(40001));
    }
}
