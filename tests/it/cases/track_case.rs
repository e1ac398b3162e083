//! Tracking by number and phone tail, without signing in.

use serde_json::json;

use super::{answered, becomes_private, filed};

both_engines! {
    async fn number_and_tail_show_where_it_stands_and_nothing_private(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        let number = case["number"].as_str().unwrap();
        let seen = app.nobody().post("/track", json!({"number": number, "phone_tail": "1234"})).await.expect(200);
        assert_eq!((&seen["state"], &seen["number"]), (&json!("answered"), &json!(number)));
        assert_eq!(seen["milestones"].as_array().unwrap().len(), 5);
        let text = seen.to_string();
        assert!(!text.contains("请帮我家申请") && !text.contains("已经办好") && !text.contains("1380000"), "{text}");
        app.drain_jobs().await;
    }

    async fn a_number_survives_being_read_out(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let number = case["number"].as_str().unwrap();
        let spoken: String = number.chars().map(|digit| ['零', '幺', '二', '三', '四', '五', '六', '七', '八', '九'][digit.to_digit(10).unwrap() as usize]).collect();
        for heard in [spoken, format!("{}-{}", &number[..5], &number[5..]), format!(" {number} ")] {
            app.nobody().post("/track", json!({"number": heard, "phone_tail": "1234"})).await.expect(200);
        }
        app.drain_jobs().await;
    }

    async fn a_wrong_pair_is_not_found_whichever_half_is_wrong(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let nobody = app.nobody();
        let right = case["number"].as_str().unwrap();
        let wrong_tail = nobody.post("/track", json!({"number": right, "phone_tail": "9999"})).await.problem("not_found");
        let wrong_number = nobody.post("/track", json!({"number": "1234567890", "phone_tail": "1234"})).await.problem("not_found");
        assert_eq!(wrong_tail["detail"], wrong_number["detail"]);
        app.drain_jobs().await;
    }

    async fn guessing_is_throttled(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let strict = app.second_server_with(|config| config.auth.throttle.spare_loopback = false).await;
        let number = case["number"].as_str().unwrap();
        for _ in 0..10 {
            strict.nobody().post("/track", json!({"number": number, "phone_tail": "0000"})).await.problem("not_found");
        }
        let refused = strict.nobody().post("/track", json!({"number": number, "phone_tail": "1234"})).await;
        assert_ne!(refused.header("retry-after"), "");
        refused.problem("too_many_requests");
        app.advance(chrono::TimeDelta::minutes(11));
        strict.nobody().post("/track", json!({"number": number, "phone_tail": "1234"})).await.expect(200);
        app.drain_jobs().await;
    }

    async fn one_number_is_not_guessed_at_from_everywhere(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let proxied = app.second_server_with(|config| {
            config.auth.throttle.spare_loopback = false;
            config.http.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        }).await;
        let number = case["number"].as_str().unwrap();
        let track = async |from: usize, tail: &str| {
            let (head, tail_of_it) = number.split_at(1 + from % 9);
            let spaced = format!("{head} {tail_of_it}");
            let body = json!({"number": spaced, "phone_tail": tail});
            let call = proxied.nobody().call(reqwest::Method::POST, "/api/v1/track").json(body);
            call.header("X-Forwarded-For", &format!("203.0.113.{from}")).send().await
        };
        for from in 0..30 {
            track(from, "0000").await.problem("not_found");
        }
        track(31, "1234").await.problem("too_many_requests");
        app.advance(chrono::TimeDelta::minutes(11));
        track(32, "1234").await.expect(200);
        app.drain_jobs().await;
    }

    async fn what_took_up_a_private_matter_is_not_tracked(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let asked = json!({"number": case["number"], "phone_tail": "1234"});
        app.nobody().post("/track", asked.clone()).await.expect(200);
        becomes_private(&app, &case).await;
        app.nobody().post("/track", asked).await.problem("not_found");
        app.drain_jobs().await;
    }
}
