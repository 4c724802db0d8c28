//! Alerts of the real program reach real servers and a program: in Discord's form, signed, under keys that stay the same
//! over pauses, outages and a kill.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "deliveries/house.rs"]
mod house;

use std::net::TcpListener;

use hmac::{Hmac, KeyInit, Mac};
use house::{Got, HOOK, Home, KEY, SIGNING, Server, TOKEN, daemon, sim, stop};
use serde_json::Value;
use sha2::Sha256;

/// Counted again, without the program's own code.
fn assert_signed(got: &Got) {
    let stamp = &got.headers["stratum-timestamp"];
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING.as_bytes()).expect("key");
    mac.update(format!("{stamp}.").as_bytes());
    mac.update(&got.body);
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(got.headers["stratum-signature"], format!("v1={expected}"));
    let age = chrono::Utc::now().timestamp() - stamp.parse::<i64>().expect("seconds");
    assert!((0..300).contains(&age), "{age}");
}

#[test]
fn an_evening_reaches_discord_a_server_and_a_program() {
    let home = Home::new();
    home.rule("discord,webhook,command");
    let discord = Server::start(|n| match n {
        0 => Some(("429 Too Many Requests", "retry-after: 0.4\r\n", "{\"retry_after\":0.4,\"global\":false}")),
        1 => Some(("500 Internal Server Error", "", "<html>")),
        _ => Some(("200 OK", "x-ratelimit-remaining: 4\r\n", "{\"id\":\"1\"}")),
    });
    let webhook = Server::start(|n| match n {
        0 => Some(("503 Service Unavailable", "retry-after: 1\r\n", "")),
        _ => Some(("204 No Content", "", "")),
    });
    let evening = ["demo", "--headless", "--seed", "7", "--for", "20s"];
    let output = home.command(&evening, Some(discord.address), Some(webhook.address)).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Discord's form.
    let calls = discord.all();
    assert!(calls.len() >= 3, "{}", calls.len());
    let mut embeds = 0;
    for (n, call) in calls.iter().enumerate() {
        assert_eq!(call.path, format!("/api/webhooks/123456789/{TOKEN}?wait=true"));
        let body = call.json();
        assert_eq!(body["allowed_mentions"], serde_json::json!({"parse": []}));
        let shown = body["embeds"].as_array().expect("embeds");
        assert!((1..=10).contains(&shown.len()));
        embeds += if n < 2 { 0 } else { shown.len() };
        for embed in shown {
            assert!(embed["title"].as_str().expect("title").starts_with("[DEMO] "), "{embed}");
            let fields: Vec<_> = embed["fields"].as_array().expect("fields").iter().map(|f| &f["name"]).collect();
            // What is told for information names nothing to take.
            let title = embed["title"].as_str().expect("title");
            let told = fields.iter().any(|f| f.as_str().expect("name").contains("entry"));
            assert!(told || title.to_uppercase().contains("DIVERGENCE"), "{embed}");
            for name in ["side", "evidence", "start"] {
                assert!(fields.iter().any(|f| f.as_str().expect("name").contains(name)), "{name}: {fields:?}");
            }
        }
    }
    assert_eq!(embeds, home.keys("discord", "delivered").len());

    // Signed deliveries, each under its key.
    let calls = webhook.all();
    calls.iter().for_each(assert_signed);
    assert!(calls.iter().all(|c| c.path == format!("/{HOOK}")));
    let id = |c: &Got| c.headers["stratum-delivery"].clone();
    assert!(calls.iter().all(|c| c.json()["key"].as_str() == Some(&id(c))));
    let again = calls.iter().skip(1).find(|c| id(c) == id(&calls[0])).expect("it is tried again");
    assert_eq!(again.body, calls[0].body, "the same at every attempt");
    let mut taken: Vec<String> = calls.iter().skip(1).map(id).collect();
    taken.sort_unstable();
    assert_eq!(taken, home.keys("webhook", "delivered"));
    assert!(!taken.is_empty());

    // The program got the same, and none of our secrets.
    let told = std::fs::read_to_string(home.0.path().join("told")).expect("told");
    let keys: Vec<Value> = told.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(keys.len(), home.keys("command", "delivered").len());
    let environment = std::fs::read_to_string(home.0.path().join("told.env")).expect("environment");
    assert!(environment.contains("HOME=") && !environment.contains("5ecret") && !environment.contains(KEY));

    // Nothing of them stands in what is left.
    let log = home.run(&["alerts", "log", "--limit", "1000"]);
    let text = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(text.contains("Discord slows this webhook down") && text.contains("status 503"), "{text}");
    for output in [&output, &log] {
        let all = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("5ecret"));
    }
}

#[test]
fn a_kill_between_delivery_and_note_brings_the_same_delivery_again() {
    let home = Home::new();
    home.rule("webhook");
    let (_sim, url) = sim();
    let silent = Server::start(|_| None);
    let mut first = daemon(&home, &url, None, Some(silent.address));
    silent.until(1);
    first.0.kill().expect("killed");
    first.0.wait().expect("ended");
    let before = silent.all().remove(0);

    let taking = Server::start(|_| Some(("200 OK", "", "")));
    let second = daemon(&home, &url, None, Some(taking.address));
    taking.until(1);
    home.until("delivered", "SELECT count(*) FROM outbox WHERE state = 'delivered'");
    stop(second);
    let after = taking.all();
    let same = after.iter().find(|g| g.headers["stratum-delivery"] == before.headers["stratum-delivery"]);
    let same = same.expect("the same key");
    assert_eq!(same.body, before.body);
    assert_signed(same);
}

#[test]
fn an_outage_of_discord_is_waited_for() {
    let home = Home::new();
    home.rule("discord");
    let (_sim, url) = sim();
    // A port where nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let at = listener.local_addr().expect("address");
    drop(listener);
    let running = daemon(&home, &url, Some(at), None);
    home.until("two attempts", "SELECT count(*) FROM outbox WHERE attempts >= 2 AND state = 'waiting'");
    let waiting = home.keys("discord", "waiting");
    let discord = Server::on(TcpListener::bind(at).expect("the same port"), |_| Some(("204 No Content", "", "")));
    discord.until(1);
    home.until("delivered", "SELECT count(*) FROM outbox WHERE state = 'delivered'");
    stop(running);
    let delivered = home.keys("discord", "delivered");
    assert!(waiting.iter().any(|k| delivered.contains(k)), "what waited was delivered");
    let why = home.json(&["alerts", "log", "--limit", "10000"]);
    assert!(!serde_json::to_string(&why).expect("JSON").contains("5ecret"));
}

#[test]
fn an_address_inside_is_refused_in_words() {
    let home = Home::new();
    let try_it = |url: &str| {
        let mut command = home.command(&["alerts", "test", "webhook"], None, None);
        let output = command.env("STRATUM_WEBHOOK_URL", url).env("STRATUM_WEBHOOK_SECRET", SIGNING).output();
        let output = output.expect("runs");
        assert!(!output.status.success(), "{url}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(said.contains("alerts.webhook.allow") && !said.contains("5ecret"), "{url}: {said}");
        said
    };
    assert!(try_it("https://169.254.169.254/latest/5ecret").contains("link-local"));
    assert!(try_it("https://[::ffff:10.0.0.1]/5ecret").contains("private"));
    // A name that leads there is found out when it is resolved; what the settings allow is another address.
    let mut command = home.command(&["alerts", "test", "webhook"], None, None);
    command.env("STRATUM_ALERTS_WEBHOOK_ALLOW", "10.9.9.9").env("STRATUM_WEBHOOK_SECRET", SIGNING);
    let output = command.env("STRATUM_WEBHOOK_URL", "https://localhost/5ecret").output().expect("runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert!(!output.status.success() && said.contains("this machine") && !said.contains("5ecret"), "{said}");
}
