//! The server as a child process, and what the kernel says about processes.

use std::{
    fs::File,
    io::{Error, Read, Result, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A server that answers.
pub struct Server {
    child: Child,
    /// Where it listens on the loopback address.
    pub port: u16,
    /// From start to the first good answer.
    pub ready_after: Duration,
    /// Resident kilobytes when it was ready.
    pub idle_kb: u64,
}

impl Server {
    /// Starts the program in `folder` on this database and waits until it is ready.
    pub fn start(folder: &Path, database: &str) -> Result<Self> {
        let port = free_port()?;
        let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_shuoshi"))
            .arg("serve")
            .current_dir(folder)
            .envs([
                ("SHUOSHI_ENV", "development"),
                ("SHUOSHI__HTTP__BIND", &format!("127.0.0.1:{port}")),
                ("SHUOSHI__WECHAT_SIM__BIND", &format!("127.0.0.1:{}", free_port()?)),
                ("SHUOSHI__DATABASE__URL", database),
                ("SHUOSHI__DATA__DIR", &folder.join("data").to_string_lossy()),
                ("SHUOSHI__LOG__FILTER", "warn"),
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self { child, port, ready_after: Duration::ZERO, idle_kb: 0 };
        while !server.is_ready() {
            if let Some(status) = server.child.try_wait()? {
                return Err(Error::other(format!("the server ended ({status})\n{}", tail(folder))));
            }
            if began.elapsed() > Duration::from_mins(2) {
                return Err(Error::other(format!("the server did not become ready\n{}", tail(folder))));
            }
            sleep(Duration::from_millis(5));
        }
        server.ready_after = began.elapsed();
        server.idle_kb = memory_kb(server.child.id(), "VmRSS");
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        let ask = || -> Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut text = [0; 12];
            stream.read_exact(&mut text)?;
            Ok(&text == b"HTTP/1.1 200")
        };
        ask().unwrap_or(false)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever had resident.
    pub fn peak_kb(&self) -> u64 {
        memory_kb(self.child.id(), "VmHWM")
    }

    /// Asks it to stop and waits.
    pub fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..1000 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines the server logged.
pub fn tail(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}

/// A port nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Microseconds of processor time a process has used, in user and system mode.
pub fn cpu_us(pid: u32) -> u64 {
    // Fields 14 and 15 in hundredths of a second; the name in brackets before them may hold spaces.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10_000
}

/// Processor time of all living children of a process.
pub fn children_cpu_us(parent: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).map(cpu_us).sum()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn memory_kb(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
