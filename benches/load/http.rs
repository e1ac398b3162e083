//! A client that costs little: one keep-alive connection, requests written by hand, answers read by length.
//!
//! It shares two cores with the server, so it does only what HTTP/1.1 asks of it.

use std::{
    collections::BTreeMap,
    io::{Error, ErrorKind, Result},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// An answer that takes longer counts as a fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one connection saw.
#[derive(Default)]
pub struct Tally {
    /// Microseconds of every answered call.
    pub took: Vec<u32>,
    /// Microseconds of longer things that a scenario counts itself.
    pub rounds: Vec<u32>,
    /// Answers by status, with the problem's code when there is one.
    pub answers: BTreeMap<String, u64>,
    /// 503 with Retry-After.
    pub come_back: u64,
    /// The first answer that surprised, for a human to read.
    pub surprise: Option<String>,
}

impl Tally {
    /// Adds what another connection saw.
    pub fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        self.rounds.extend(other.rounds);
        for (answer, times) in other.answers {
            *self.answers.entry(answer).or_default() += times;
        }
        self.come_back += other.come_back;
        self.surprise = self.surprise.take().or(other.surprise);
    }
}

/// A request.
#[derive(Default)]
pub struct Call<'a> {
    pub method: &'static str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub body: Option<&'a str>,
    /// Value of `Idempotency-Key`.
    pub key: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A read.
    pub fn get(path: &'a str, token: Option<&'a str>) -> Self {
        Self { method: "GET", path, token, ..Self::default() }
    }

    /// A command.
    pub fn post(path: &'a str, token: Option<&'a str>, body: &'a str, key: Option<&'a str>) -> Self {
        Self { method: "POST", path, token, body: Some(body), key }
    }
}

/// A connection and what it saw.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    received: Vec<u8>,
    pub tally: Tally,
}

/// An answer; its body is borrowed from the connection.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The body as JSON, null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

struct Head {
    status: u16,
    start: usize,
    length: usize,
    retry_after: bool,
    close: bool,
}

impl Connection {
    /// To the server on this port; connects at the first call.
    pub fn to(port: u16) -> Self {
        Self { port, stream: None, received: Vec::with_capacity(32 * 1024), tally: Tally::default() }
    }

    /// Sends a call, reads its answer, counts both.
    pub async fn call(&mut self, call: &Call<'_>) -> Result<Answer<'_>> {
        let began = Instant::now();
        let head = match timeout(PATIENCE, self.exchange(call)).await {
            Ok(Ok(head)) => head,
            Ok(Err(fault)) => return Err(self.lost(&format!("fault {:?}", fault.kind()), fault)),
            Err(_) => return Err(self.lost("fault no answer", ErrorKind::TimedOut.into())),
        };
        self.tally.took.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        let body = self.received.get(head.start..head.start + head.length).unwrap_or_default();
        let mut name = head.status.to_string();
        if head.status >= 400 {
            if let Some(code) = problem_code(body) {
                name = format!("{name} {code}");
            }
            if head.status != 409 && self.tally.surprise.is_none() {
                let text = String::from_utf8_lossy(body.get(..body.len().min(500)).unwrap_or_default());
                self.tally.surprise = Some(format!("{} {} -> {} {text}", call.method, call.path, head.status));
            }
        }
        *self.tally.answers.entry(name).or_default() += 1;
        self.tally.come_back += u64::from(head.status == 503 && head.retry_after);
        if head.close {
            self.stream = None;
        }
        Ok(Answer { status: head.status, body })
    }

    fn lost(&mut self, name: &str, fault: Error) -> Error {
        *self.tally.answers.entry(name.to_owned()).or_default() += 1;
        self.stream = None;
        fault
    }

    /// Connects, if it is not connected.
    pub async fn connect(&mut self) -> Result<()> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Sends a call and drops the connection: whether it was carried out is not known here.
    pub async fn abandon(&mut self, call: &Call<'_>) -> Result<()> {
        self.connect().await?;
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        let sent = stream.write_all(written(call).as_bytes()).await;
        self.hang_up();
        sent
    }

    /// Drops the connection.
    pub fn hang_up(&mut self) {
        self.stream = None;
    }

    async fn exchange(&mut self, call: &Call<'_>) -> Result<Head> {
        self.connect().await?;
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        stream.write_all(written(call).as_bytes()).await?;
        self.received.clear();
        let head = loop {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = head_of(&self.received)? {
                break head;
            }
        };
        while self.received.len() < head.start + head.length {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(head)
    }
}

fn written(call: &Call<'_>) -> String {
    let mut text = String::with_capacity(768);
    text.extend([call.method, " /api/v1", call.path, " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n"]);
    if let Some(token) = call.token {
        text.extend(["Authorization: Bearer ", token, "\r\n"]);
    }
    if let Some(key) = call.key {
        text.extend(["Idempotency-Key: ", key, "\r\n"]);
    }
    if let Some(body) = call.body {
        let length = body.len().to_string();
        text.extend(["Content-Type: application/json\r\nContent-Length: ", &length, "\r\n\r\n", body]);
    } else {
        text.push_str("\r\n");
    }
    text
}

/// The head, when all of it has arrived. Every answer of the server that is measured here says its length.
fn head_of(received: &[u8]) -> Result<Option<Head>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(received.get(..end).unwrap_or_default()).map_err(|_| ErrorKind::InvalidData)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    let mut head = Head { status, start: end + 4, length: 0, retry_after: false, close: false };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            head.length = value.parse().map_err(|_| ErrorKind::InvalidData)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Error::new(ErrorKind::Unsupported, "an answer without a length"));
        }
        head.retry_after |= name.eq_ignore_ascii_case("retry-after");
        head.close |= name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close");
    }
    Ok(Some(head))
}

/// `"code":"..."` of a problem.
fn problem_code(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    text.split_once("\"code\":\"")?.1.split('"').next()
}
