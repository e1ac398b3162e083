//! A gateway of text messages that fails: what goes once, what is tried again, what somebody says instead.

use std::{net::TcpListener, sync::Mutex};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    web::{self, Data, Json},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::{
    config::{Config, SmsProvider},
    jobs::sweeps::{self, Sweep},
    notices::About,
};

use super::{PHONE, away, deliveries, person_of, write};
use crate::support::TestApp;

type Asked = Mutex<Vec<Value>>;
type Answer = Mutex<(u16, Value)>;

/// A server that hears messages and answers as it is told to.
struct Gateway {
    url: String,
    asked: Data<Asked>,
    answer: Data<Answer>,
    server: ServerHandle,
}

impl Gateway {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked: Data<Asked> = Data::new(Mutex::default());
        let answer: Data<Answer> = Data::new(Mutex::new((200, json!({"code": 0}))));
        let shared = (asked.clone(), answer.clone());
        let app =
            move || App::new().app_data(shared.0.clone()).app_data(shared.1.clone()).default_service(web::to(hear));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, asked, answer, server: handle }
    }

    fn answers(&self, status: u16, body: Value) {
        *self.answer.lock().unwrap() = (status, body);
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    /// A server that sends by it.
    async fn of(&self, app: &TestApp, repeats_are_dropped: bool) -> TestApp {
        let url = self.url.clone();
        let by_it = move |config: &mut Config| {
            config.sms.provider = SmsProvider::Http;
            config.sms.url = url;
            r#"{"id": "{id}", "to": "{phone}", "text": "{text}"}"#.clone_into(&mut config.sms.body);
            config.sms.repeats_are_dropped = repeats_are_dropped;
        };
        app.second_server_with(by_it).await
    }
}

async fn hear(asked: Data<Asked>, answer: Data<Answer>, body: Json<Value>) -> HttpResponse {
    asked.lock().unwrap().push(body.into_inner());
    let (status, body) = answer.lock().unwrap().clone();
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(body)
}

both_engines! {
    async fn a_code_goes_once_where_nobody_knows_and_not_when_it_is_over(app: TestApp) {
        let gateway = Gateway::start();
        let (forgetful, careful) = (gateway.of(&app, false).await, gateway.of(&app, true).await);
        let villager = app.villager("甲").await;
        let ask = async || villager.post("/me/phone/sms", json!({"phone": PHONE})).await.expect(202);
        let later = async |server: &TestApp, seconds: i64| {
            app.advance(TimeDelta::seconds(seconds));
            server.drain_jobs().await;
            gateway.asked().len()
        };
        gateway.answers(500, json!({}));
        ask().await;
        assert_eq!((later(&forgetful, 0).await, later(&forgetful, 30).await), (1, 1));
        // A gateway that knows a message again by its id is asked until it says that it has it.
        app.advance(TimeDelta::seconds(61));
        ask().await;
        assert_eq!((later(&careful, 0).await, later(&careful, 10).await), (2, 3));
        gateway.answers(200, json!({"code": "0"}));
        assert_eq!((later(&careful, 20).await, later(&careful, 60).await), (4, 4));
        let asked = gateway.asked();
        assert!(asked[1]["id"] == asked[2]["id"] && asked[2]["id"] == asked[3]["id"], "{asked:?}");
        assert!(asked[0]["id"] != asked[1]["id"] && asked[0]["id"].as_str().unwrap().len() == 36, "{asked:?}");
        // What it surely did not take is tried again, but not when the code is over.
        gateway.answers(503, json!({}));
        ask().await;
        assert_eq!((later(&forgetful, 0).await, later(&forgetful, 10).await), (5, 6));
        assert_eq!(later(&forgetful, 360).await, 6);
        gateway.server.stop(false).await;
    }

    async fn what_a_gateway_swallows_somebody_says(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        let gateway = Gateway::start();
        let server = gateway.of(&app, false).await;
        for (status, body) in [(500, json!({"code": 0})), (200, json!({"result": "ok"}))] {
            gateway.answers(status, body);
            write(&app, person_of(&me), "case_milestone", About::Oneself).await;
            server.drain_jobs().await;
        }
        assert_eq!((deliveries(&app).await, gateway.asked().len()), (vec!["desk to_call".to_owned(); 2], 2));
        gateway.server.stop(false).await;
    }

    async fn a_gateway_that_is_away_for_a_while_sends_only_what_presses_to_the_desk(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        let gateway = Gateway::start();
        let server = gateway.of(&app, false).await;
        gateway.answers(503, json!({}));
        for kind in ["case_answered", "case_supplement_reminder"] {
            write(&app, person_of(&me), kind, About::Oneself).await;
        }
        for _ in 0..7 {
            server.drain_jobs().await;
            app.advance(TimeDelta::seconds(40));
        }
        assert_eq!(deliveries(&app).await, ["sms waiting", "desk to_call"]);
        gateway.answers(200, json!({"code": 0}));
        app.advance(TimeDelta::minutes(11));
        server.drain_jobs().await;
        assert_eq!(deliveries(&app).await, ["sms sent", "desk to_call"]);
        gateway.server.stop(false).await;
    }

    async fn jobs_that_were_given_up_go_after_thirty_days(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.post("/me/phone/sms", json!({"phone": PHONE})).await.expect(202);
        app.execute("UPDATE job SET dead_at = created_at WHERE kind = 'send_sms'").await;
        for (days, left) in [(29, 1), (2, 0)] {
            app.advance(TimeDelta::days(days));
            sweeps::run(app.app(), Sweep::Forget).await.unwrap();
            assert_eq!(app.number("SELECT COUNT(*) FROM job WHERE kind = 'send_sms'").await, left);
        }
        app.drain_jobs().await;
    }
}
