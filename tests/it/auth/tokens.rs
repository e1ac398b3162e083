//! Access and refresh tokens: how long they live and what ends them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{knock, with_short_tokens};
use crate::support::TestApp;

fn text(session: &Value, member: &str) -> String {
    session[member].as_str().unwrap().to_owned()
}

/// Header and claims of a token, read without asking whether they are true.
fn claims(token: &str) -> Value {
    let middle = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

both_engines! {
    async fn refreshing_gives_new_tokens_for_the_same_person(app: TestApp) {
        let me = app.villager("甲").await;
        let body = json!({"refresh_token": text(&me.session, "refresh_token")});
        let fresh = app.nobody().post("/auth/refresh", body).await.expect(200);
        assert_eq!(fresh["person"]["id"], me.id());
        assert_ne!(fresh["refresh_token"], me.session["refresh_token"]);
        knock(&app.nobody().with_token(&text(&fresh, "access_token"))).await.expect(200);
        let staff = app.staff("desk").await;
        let body = json!({"refresh_token": text(&staff.session, "refresh_token")});
        assert_eq!(app.nobody().post("/auth/refresh", body).await.expect(200)["staff"]["id"], staff.id());
    }

    async fn a_refresh_token_that_comes_twice_ends_the_whole_family(app: TestApp) {
        let me = app.villager("甲").await;
        let old = json!({"refresh_token": text(&me.session, "refresh_token")});
        let fresh = app.nobody().post("/auth/refresh", old.clone()).await.expect(200);
        app.nobody().post("/auth/refresh", old).await.problem("session_ended");
        let newest = json!({"refresh_token": text(&fresh, "refresh_token")});
        app.nobody().post("/auth/refresh", newest).await.problem("session_ended");
        knock(&me).await.problem("session_ended");
        knock(&app.nobody().with_token(&text(&fresh, "access_token"))).await.problem("session_ended");
        knock(&app.villager("甲").await).await.expect(200);
    }

    async fn a_refresh_token_used_twice_at_once_is_good_at_most_once(app: TestApp) {
        let me = app.villager("甲").await;
        let body = json!({"refresh_token": text(&me.session, "refresh_token")});
        let nobody = app.nobody();
        let both = futures_util::future::join_all((0..2).map(|_| nobody.post("/auth/refresh", body.clone()))).await;
        let good = both.iter().filter(|answer| answer.status == 200).count();
        assert!(good <= 1, "{both:?}");
        knock(&me).await.problem("session_ended");
    }

    async fn a_refresh_token_lives_ninety_days(app: TestApp) {
        let me = app.villager("甲").await;
        let body = json!({"refresh_token": text(&me.session, "refresh_token")});
        app.advance(TimeDelta::days(90));
        app.nobody().post("/auth/refresh", body).await.problem("session_ended");
        app.nobody().post("/auth/refresh", json!({"refresh_token": "made up"})).await.problem("session_ended");
        app.drain_jobs().await;
    }

    async fn signing_out_works_at_once_and_for_this_session_only(app: TestApp) {
        let phone = app.villager("甲").await;
        let tablet = app.villager("甲").await;
        assert_eq!(phone.post("/auth/logout", json!({})).await.status, 204);
        knock(&phone).await.problem("session_ended");
        let body = json!({"refresh_token": text(&phone.session, "refresh_token")});
        app.nobody().post("/auth/refresh", body).await.problem("session_ended");
        knock(&tablet).await.expect(200);
    }

    async fn an_access_token_lives_half_an_hour(app: TestApp) {
        let app = with_short_tokens(&app).await;
        let me = app.villager("甲").await;
        assert_eq!(me.session["expires_in"], 1800);
        app.advance(TimeDelta::seconds(1799));
        knock(&me).await.expect(200);
        app.advance(TimeDelta::seconds(1));
        let answer = knock(&me).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answer.problem("sign_in_required");
    }

    async fn a_bad_token_is_refused_even_where_none_is_needed(app: TestApp) {
        for token in ["", "x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.x"] {
            let caller = app.nobody().with_token(token);
            caller.get("/divisions?limit=1").await.problem("sign_in_required");
        }
        let basic = app.nobody().call(reqwest::Method::GET, "/api/v1/divisions").header("Authorization", "Basic eDp5");
        basic.send().await.problem("sign_in_required");
        app.nobody().get("/divisions?limit=1").await.expect(200);
    }

    async fn only_our_key_and_our_algorithm_make_a_token(app: TestApp) {
        let me = app.villager("甲").await;
        let token = text(&me.session, "access_token");
        let ours = claims(&token);
        let unsigned = {
            let header = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT", "kid": "demo"}).to_string());
            format!("{header}.{}.", URL_SAFE_NO_PAD.encode(ours.to_string()))
        };
        let signed = |algorithm, kid: &str, key: &[u8]| {
            let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
            encode(&header, &ours, &EncodingKey::from_secret(key)).unwrap()
        };
        let demo_key = shuoshi::config::decode(&app.app().config.auth.jwt_keys["demo"]).unwrap();
        let mut tampered = token.clone();
        tampered.truncate(token.len() - 4);
        for (what, forged) in [
            ("unsigned", unsigned),
            ("another key", signed(Algorithm::HS256, "demo", b"another key, long enough for HS256")),
            ("an unknown key id", signed(Algorithm::HS256, "other", &demo_key)),
            ("another algorithm", signed(Algorithm::HS512, "demo", &demo_key)),
            ("a cut signature", tampered),
        ] {
            let answer = knock(&app.nobody().with_token(&forged)).await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.text());
            answer.problem("sign_in_required");
        }
        let own = signed(Algorithm::HS256, "demo", &demo_key);
        knock(&app.nobody().with_token(&own)).await.expect(200);
    }

    async fn somebody_dismissed_is_out_at_once(app: TestApp) {
        let desk = app.staff("desk").await;
        // Staff have no duty in a villager's inbox, but they are somebody.
        knock(&desk).await.problem("not_your_duty");
        dismiss(&app, "desk").await;
        knock(&desk).await.problem("session_ended");
        let body = json!({"refresh_token": text(&desk.session, "refresh_token")});
        app.nobody().post("/auth/refresh", body).await.problem("session_ended");
        let again = json!({"username": "desk", "password": shuoshi::demo::PASSWORD});
        app.nobody().post("/auth/staff", again).await.problem("bad_credentials");
    }
}

async fn dismiss(app: &TestApp, username: &'static str) {
    use entity::staff;
    use sea_orm::{EntityTrait, QueryFilter};
    let now = app.now();
    app.db()
        .transact(async move |tx| {
            staff::Entity::update_many()
                .col_expr(staff::Column::DismissedAt, now.into())
                .filter(staff::COLUMN.username.eq(username))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
        .unwrap();
}
