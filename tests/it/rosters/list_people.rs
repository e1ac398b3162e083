//! The desk finds its people, masked, and nobody else's.

use serde_json::{Value, json};

use super::{Resident, citizen_no, roster_of, send_csv};
use crate::support::TestApp;

async fn people_of(app: &TestApp, code: &str) -> String {
    format!("/staff/divisions/{}/people", app.division(code).await)
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

both_engines! {
    async fn people_are_listed_masked_page_by_page(app: TestApp) {
        let village = app.village().await;
        let mut made = Vec::new();
        for which in 1..=5 {
            made.push(Resident::new("欧阳建国", &citizen_no(which)).of(village).register(&app).await.to_string());
        }
        Resident::new("已注销", &citizen_no(6)).of(village).closed().register(&app).await;
        Resident::new("外村人", &citizen_no(7)).of(app.division("511702108213").await).register(&app).await;
        Resident::new("无村人", &citizen_no(8)).register(&app).await;
        let (desk, path) = (app.staff("desk").await, people_of(&app, "511702108212").await);
        let first = desk.get(&format!("{path}?limit=3")).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = desk.get(&format!("{path}?limit=3&cursor={cursor}")).await.expect(200);
        assert_eq!(second["next_cursor"], Value::Null);
        assert_eq!([ids(&first), ids(&second)].concat(), made);
        let one = &first["items"][0];
        assert_eq!((&one["name"], &one["phone"]), (&json!("欧**国"), &json!("138****0000")));
        assert_eq!(one["citizen_no"], format!("5117**********{}", &citizen_no(1)[14..]));
        assert_eq!((&one["verified"], &one["village"], &one["household"]), (&json!(true), &json!(village), &Value::Null));
        assert_eq!(desk.get(&format!("/staff/people/{}", made[0])).await.expect(200), *one);
    }

    async fn people_are_found_by_what_is_whole(app: TestApp) {
        let village = app.village().await;
        let one = Resident::new("王䶮", &citizen_no(1)).of(village).phone("13900000000").register(&app).await.to_string();
        let two = Resident::new("阿依古丽·买买提", &citizen_no(2)).of(village).register(&app).await.to_string();
        let (desk, path) = (app.staff("desk").await, people_of(&app, "511702108212").await);
        for (typed, found) in [
            ("13900000000".to_owned(), vec![&one]),
            ("139 0000 0000".to_owned(), vec![&one]),
            (citizen_no(2).to_lowercase(), vec![&two]),
            ("王䶮".to_owned(), vec![&one]),
            ("阿依古丽•买买提".to_owned(), vec![&two]),
            ("王".to_owned(), vec![]),
            (citizen_no(3), vec![]),
        ] {
            let page = desk.get(&format!("{path}?q={}", escaped(&typed))).await.expect(200);
            assert_eq!(ids(&page).iter().collect::<Vec<_>>(), found, "{typed}");
        }
        desk.get(&format!("{path}?q=123")).await.invalid("?q", "format");
        desk.get(&format!("{path}?cursor=x")).await.invalid("?cursor", "cursor");
        desk.get(&format!("{path}?whom=x")).await.problem("invalid");
    }

    async fn a_desk_sees_its_place_and_what_lies_below_it(app: TestApp) {
        let village = app.village().await;
        let id = Resident::new("王一", &citizen_no(1)).of(village).register(&app).await;
        let nowhere = Resident::new("王二", &citizen_no(2)).register(&app).await;
        let closed = Resident::new("王三", &citizen_no(3)).of(village).closed().register(&app).await;
        let (town, desk, neighbour) = (app.staff("town").await, app.staff("desk").await, app.staff("neighbour").await);
        let township = people_of(&app, "511702108000").await;
        assert_eq!(ids(&town.get(&township).await.expect(200)), [id.to_string()]);
        assert_eq!(ids(&town.get(&people_of(&app, "511702108213").await).await.expect(200)), Vec::<String>::new());
        desk.get(&township).await.problem("not_found");
        neighbour.get(&people_of(&app, "511702108212").await).await.problem("not_found");
        neighbour.get(&roster_of(&app).await).await.problem("not_found");
        let one = format!("/staff/people/{id}");
        town.get(&one).await.expect(200);
        neighbour.get(&one).await.problem("not_found");
        app.staff("cadre").await.get(&one).await.problem("not_your_duty");
        for hidden in [nowhere, closed] {
            desk.get(&format!("/staff/people/{hidden}")).await.problem("not_found");
        }
    }

    async fn lines_of_the_roster_say_who_has_registered(app: TestApp) {
        let file = format!(
            "姓名,身份证号,户号,组,电话,备注\n张小一,{},12,一组,13800000000,五保\n张小二,{},,,,\n张小三,{},,,,\n",
            citizen_no(1), citizen_no(2), citizen_no(3),
        );
        send_csv(&app, "", &file).await.expect(200);
        Resident::new("张小一", &citizen_no(1)).of(app.village().await).register(&app).await;
        Resident::new("张小二", &citizen_no(2)).of(app.division("511702108213").await).register(&app).await;
        let (desk, path) = (app.staff("desk").await, roster_of(&app).await);
        let page = desk.get(&path).await.expect(200);
        let claimed: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|line| &line["claimed"]).collect();
        assert_eq!(claimed, [&json!(true), &json!(false), &json!(false)]);
        let one = &page["items"][0];
        assert_eq!((&one["name"], &one["phone"], &one["note"]), (&json!("张*一"), &json!("138****0000"), &json!("****")));
        assert_eq!((&one["household"], &one["group"]), (&json!("12"), &json!("一组")));
        let found = desk.get(&format!("{path}?q={}", citizen_no(2))).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        let first = desk.get(&format!("{path}?limit=2")).await.expect(200);
        let rest = desk.get(&format!("{path}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!([ids(&first), ids(&rest)].concat(), ids(&page));
    }
}

/// As an address holds it.
fn escaped(text: &str) -> String {
    text.bytes().flat_map(|byte| ["%".to_owned(), format!("{byte:02X}")]).collect()
}
