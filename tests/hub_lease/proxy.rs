//! A network between a collector and its hub that can be made bad.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the network is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code, reason = "shared by tests that each need a part")]
pub enum Link {
    /// As it should be.
    Open,
    /// What is sent arrives nowhere; nobody is told.
    Silent,
    /// Connections are reset, new ones too.
    Reset,
    /// Everything takes so much longer, each way.
    Late(Duration),
    /// So many bytes of each connection still arrive at the server; what comes behind them is lost.
    Until(usize),
}

/// The network.
pub struct Proxy {
    port: u16,
    link: watch::Sender<Link>,
    _runtime: tokio::runtime::Runtime,
}

impl Proxy {
    pub fn start(to: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("address").port();
        let link = watch::Sender::new(Link::Open);
        let links = Arc::new(link.subscribe());
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut link = (*links).clone();
                tokio::spawn(async move {
                    if link.borrow_and_update().to_owned() == Link::Reset {
                        return drop(near.set_zero_linger());
                    }
                    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                    join(near, far, link).await;
                });
            }
        });
        Self { port, link, _runtime: runtime }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

async fn join(near: TcpStream, far: TcpStream, mut link: watch::Receiver<Link>) {
    drop((near.set_nodelay(true), far.set_nodelay(true)));
    drop((near.set_zero_linger(), far.set_zero_linger()));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let there = carry(near_in, far_out, link.clone(), true);
    let back = carry(far_in, near_out, link.clone(), false);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = link.wait_for(|l| *l == Link::Reset) => {}
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    link: watch::Receiver<Link>,
    to_the_server: bool,
) {
    // Both ends may think of a connection that it stands, long after what one sent went nowhere.
    let mut lost = false;
    let mut bytes = vec![0; 16_384];
    let mut carried = 0;
    while let Ok(mut n @ 1..) = from.read(&mut bytes).await {
        let now = *link.borrow();
        match now {
            Link::Late(by) => tokio::time::sleep(by).await,
            Link::Silent => lost = true,
            Link::Until(most) if to_the_server && !lost => {
                if carried + n > most {
                    n = most - carried;
                    let _ = to.write_all(&bytes[..n]).await;
                    lost = true;
                }
                carried += n;
            }
            Link::Open | Link::Reset | Link::Until(_) => {}
        }
        if !lost && to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
    if lost {
        std::future::pending::<()>().await;
    }
}
