//! Lists and searches, walked over the real divisions.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::Actor;

async fn walk(nobody: &Actor, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = nobody.get(&format!("{path}{cursor}")).await.expect(200);
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["display_name"].as_str().unwrap()).collect()
}

both_engines! {
    async fn a_walk_over_all_divisions_meets_each_once(app: TestApp) {
        let all = walk(&app.nobody(), "/divisions?limit=100").await;
        let ids: HashSet<&str> = all.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!((all.len(), ids.len()), (2491, 2491));
        let codes: Vec<&str> = all.iter().map(|item| item["code"].as_str().unwrap()).collect();
        assert!(codes.is_sorted());
    }

    async fn a_page_that_ends_the_list_says_so(app: TestApp) {
        let county = app.division("511702000000").await;
        let path = format!("/divisions?parent={county}");
        let children = walk(&app.nobody(), &format!("{path}&limit=1")).await;
        let exactly = app.nobody().get(&format!("{path}&limit={}", children.len())).await.expect(200);
        assert_eq!(exactly["items"].as_array().unwrap().len(), children.len());
        assert!(exactly["next_cursor"].is_null());
    }

    async fn a_list_is_twenty_long_unless_said(app: TestApp) {
        assert_eq!(app.nobody().get("/divisions").await.expect(200)["items"].as_array().unwrap().len(), 20);
        let most = app.nobody().get("/divisions?limit=100").await.expect(200);
        assert_eq!(most["items"].as_array().unwrap().len(), 100);
        for limit in ["0", "101"] {
            app.nobody().get(&format!("/divisions?limit={limit}")).await.invalid("?limit", "range");
        }
        for limit in ["-1", "x", "99999999999999999999", ""] {
            app.nobody().get(&format!("/divisions?limit={limit}")).await.problem("invalid");
        }
        app.nobody().get("/divisions?offset=3").await.problem("invalid");
    }

    async fn a_cursor_that_is_not_ours_is_refused(app: TestApp) {
        for cursor in ["x", "!!", "bm90LWpzb24", "W10"] {
            app.nobody().get(&format!("/divisions?cursor={cursor}")).await.invalid("?cursor", "cursor");
        }
    }

    async fn a_village_is_found_by_a_part_of_its_name(app: TestApp) {
        let found = app.nobody().get("/divisions?q=石笋").await.expect(200);
        assert!(names(&found).iter().any(|name| name.contains("石笋")), "{found}");
        assert!(found["items"].as_array().unwrap().iter().any(|item| item["code"] == shuoshi::demo::VILLAGE));
        for wild in ["%25", "_", "%5C"] {
            assert!(names(&app.nobody().get(&format!("/divisions?q={wild}")).await.expect(200)).is_empty(), "{wild}");
        }
    }

    async fn both_code_systems_find_a_place(app: TestApp) {
        let with_both = walk(&app.nobody(), "/divisions?limit=100&level=township").await;
        let place = with_both.iter().find(|item| item["mca_code"].is_string() && item["mca_code"] != item["code"]);
        let place = place.expect("some township has a civil-affairs code of its own");
        for code in [&place["code"], &place["mca_code"]] {
            let found = app.nobody().get(&format!("/divisions?code={}", code.as_str().unwrap())).await.expect(200);
            let ids: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            assert!(ids.contains(&&place["id"]), "{code} finds {found}");
        }
    }
}
