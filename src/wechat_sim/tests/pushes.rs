//! Pushes on their way to a server of ours, which reads them with [`crate::wechat::push`].

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{Bytes, Data, Query},
};

use super::*;
use crate::wechat::push::{Inbox, PushQuery, Pushed};

const TOKEN: &str = "shuoshidemo";
const KEY: &str = "c2h1b3NoaSBkZW1vIHB1c2gga2V5LCBwdWJsaWMgISE";

/// A push as it arrived.
type Taken = (PushQuery, Vec<u8>);

/// A server that takes pushes, and what it took.
#[derive(Clone)]
struct Receiver {
    url: String,
    inbox: Inbox,
    taken: Arc<Mutex<Vec<Taken>>>,
    /// What to answer, the last first; `success` when nothing is left.
    answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
}

impl Receiver {
    fn start(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            url: format!("http://{}/wechat/push", listener.local_addr().unwrap()),
            inbox: Inbox::new(&TOKEN.into(), &key.into(), APP_ID).unwrap(),
            taken: Arc::default(),
            answers: Arc::default(),
        };
        let data = Data::new(receiver.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(take)));
        actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        receiver
    }

    fn pushed(&self) -> Vec<Pushed> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(query, body)| self.inbox.receive(query, body).unwrap()).collect()
    }

    /// The simulator that pushes here.
    fn sim(&self, key: &str) -> Sim {
        Sim::start_with(|settings| {
            settings.push_url.clone_from(&self.url);
            settings.push_token = TOKEN.into();
            settings.push_aes_key = key.into();
            settings.push_within = Duration::from_millis(500);
        })
    }
}

async fn take(request: HttpRequest, here: Data<Receiver>, query: Query<PushQuery>, body: Bytes) -> HttpResponse {
    let query = query.into_inner();
    if request.method() == "GET" {
        return HttpResponse::Ok().body(here.inbox.verify_url(&query).unwrap().to_owned());
    }
    here.taken.lock().unwrap().push((query, body.to_vec()));
    let (status, text) = here.answers.lock().unwrap().pop().unwrap_or((200, "success"));
    if status == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    HttpResponse::build(status.try_into().unwrap_or_default()).body(text)
}

#[actix_web::test]
async fn every_mode_and_format_is_read_by_our_own_inbox() {
    for (key, modes) in [(KEY, ["safe", "compatible"]), ("", ["plain", "plain"])] {
        let receiver = Receiver::start(key);
        let sim = receiver.sim(key);
        assert_eq!(sim.control("push/verify", json!({})).await["verified"], true);
        for mode in modes {
            for format in ["json", "xml"] {
                let message = json!({ "FromUserName": "o1", "MsgType": "text", "Content": "乡亲们 ]]> <&>" });
                let outcome = sim.control("push", json!({ "mode": mode, "format": format, "message": message })).await;
                assert_eq!((&outcome["delivered"], &outcome["attempts"]), (&json!(true), &json!(1)), "{outcome}");
                let pushed = receiver.pushed().pop().unwrap();
                assert_eq!(pushed.message["Content"], "乡亲们 ]]> <&>", "{mode} {format}");
                assert_eq!(pushed.message["ToUserName"], "gh_0123456789ab");
            }
        }
    }
}

#[actix_web::test]
async fn a_push_is_tried_three_times_as_it_was() {
    let receiver = Receiver::start(KEY);
    let sim = receiver.sim(KEY);
    let body = json!({ "mode": "safe", "format": "json", "message": { "MsgType": "text" } });
    *receiver.answers.lock().unwrap() = vec![(200, "success"), (200, "what?"), (500, "")];
    let outcome = sim.control("push", body.clone()).await;
    assert_eq!((&outcome["delivered"], &outcome["attempts"]), (&json!(true), &json!(3)), "{outcome}");
    {
        let taken = receiver.taken.lock().unwrap();
        assert!(taken.iter().all(|(query, body)| (&query.nonce, body) == (&taken[0].0.nonce, &taken[0].1)));
    }
    // Zero stands for an answer that comes too late.
    *receiver.answers.lock().unwrap() = vec![(0, ""), (0, ""), (0, "")];
    let outcome = sim.control("push", body).await;
    assert_eq!(outcome, json!({ "delivered": false, "attempts": 3, "status": null, "answer": null }));
    assert_eq!(receiver.taken.lock().unwrap().len(), 6);
}

#[actix_web::test]
async fn what_happens_in_wechat_is_told_by_events() {
    let receiver = Receiver::start(KEY);
    let sim = receiver.sim(KEY);
    let (openid, _, _) = sim.user_with_code().await;
    let template = "shuoshi-demo-talk-day-template-000000000002";
    for answer in ["accept", "off"] {
        sim.control("subscriptions", json!({ "openid": openid, "template_id": template, "answer": answer })).await;
    }
    let media = json!({ "media_url": "https://x", "media_type": 2, "version": 2, "scene": 1, "openid": openid });
    let token = sim.token().await;
    let (_, accepted) = sim.post(&format!("/wxa/media_check_async?access_token={token}"), media).await;
    for _ in 0..100 {
        if receiver.taken.lock().unwrap().len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pushed = receiver.pushed();
    let event = |name: &str| &pushed.iter().find(|pushed| pushed.message["Event"] == name).unwrap().message;
    let popup = event("subscribe_msg_popup_event");
    assert_eq!((&popup["FromUserName"], &popup["List"]["SubscribeStatusString"]), (&json!(openid), &json!("accept")));
    assert_eq!(event("subscribe_msg_change_event")["List"]["SubscribeStatusString"], "reject");
    assert_eq!(event("wxa_media_check")["trace_id"], accepted["trace_id"]);
}

#[actix_web::test]
async fn without_an_address_or_a_key_nothing_is_pushed() {
    let sim = Sim::start();
    let body = json!({ "mode": "safe", "format": "json", "message": {} });
    assert_eq!(sim.post("/_sim/push", body.clone()).await.0, 409);
    assert_eq!(sim.post("/_sim/push/verify", json!({})).await.0, 409);
    let keyless = Receiver::start("").sim("");
    assert_eq!(keyless.post("/_sim/push", body).await.0, 422);
    for body in [json!({ "mode": "loud", "format": "json", "message": {} }), json!({ "mode": "safe" })] {
        assert_eq!(keyless.post("/_sim/push", body).await.0, 400);
    }
}
