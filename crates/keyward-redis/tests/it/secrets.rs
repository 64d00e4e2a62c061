//! The password is nowhere but in the connection.

use std::error::Error;
use std::fmt::Debug;

use keyward_limits::SharedLimits;
use keyward_redis::{ConnectError, RedisLimits};
use keyward_testkit::LeakWatch;
use redis_server::RedisServer;

use crate::support::{HOUR, shared};

const PASSWORD: &str = "kJ8sPq2LmNv4RtYx";

/// Everything that a host could print of an error.
fn printed(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error} {error:?} {error:#?}\n"));
        next = error.source();
    }
    text
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

#[tokio::test]
async fn no_error_no_log_and_no_debug_holds_it() {
    let watch = LeakWatch::start();
    watch.secret(PASSWORD);
    let mut server = RedisServer::options().password(PASSWORD).start().unwrap();
    let limit = [shared("a", 5, HOUR)];
    let right = RedisLimits::connect(&server.url()).await.unwrap();
    assert!(right.take(&limit).await.unwrap().passed);
    watch.inspect("Debug", debug(&right).as_bytes());

    // A wrong one is not shown either: it may be right elsewhere.
    let other = RedisServer::options().password("another").start().unwrap();
    for port in [other.port(), 1] {
        let url = format!("redis://user:{PASSWORD}@127.0.0.1:{port}");
        let error = RedisLimits::connect(&url).await.unwrap_err();
        assert!(matches!(error, ConnectError::Away(_)));
        watch.inspect("an error", printed(&error).as_bytes());
    }
    server.kill().unwrap();
    let error = right.take(&limit).await.unwrap_err();
    watch.inspect("an error", printed(&error).as_bytes());
    watch.inspect("Debug", debug(&right).as_bytes());
}

#[test]
fn a_text_that_is_no_url_is_not_repeated() {
    let watch = LeakWatch::start();
    watch.secret(PASSWORD);
    for url in [
        String::new(),
        PASSWORD.to_owned(),
        format!("http://:{PASSWORD}@127.0.0.1"),
        format!("redis://:{PASSWORD}@"),
        format!("redis://:{PASSWORD}@127.0.0.1:99999"),
        format!("redis://:{PASSWORD}@127.0.0.1/{PASSWORD}"),
        format!("redis://%ff{PASSWORD}:%ff{PASSWORD}@127.0.0.1"),
        format!("redis://:{PASSWORD}@127.0.0.1/?protocol={PASSWORD}"),
        // Without the feature that would encrypt, it is refused at once.
        format!("rediss://:{PASSWORD}@127.0.0.1"),
    ] {
        let error = RedisLimits::new(&url).unwrap_err();
        watch.inspect("an error", printed(&error).as_bytes());
        assert_eq!(error.to_string(), "this is not the URL of a Redis");
    }
    // What can be said is said.
    let error = RedisLimits::new("rediss://127.0.0.1").unwrap_err();
    assert!(printed(&error).contains("TLS"));
}

/// An old password, or a user who may not run scripts, is found out at the start.
#[tokio::test]
async fn who_may_not_count_does_not_connect() {
    let server = RedisServer::options().password(PASSWORD).start().unwrap();
    let without = format!("redis://127.0.0.1:{}", server.port());
    assert!(RedisLimits::connect(&without).await.is_err());
    let rules = "on >word ~* +@all -@scripting";
    let words: Vec<_> = ["ACL", "SETUSER", "reader"]
        .into_iter()
        .chain(rules.split(' '))
        .collect();
    server.command(&words).unwrap();
    let reader = format!("redis://reader:word@127.0.0.1:{}", server.port());
    assert!(RedisLimits::connect(&reader).await.is_err());
    // As soon as it may, it can, over the same value.
    let limits = RedisLimits::new(&reader).unwrap();
    let limit = [shared("a", 5, HOUR)];
    assert!(limits.take(&limit).await.is_err());
    server
        .command(&["ACL", "SETUSER", "reader", "+@scripting"])
        .unwrap();
    assert!(limits.take(&limit).await.unwrap().passed);
    server
        .command(&["ACL", "SETUSER", "reader", "resetpass", ">other"])
        .unwrap();
    server
        .command(&["CLIENT", "KILL", "USER", "reader"])
        .unwrap();
    assert!(limits.take(&limit).await.is_err());
    server
        .command(&["ACL", "SETUSER", "reader", ">word"])
        .unwrap();
    assert!(limits.take(&limit).await.unwrap().passed);
}
