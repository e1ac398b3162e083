//! One's own account: what it says, and the password.

use serde_json::json;
use shuoshi::demo::PASSWORD;

use super::clerk;

both_engines! {
    async fn one_reads_one_s_own_account(app: TestApp) {
        let me = app.staff("cadre").await.get("/staff/me").await.expect(200);
        assert_eq!((&me["username"], &me["name"]), (&json!("cadre"), &json!("样例 村干部乙")));
        assert_eq!(me["postings"][0]["unit_name"], "石笋村便民服务室");
        assert_eq!(me["postings"][0]["division_name"], "石笋村");
        assert_eq!((&me["second_factor"], &me["totp"], &me["wecom"]), (&json!("none"), &json!(false), &json!(false)));
        assert_eq!(me["second_factor_missing"], false);
        app.villager("甲").await.get("/staff/me").await.problem("not_your_duty");
        app.nobody().get("/staff/me").await.problem("sign_in_required");
    }

    async fn a_password_is_changed_with_the_old_one_and_other_sessions_end(app: TestApp) {
        let here = clerk(&app, "clerk").await;
        let elsewhere = app.staff("clerk").await;
        let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
        let path = "/staff/me/password";
        here.put(path, change("not the old one", "a new password")).await.invalid("/old_password", "wrong");
        here.put(path, change(PASSWORD, "too short")).await.invalid("/new_password", "length");
        here.put(path, change(PASSWORD, "a new password")).await.expect(204);
        elsewhere.get("/staff/me").await.problem("session_ended");
        let old = json!({"refresh_token": elsewhere.session["refresh_token"]});
        app.nobody().post("/auth/refresh", old).await.problem("session_ended");
        here.get("/staff/me").await.expect(200);
        let own = json!({"refresh_token": here.session["refresh_token"]});
        app.nobody().post("/auth/refresh", own).await.expect(200);
        let sign_in = json!({"username": "clerk", "password": "a new password"});
        app.nobody().post("/auth/staff", sign_in).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_entry WHERE action = 'change_password'").await, 1);
    }

    async fn who_holds_a_session_may_not_guess_the_password_without_end(app: TestApp) {
        let clerk = clerk(&app, "clerk").await;
        let guess = json!({"old_password": "a guess of mine", "new_password": "a new password"});
        for _ in 0..5 {
            clerk.put("/staff/me/password", guess.clone()).await.invalid("/old_password", "wrong");
        }
        clerk.put("/staff/me/password", guess).await.problem("too_many_requests");
    }
}
