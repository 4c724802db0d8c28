//! Connections to a real server: encryption, refusals, notifications, a server that dies; no password in any text.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::sync::OnceLock;
use std::time::Duration;

use postgres::{HOSTER, Postgres};
use secrecy::SecretString;
use stratum::hub::{HubError, HubUrl, Tier, connect, tier_of};

fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).as_ref()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(future)
}

fn parsed(text: &str) -> HubUrl {
    HubUrl::parse(&SecretString::from(text)).expect("address")
}

#[test]
fn encrypted_and_checked_or_not_at_all() {
    let Some(server) = shared() else { return };
    run(async {
        let mut c = connect(&parsed(&server.url(HOSTER)), "test").await.expect("connects");
        let row = c
            .client()
            .query_typed_one(
                "SELECT ssl, current_setting('application_name'), current_setting('statement_timeout') \
                 FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
                &[],
            )
            .await
            .expect("row");
        let (ssl, name, timeout): (bool, String, String) = (row.get(0), row.get(1), row.get(2));
        assert!(ssl && name == "stratum test" && timeout == "10min" && c.is_limited(), "{name} {timeout}");
        assert_eq!(tier_of(&mut c).await.expect("tier"), Tier::None);
        let (port, password) = (server.port(), server.password(HOSTER));
        let plain = format!("postgres://{HOSTER}:{password}@127.0.0.1:{port}/desk");
        // On this machine the certificate is not looked at unless the address says so.
        connect(&parsed(&plain), "test").await.expect("connects");
        let e = connect(&parsed(&format!("{plain}?sslmode=require")), "test").await.expect_err("unknown authority");
        assert!(matches!(&e, HubError::Tls { why, .. } if why.contains("hub.ca_file")), "{e}");
        let e = connect(&parsed(&format!("{plain}?sslmode=disable")), "test").await.expect_err("clear text");
        assert!(matches!(&e, HubError::Tls { .. }), "{e}");
        connect(&parsed(&format!("{plain}?sslmode=no-verify")), "test").await.expect("connects");
        let with = parsed(&plain).with_ca(Some(&server.ca_file()));
        connect(&with, "test").await.expect("connects");
        let e = connect(&parsed(&plain).with_ca(Some(std::path::Path::new("/none.pem"))), "test").await;
        assert!(matches!(e, Err(HubError::CaFile { .. })));
    });
}

#[test]
fn refusals_say_what_to_do_and_hold_no_password() {
    let Some(server) = shared() else { return };
    run(async {
        let port = server.port();
        let ca = server.ca_file().display().to_string();
        let wrong = format!("postgres://{HOSTER}:5ecret@127.0.0.1:{port}/desk?sslrootcert={ca}");
        let e = connect(&parsed(&wrong), "test").await.expect_err("wrong password");
        assert!(matches!(&e, HubError::Refused { .. }), "{e:?}");
        assert!(!format!("{e} {e:?}").contains("5ecret"));
        let nowhere = server.url_to(HOSTER, "nowhere");
        let e = connect(&parsed(&nowhere), "test").await.expect_err("no database");
        assert!(matches!(&e, HubError::Refused { why, .. } if why.contains("nowhere")), "{e:?}");
        assert!(!format!("{e} {e:?}").contains(&server.password(HOSTER)));
        let e = connect(&parsed("postgres://a:5ecret@127.0.0.1:1/x"), "test").await.expect_err("nobody");
        assert!(matches!(&e, HubError::Unreachable { .. }) && e.is_transient(), "{e:?}");
        assert!(!format!("{e} {e:?}").contains("5ecret"));
        // Somebody who listens and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let port = silent.local_addr().expect("port").port();
        let e = connect(&parsed(&format!("postgres://a:5ecret@127.0.0.1:{port}/x?connect_timeout=1")), "test").await;
        assert!(matches!(&e, Err(HubError::Unreachable { why, .. }) if why.contains("1 s")), "{e:?}");
    });
    assert!(!server.log().contains("5ecret"));
}

#[test]
fn notifications_arrive_and_too_many_do_no_harm() {
    let Some(server) = shared() else { return };
    run(async {
        let mut c = connect(&parsed(&server.url(HOSTER)), "test").await.expect("connects");
        c.client().batch_execute("LISTEN stratum_test").await.expect("listens");
        for _ in 0..3 {
            let many = "SELECT pg_notify('stratum_test', n::text) FROM generate_series(1, 400) n";
            c.client().batch_execute(many).await.expect("notifies");
        }
        let first = c.notifications().recv().await.expect("notification");
        assert_eq!((first.channel(), first.payload()), ("stratum_test", "1"));
        assert_eq!(c.client().query_typed("SELECT 1", &[]).await.expect("still there").len(), 1);
    });
}

#[test]
fn a_server_that_dies_is_noticed_and_comes_back() {
    let Some(server) = Postgres::start() else { return };
    let folder = server.folder().to_owned();
    run(async {
        let url = parsed(&server.url(HOSTER));
        let mut c = connect(&url, "test").await.expect("connects");
        server.kill();
        let ended = tokio::time::timeout(Duration::from_secs(60), c.notifications().recv()).await.expect("noticed");
        assert!(ended.is_none());
        let e = HubError::from(c.client().batch_execute("SELECT 1").await.expect_err("gone"));
        assert!(matches!(e, HubError::Lost { .. }), "{e:?}");
        assert!(matches!(connect(&url, "test").await, Err(HubError::Unreachable { .. })));
        server.restart();
        connect(&url, "test").await.expect("connects again");
    });
    drop(server);
    assert!(!folder.exists(), "nothing is left");
}

/// What a pooler says that does not know what it was asked for.
fn refusal(code: &str, message: &str) -> Vec<u8> {
    let fields = format!("SERROR\0VERROR\0C{code}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).expect("short");
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}

#[test]
fn a_pooler_that_refuses_our_limits_is_asked_without() {
    use std::io::{Read, Write};
    for said in
        ["unsupported startup parameter: options", "unsupported startup parameter in options: statement_timeout"]
    {
        let pooler = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let port = pooler.local_addr().expect("port").port();
        let answering = std::thread::spawn(move || {
            let mut seen = Vec::new();
            for _ in 0..2 {
                let (mut socket, _) = pooler.accept().expect("client");
                let mut length = [0; 4];
                socket.read_exact(&mut length).expect("length");
                let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
                socket.read_exact(&mut startup).expect("startup");
                let startup = String::from_utf8_lossy(&startup).into_owned();
                let reply = if startup.contains("options\0") {
                    refusal("08P01", said)
                } else {
                    // Come in; ready.
                    [b"R\0\0\0\x08\0\0\0\0".as_slice(), b"Z\0\0\0\x05I"].concat()
                };
                seen.push(startup);
                socket.write_all(&reply).expect("reply");
                // Until the client has read it and gone.
                let _ = socket.read(&mut [0; 64]);
            }
            seen
        });
        run(async {
            let url = parsed(&format!("postgres://a:5ecret@127.0.0.1:{port}/x?sslmode=disable"));
            let c = connect(&url, "test").await.expect("connects");
            assert!(!c.is_limited());
        });
        let seen = answering.join().expect("pooler");
        assert!(seen[0].contains("statement_timeout") && !seen[1].contains("options\0"), "{seen:?}");
        assert!(seen[1].contains("application_name\0stratum test"), "{seen:?}");
    }
}
