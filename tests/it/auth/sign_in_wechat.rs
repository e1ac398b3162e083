//! POST /auth/wechat

use std::net::TcpListener;

use chrono::TimeDelta;
use serde_json::json;

const LOGIN: &str = "/sns/jscode2session";

both_engines! {
    async fn the_first_visit_makes_a_person_and_the_next_finds_it(app: TestApp) {
        let first = app.villager("甲").await;
        assert_eq!(first.session["token_type"], "Bearer");
        assert_eq!(first.session["person"]["verified"], false);
        assert!(first.session.get("staff").is_none());
        assert_eq!(app.villager("甲").await.id(), first.id());
        assert_ne!(app.villager("乙").await.id(), first.id());
    }

    async fn two_first_visits_at_once_are_one_person(app: TestApp) {
        let codes = [app.wechat_code("甲").await, app.wechat_code("甲").await, app.wechat_code("甲").await];
        let nobody = app.nobody();
        let visits = codes.iter().map(|code| nobody.post("/auth/wechat", json!({"code": code})));
        let answers = futures_util::future::join_all(visits).await;
        let mut people: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)["person"]["id"].clone()).collect();
        people.dedup();
        assert_eq!(people.len(), 1, "{people:?}");
        assert_eq!(app.number("SELECT COUNT(*) FROM wechat_account").await, 1);
    }

    async fn a_wrong_used_or_expired_code_signs_nobody_in(app: TestApp) {
        let nobody = app.nobody();
        nobody.post("/auth/wechat", json!({"code": "no such code"})).await.problem("wechat_code_invalid");

        let code = app.wechat_code("甲").await;
        nobody.post("/auth/wechat", json!({"code": code})).await.expect(200);
        nobody.post("/auth/wechat", json!({"code": code})).await.problem("wechat_code_invalid");

        let code = app.wechat_code("甲").await;
        app.advance(TimeDelta::seconds(301));
        nobody.post("/auth/wechat", json!({"code": code})).await.problem("wechat_code_invalid");
    }

    async fn while_wechat_fails_the_answer_is_to_come_back(app: TestApp) {
        for fault in [json!({"http": 500}), json!({"http": 200}), json!({"errcode": -1})] {
            let mut order = json!({"path": LOGIN, "times": 10});
            order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
            app.simulator("faults", order).await;
            let code = app.wechat_code("甲").await;
            let answer = app.nobody().post("/auth/wechat", json!({"code": code})).await;
            assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{fault}: {:?}", answer.headers);
            answer.problem("wechat_unavailable");
        }
    }

    async fn a_wechat_that_cannot_be_reached_is_unavailable(app: TestApp) {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cut_off = app.second_server_with(|config| config.wechat.base_url = format!("http://{closed}")).await;
        let answer = cut_off.nobody().post("/auth/wechat", json!({"code": "any"})).await;
        assert_ne!(answer.header("retry-after"), "");
        answer.problem("wechat_unavailable");
        cut_off.nobody().get("/divisions?limit=1").await.expect(200);
    }

    async fn a_slow_wechat_does_not_hold_up_others(app: TestApp) {
        app.simulator("faults", json!({"path": LOGIN, "times": 1, "delay_ms": 400})).await;
        let code = app.wechat_code("甲").await;
        let nobody = app.nobody();
        let slow = async {
            nobody.post("/auth/wechat", json!({"code": code})).await.expect(200);
            "slow"
        };
        let other = async {
            nobody.get("/divisions?limit=1").await.expect(200);
            "other"
        };
        let (first, _) = futures_util::future::select(Box::pin(slow), Box::pin(other)).await.factor_first();
        assert_eq!(first, "other");
    }

    async fn a_code_is_needed_and_nothing_else_is_taken(app: TestApp) {
        let nobody = app.nobody();
        nobody.post("/auth/wechat", json!({})).await.invalid("/code", "required");
        nobody.post("/auth/wechat", json!({"code": ""})).await.invalid("/code", "length");
        nobody.post("/auth/wechat", json!({"code": "x", "openid": "y"})).await.invalid("/openid", "unknown_field");
    }
}
