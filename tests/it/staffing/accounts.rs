//! Accounts: made, found, changed, each only inside the place of who does it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::demo::PASSWORD;

use super::{COUNTY, NEIGHBOUR, TOWNSHIP, account, clerk, made, officer, posting, to_be};
use crate::support::Actor;

async fn usernames(by: &Actor, query: &str) -> Vec<Value> {
    let page = by.get(&format!("/staff/accounts{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["username"].clone()).collect()
}

both_engines! {
    async fn an_account_is_made_and_signs_in(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        let made = made(&admin, "New.Clerk", &[posting(village, &["accept_cases", "handle_cases"])]).await;
        assert_eq!((&made["username"], &made["totp"]), (&json!("new.clerk"), &json!(false)));
        assert_eq!(made["postings"][0]["unit_name"], "石笋村便民服务室", "the desk of the village, which was there");
        assert!(!made.to_string().contains(PASSWORD));
        let clerk = app.staff("new.clerk").await;
        assert_eq!(clerk.session["staff"]["postings"][0]["division"], json!(village));
        clerk.get("/staff/cases").await.expect(200);
        assert_eq!(admin.get(&account(&made["id"])).await.expect(200), made);
        let audited = "SELECT COUNT(*) FROM audit_entry WHERE action = 'make_account'";
        assert_eq!(app.number(audited).await, 1);
    }

    async fn a_unit_that_is_not_there_is_made(app: TestApp) {
        let admin = app.staff("admin").await;
        let other = app.division("511702108206").await;
        let made = made(&admin, "first", &[posting(other, &["accept_cases"])]).await;
        assert_eq!(made["postings"][0]["unit_kind"], "village_desk");
        assert_eq!(app.number("SELECT COUNT(*) FROM unit WHERE kind = 'village_desk'").await, 3);
    }

    async fn what_is_wrong_is_told_where(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        let good = || posting(village, &["handle_cases"]);
        let send = async |body: Value| admin.post("/staff/accounts", body).await;
        send(to_be("desk", &[good()])).await.problem("username_taken");
        send(to_be("不是", &[good()])).await.invalid("/username", "format");
        send(to_be("a", &[])).await.invalid("/postings", "length");
        send(to_be("a", &[posting(village, &[])])).await.invalid("/postings/0/duties", "length");
        send(to_be("a", &[posting(village, &["host_talks", "host_talks"])])).await.invalid("/postings/0/duties", "duplicate");
        let mut short = to_be("a", &[good()]);
        short["password"] = json!("nine char");
        let told = send(short).await.invalid("/password", "length");
        assert!(!told.to_string().contains("nine char"), "{told}");
        let mut past = good();
        past["starts_on"] = json!("2026-11-22");
        send(to_be("a", &[good(), past])).await.invalid("/postings/1/starts_on", "past");
        let mut ended = good();
        ended["ends_on"] = json!("2026-11-20");
        send(to_be("a", &[ended])).await.invalid("/postings/0/ends_on", "ends_before_start");
        let mut elsewhere = good();
        elsewhere["unit"] = admin.get("/staff/units").await.expect(200)["items"][1]["id"].clone();
        send(to_be("a", &[elsewhere])).await.invalid("/postings/0/unit", "unknown");
        assert_eq!(app.number("SELECT COUNT(*) FROM staff WHERE username = 'a'").await, 0);
    }

    async fn a_retry_makes_one_account_and_keeps_no_password(app: TestApp) {
        let admin = app.staff("admin").await;
        let body = to_be("once", &[posting(app.village().await, &["handle_cases"])]);
        let first = admin.post_keyed("/staff/accounts", "key-of-once", body.clone()).await.expect(201);
        let again = admin.post_keyed("/staff/accounts", "key-of-once", body).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        let told = format!("SELECT COUNT(*) FROM idempotent_answer WHERE body LIKE '%{PASSWORD}%'");
        assert_eq!(app.number(&told).await, 0);
    }

    async fn a_township_s_administrator_reaches_the_township_and_no_further(app: TestApp) {
        let keeper = officer(&app, "keeper", TOWNSHIP, &["manage_accounts", "assign_cases"]).await;
        let (village, county) = (app.village().await, app.division(COUNTY).await);
        let inside = made(&keeper, "inside", &[posting(village, &["handle_cases"])]).await;
        let both = [posting(village, &["handle_cases"]), posting(county, &["supervise"])];
        keeper.post("/staff/accounts", to_be("a", &both)).await.invalid("/postings/1/division", "not_in_scope");
        for duty in ["read_audit", "handle_discipline", "manage_accounts", "manage_receivers"] {
            keeper.post("/staff/accounts", to_be("a", &[posting(village, &[duty])])).await.problem("not_your_duty");
        }
        // Somebody with one foot outside is not theirs.
        let admin = app.staff("admin").await;
        let straddling = made(&admin, "straddling", &both).await;
        for (who, seen) in [(&straddling, false), (&inside, true)] {
            let answer = keeper.get(&account(&who["id"])).await;
            if seen { answer.expect(200); } else { answer.problem("not_found"); }
        }
        keeper.put(&account(&straddling["id"]), json!({"name": "乙"})).await.problem("not_found");
        keeper.delete(&account(&straddling["id"])).await.problem("not_found");
        keeper.get(&account(&json!(admin.id()))).await.problem("not_found");
        let listed = usernames(&keeper, "").await;
        assert!(listed.contains(&json!("inside")) && listed.contains(&json!("desk")), "{listed:?}");
        assert!(!listed.contains(&json!("straddling")) && !listed.contains(&json!("county")), "{listed:?}");
        keeper.get(&format!("/staff/accounts?division={county}")).await.problem("not_found");
    }

    async fn who_holds_what_only_the_county_gives_is_changed_only_by_the_county(app: TestApp) {
        let keeper = officer(&app, "keeper", TOWNSHIP, &["manage_accounts"]).await;
        let discipline = account(&json!(app.staff("discipline").await.id()));
        keeper.get(&discipline).await.expect(200);
        // With their password one would read what is said of oneself.
        for change in [json!({"password": "a password of mine"}), json!({"postings": []}), json!({"reset_totp": true})] {
            keeper.put(&discipline, change).await.problem("not_your_duty");
        }
        keeper.delete(&discipline).await.problem("not_your_duty");
        app.staff("admin").await.put(&discipline, json!({"reset_totp": true})).await.expect(200);
    }

    async fn nobody_dismisses_or_posts_themselves(app: TestApp) {
        let admin = app.staff("admin").await;
        let own = account(&json!(admin.id()));
        admin.delete(&own).await.problem("conflict_of_interest");
        let more = [posting(app.division(COUNTY).await, &["handle_discipline"])];
        for change in [json!({"postings": more}), json!({"password": "another password"}), json!({"wecom_userid": "Me"})] {
            admin.put(&own, change).await.problem("conflict_of_interest");
        }
        assert_eq!(admin.put(&own, json!({"name": "样例 管理员"})).await.expect(200)["name"], "样例 管理员");
        let keeper = officer(&app, "keeper", TOWNSHIP, &["manage_accounts"]).await;
        let own = account(&json!(keeper.id()));
        keeper.put(&own, json!({"postings": []})).await.problem("conflict_of_interest");
        keeper.delete(&own).await.problem("conflict_of_interest");
        keeper.put(&own, json!({"name": "样例 镇管理员"})).await.expect(200);
    }

    async fn lists_come_in_pages_and_are_searched(app: TestApp) {
        let admin = app.staff("admin").await;
        let all = usernames(&admin, "?limit=100").await;
        assert_eq!(all.len(), 8);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/staff/accounts?limit=3{cursor}")).await.expect(200);
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["username"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, all);
        assert_eq!(usernames(&admin, "?q=cadre").await, ["cadre", "cadre2"]);
        assert_eq!(usernames(&admin, "?q=%25").await, Vec::<Value>::new(), "a wildcard is a letter like others");
        let neighbour = app.division(NEIGHBOUR).await;
        assert_eq!(usernames(&admin, &format!("?division={neighbour}")).await, ["neighbour"]);
        app.staff("desk").await.get("/staff/accounts").await.problem("not_your_duty");
    }

    async fn a_password_that_is_set_ends_every_session(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let admin = app.staff("admin").await;
        admin.put(&account(&json!(clerk.id())), json!({"password": "a new password"})).await.expect(200);
        clerk.get("/staff/me").await.problem("session_ended");
        let body = json!({"refresh_token": clerk.session["refresh_token"]});
        app.nobody().post("/auth/refresh", body).await.problem("session_ended");
        let sign_in = async |password: &str| {
            app.nobody().post("/auth/staff", json!({"username": "clerk", "password": password})).await
        };
        sign_in(PASSWORD).await.problem("bad_credentials");
        sign_in("a new password").await.expect(200);
    }

    async fn postings_are_replaced_and_their_history_stays(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        let neighbour = app.division(NEIGHBOUR).await;
        let (kept, dropped) = (posting(village, &["handle_cases", "host_talks"]), posting(neighbour, &["accept_cases"]));
        let before = made(&admin, "clerk", &[kept, dropped]).await;
        let clerk = app.staff("clerk").await;
        app.advance(TimeDelta::days(3));
        // The same duties in another order are the same posting.
        let next = [posting(village, &["host_talks", "handle_cases"]), posting(village, &["supervise"])];
        let after = admin.put(&account(&before["id"]), json!({"postings": next})).await.expect(200);
        let rows = after["postings"].as_array().unwrap();
        assert_eq!(rows.len(), 3, "{after}");
        let of = |id: &Value| rows.iter().find(|row| row["id"] == *id).unwrap();
        assert_eq!(of(&before["postings"][0]["id"])["ends_on"], json!(null));
        assert_eq!(of(&before["postings"][1]["id"])["ends_on"], "2026-11-25", "ended the day before");
        assert_eq!(rows[2]["starts_on"], "2026-11-26");
        let me = clerk.get("/staff/me").await.expect(200);
        assert_eq!(me["postings"].as_array().unwrap().len(), 2, "at once, and the session stays: {me}");
    }

    async fn a_posting_that_ends_loses_its_place_the_next_day(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await);
        let mut until = posting(village, &["accept_cases"]);
        until["ends_on"] = json!("2026-11-24");
        made(&admin, "brief", &[until]).await;
        let brief = app.staff("brief").await;
        app.advance(TimeDelta::days(1));
        brief.get("/staff/cases").await.expect(200);
        app.advance(TimeDelta::days(1));
        brief.get("/staff/cases").await.problem("not_your_duty");
        brief.get("/staff/me").await.expect(200);
    }

    async fn a_member_of_wecom_is_bound_once(app: TestApp) {
        let admin = app.staff("admin").await;
        let (desk, cadre) = (account(&json!(app.staff("desk").await.id())), account(&json!(app.staff("cadre").await.id())));
        let bound = admin.put(&desk, json!({"wecom_userid": "ZhangSan"})).await.expect(200);
        assert_eq!(bound["wecom_userid"], "zhangsan");
        admin.put(&cadre, json!({"wecom_userid": "zhangsan "})).await.problem("wecom_taken");
        admin.put(&desk, json!({"name": "样例 经办员"})).await.expect(200);
        assert_eq!(admin.get(&desk).await.expect(200)["wecom_userid"], "zhangsan", "what is left out stays");
        assert_eq!(admin.put(&desk, json!({"wecom_userid": null})).await.expect(200)["wecom_userid"], json!(null));
        admin.put(&cadre, json!({"wecom_userid": "zhangsan"})).await.expect(200);
        admin.put(&cadre, json!({"wecom_userid": " "})).await.invalid("/wecom_userid", "length");
    }
}
