//! The real program as a process of its own: for what one process cannot show.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{TestDatabase, app::http_client};

/// The real program, as a process of its own.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    simulator: String,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(database: &TestDatabase) -> Self {
        let (http, simulator) = (free_port(), free_port());
        let child = Command::new(env!("CARGO_BIN_EXE_shuoshi"))
            .arg("serve")
            .current_dir(database.folder.path())
            .env("SHUOSHI_ENV", "development")
            .env("SHUOSHI__DATABASE__URL", &database.url)
            .env("SHUOSHI__HTTP__BIND", &http)
            .env("SHUOSHI__WECHAT_SIM__BIND", &simulator)
            .env("SHUOSHI__DATABASE__MAX_CONNECTIONS", "8")
            .env("SHUOSHI__LOG__FILTER", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, address: format!("http://{http}"), simulator: format!("http://{simulator}") };
        for _ in 0..300 {
            let ready = http_client().get(format!("{}/readyz", started.address)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return started;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server was not ready after thirty seconds");
    }

    /// SIGKILL: no goodbye, no flush.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Signs a new villager in; the session as it was answered.
    pub async fn villager(&self, client: &reqwest::Client) -> Value {
        let post = async |url: String, body: Value| -> Value {
            client.post(url).json(&body).send().await.unwrap().json().await.unwrap()
        };
        let user = post(format!("{}/_sim/users", self.simulator), json!({})).await;
        let code = post(format!("{}/_sim/codes", self.simulator), json!({"openid": user["openid"]})).await;
        post(format!("{}/api/v1/auth/wechat", self.address), json!({"code": code["code"]})).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
