//! Stopping: what is under way ends, what hangs does not hold it up.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use shuoshi::app;

use crate::support::TestApp;

fn connect(app: &TestApp) -> TcpStream {
    let stream = TcpStream::connect(app.address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

both_engines! {
    async fn a_half_sent_request_and_an_idle_connection_do_not_hold_up_stopping(app: TestApp) {
        app.nobody().call(reqwest::Method::GET, "/healthz").send().await.expect(200);
        let mut hung = connect(&app);
        hung.write_all(b"POST /api/v1/auth/staff HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"user").unwrap();
        let mut idle = connect(&app);
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut some = [0; 15];
        idle.read_exact(&mut some).unwrap();
        assert_eq!(&some, b"HTTP/1.1 200 OK");
        let stopped = tokio::time::timeout(Duration::from_secs(3), app::stop(app.app(), &app.server)).await;
        assert!(stopped.is_ok(), "stopping took more than three seconds");
        assert!(TcpStream::connect(app.address.trim_start_matches("http://")).is_err(), "it still listens");
    }

    async fn a_call_under_way_is_answered_before_the_end(app: TestApp) {
        app.simulator("faults", json!({"path": "/sns/jscode2session", "times": 1, "delay_ms": 600})).await;
        let code = app.wechat_code("甲").await;
        let nobody = app.nobody();
        let call = actix_web::rt::spawn(async move { nobody.post("/auth/wechat", json!({"code": code})).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        app::stop(app.app(), &app.server).await;
        call.await.unwrap().expect(200);
    }
}
