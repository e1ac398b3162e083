use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

async fn ask(app: &TestApp, code: &str, answers: Value) -> Answer {
    app.nobody().post(&format!("/catalogue/{code}/pre-check"), json!({"answers": answers})).await
}

/// No sentence is longer than can be listened to.
fn is_easy(text: &str) -> bool {
    text.split(['。', '？', '！', '；']).all(|sentence| sentence.chars().count() <= 40)
}

both_engines! {
    async fn questions_lead_to_apply_or_to_you_need_not(app: TestApp) {
        let first = ask(&app, "DZ-MZ-01", json!({})).await.expect(200);
        assert_eq!((&first["question"]["id"], &first["outcome"]), (&json!("household"), &Value::Null));
        assert_eq!(first["question"]["answers"][0], json!({"label": "在", "value": "yes"}));
        assert_eq!(first["spoken"], "您的户口在本村吗？");
        let already = ask(&app, "DZ-MZ-01", json!({"household": "yes", "already": "yes"})).await.expect(200);
        assert_eq!((&already["question"], &already["outcome"]["kind"]), (&Value::Null, &json!("need_not_apply")));
        assert_eq!(already["spoken"], already["outcome"]["text"]);
        let long = json!({"household": "yes", "already": "no", "alone": "no", "sudden": "no"});
        let apply = ask(&app, "DZ-MZ-01", long).await.expect(200);
        assert_eq!((&apply["outcome"], &apply["version"]), (&json!({"kind": "apply"}), &json!(1)));
        let other = json!({"household": "yes", "already": "no", "alone": "no", "sudden": "yes"});
        let other = ask(&app, "DZ-MZ-01", other).await.expect(200);
        assert_eq!(other["outcome"], json!({"kind": "other_item", "code": "DZ-MZ-03"}));
        assert_eq!(other["spoken"], "您要办的是临时救助。");
        for seen in [first, already, apply, other] {
            assert!(is_easy(seen["spoken"].as_str().unwrap()), "{seen}");
        }
    }

    async fn an_item_without_questions_is_worth_coming_for(app: TestApp) {
        let seen = ask(&app, "DZ-MZ-05", json!({})).await.expect(200);
        assert_eq!(seen["outcome"]["kind"], "apply");
        ask(&app, "NO-SUCH", json!({})).await.problem("not_found");
    }

    async fn what_nobody_asked_is_not_answered(app: TestApp) {
        ask(&app, "DZ-MZ-01", json!({"household": "maybe"})).await.invalid("/answers/household", "unknown");
        ask(&app, "DZ-MZ-01", json!({"a/b": "yes"})).await.invalid("/answers/a~1b", "unknown");
        ask(&app, "DZ-MZ-01", json!({"household": 1})).await.invalid("/answers/household", "type");
        let one = app.nobody().post("/catalogue/DZ-MZ-01/pre-check", json!({"answer": {}})).await;
        one.invalid("/answer", "unknown_field");
    }

    async fn everything_can_be_read_aloud(app: TestApp) {
        let page = app.nobody().get("/catalogue?limit=100").await.expect(200);
        for listed in page["items"].as_array().unwrap() {
            let item = app.nobody().get(&format!("/catalogue/{}", listed["code"].as_str().unwrap())).await.expect(200);
            assert!(is_easy(item["easy_text"].as_str().unwrap()), "{item}");
            let papers = item["papers"].as_array().unwrap();
            assert_eq!(papers.iter().map(|paper| &paper["name"]).collect::<Vec<_>>(), listed["materials"].as_array().unwrap().iter().collect::<Vec<_>>());
            for said in papers.iter().chain(item["pre_check"].as_array().unwrap()) {
                assert!(is_easy(said["easy_text"].as_str().unwrap()), "{said}");
            }
        }
    }

    async fn an_item_shows_what_the_service_list_has_of_it(app: TestApp) {
        let item = app.nobody().get("/catalogue/DZ-GA-04").await.expect(200);
        assert_eq!((&item["sichuan_item_code"], &item["statutory_days"], &item["promised_days"]), (&json!("513A0011200068"), &json!(60), &json!(30)));
        assert_eq!(item["legal_basis"], json!([{"title": "《居民身份证法》", "article": "第十二条"}]));
        // What is not known is not made up, and what is not certain says so.
        assert_eq!((&item["implementation_code"], &item["conditions"], &item["procedure"]), (&Value::Null, &json!([]), &json!([])));
        let estimated = item["estimated"].as_array().unwrap();
        assert!(["legal_basis", "statutory_days", "material_details"].iter().all(|field| estimated.contains(&json!(field))));
        assert_eq!(item["provenance"]["legal_basis"], "E");
        assert_eq!(item["papers"][0]["reusable"], true);
    }
}
