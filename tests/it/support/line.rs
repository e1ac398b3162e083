//! The line to a PostgreSQL server: a relay that a test cuts and mends.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use futures_util::FutureExt;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A relay on a port of its own. Clones are the same line.
#[derive(Clone)]
pub struct Line {
    from: SocketAddr,
    to: SocketAddr,
    open: Rc<RefCell<Open>>,
}

#[derive(Default)]
struct Open {
    /// Keeps the port while nobody listens on it: connecting is refused.
    held: Option<TcpSocket>,
    listening: Option<JoinHandle<()>>,
    relayed: Rc<RefCell<Vec<JoinHandle<()>>>>,
    /// Whether nothing gets through, though nobody is told.
    silent: watch::Sender<bool>,
}

impl Line {
    /// To the server of this `database.url`; also the url that leads over the line.
    pub fn to(url: &str) -> (Self, String) {
        let (before, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let socket = held(SocketAddr::from(([127, 0, 0, 1], 0)));
        let from = socket.local_addr().unwrap();
        let line = Self { from, to: server.parse().unwrap(), open: Rc::default() };
        line.open.borrow_mut().held = Some(socket);
        line.mend();
        (line, format!("{before}@{from}/{name}"))
    }

    /// Ends every connection; new ones go through.
    pub fn interrupt(&self) {
        self.open.borrow().silent.send_replace(false);
        self.open.borrow().relayed.take().iter().for_each(JoinHandle::abort);
    }

    /// Nothing gets through any more, in connections old and new, and nothing says so; until [`Self::interrupt`].
    pub fn fall_silent(&self) {
        self.open.borrow().silent.send_replace(true);
    }

    /// Ends every connection; new ones are refused until it is mended.
    pub async fn cut(&self) {
        let listening = self.open.borrow_mut().listening.take().unwrap();
        listening.abort();
        // Only when the task is gone its port is free.
        let _ = listening.await;
        self.open.borrow_mut().held = Some(held(self.from));
        self.interrupt();
    }

    /// New connections go through.
    pub fn mend(&self) {
        let mut open = self.open.borrow_mut();
        let listener = open.held.take().unwrap().listen(64).unwrap();
        open.listening =
            Some(actix_web::rt::spawn(relay(listener, self.to, open.relayed.clone(), open.silent.subscribe())));
    }
}

fn held(at: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(at).unwrap();
    socket
}

async fn relay(
    listener: TcpListener,
    to: SocketAddr,
    relayed: Rc<RefCell<Vec<JoinHandle<()>>>>,
    silent: watch::Receiver<bool>,
) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut silent = silent.clone();
        let task = actix_web::rt::spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    // What it lends must not be kept: it would lock the sender out.
                    () = silent.wait_for(|silent| *silent).map(drop) => std::future::pending().await,
                }
            }
        });
        relayed.borrow_mut().push(task);
    }
}
