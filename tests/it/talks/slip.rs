//! The slip: a page that prints on narrow paper and tells nobody who or what.

use chrono::TimeDelta;
use serde_json::json;

use super::{booked, of_booking, of_day, this_afternoon, walk_in};

both_engines! {
    async fn a_slip_has_the_number_the_time_and_no_name_or_matter(app: TestApp) {
        let day = this_afternoon(&app, 6, json!({"place": "<b>村委会</b> & \"院坝\""})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][1]).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        desk.post(&of_day(&day, "walk-ins"), walk_in("样例乙")).await.expect(201);
        let entry = desk.post(&of_day(&day, "walk-ins"), walk_in("慕容拂晓")).await.expect(201);
        let answer = desk.get(&of_booking(&entry, "slip")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
        let page = answer.text();
        for part in ["石笋村", "2026-11-23", ">8</div>", "13:00", "13:10", entry["code"].as_str().unwrap(), "前面还有 1 人"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(page.contains("&lt;b&gt;村委会&lt;/b&gt; &amp; &quot;院坝&quot;"), "{page}");
        for part in ["慕", "晓", "路", "roads", "http", "<b>", "<script", "src="] {
            assert!(!page.contains(part), "{part}: {page}");
        }
        let of_booked = desk.get(&of_booking(&booking, "slip")).await.text();
        assert!(of_booked.contains("预约时间") && of_booked.contains("13:10") && of_booked.contains(">2</div>"), "{of_booked}");
        let english = desk.with_language("en").get(&of_booking(&booking, "slip")).await.text();
        assert!(english.contains("Your number"), "{english}");
        app.staff("neighbour").await.get(&of_booking(&booking, "slip")).await.problem("not_found");
        app.drain_jobs().await;
    }
}
