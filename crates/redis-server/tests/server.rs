//! A server that is started, broken and left to its janitor, seen from outside.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use redis_server::RedisServer;

#[test]
fn it_answers_keeps_nothing_and_has_its_settings() {
    let server = RedisServer::options()
        .setting("maxmemory", "64mb")
        .start()
        .unwrap();
    assert_eq!(server.command(&["SET", "a", "b c"]).unwrap(), "OK");
    assert_eq!(server.command(&["GET", "a"]).unwrap(), "b c");
    let config = |name| server.command(&["CONFIG", "GET", name]).unwrap();
    assert_eq!(config("maxmemory"), "maxmemory\n67108864");
    assert_eq!(config("save"), "save\n");
    assert!(server.command(&["NONSENSE"]).is_err());
}

#[test]
fn a_password_is_asked_for() {
    let server = RedisServer::options().password("s3cret").start().unwrap();
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
    assert!(server.url().contains(":s3cret@"));
    let other = RedisServer::start().unwrap();
    assert_ne!(other.port(), server.port());
}

#[test]
fn a_setting_that_is_none_fails_with_the_log() {
    let error = RedisServer::options().setting("nonsense", "1").start();
    let text = error.unwrap_err().to_string();
    assert!(text.contains("nonsense"), "{text}");
}

#[test]
fn it_forgets_when_killed_and_starts_again_on_its_port() {
    let mut server = RedisServer::start().unwrap();
    server.command(&["SET", "a", "b"]).unwrap();
    let port = server.port();
    server.kill().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(server.kill().is_err());
    server.start_again().unwrap();
    assert!(server.start_again().is_err());
    assert_eq!(server.port(), port);
    assert_eq!(server.command(&["GET", "a"]).unwrap(), "");
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let server = RedisServer::start().unwrap();
    server.pause().unwrap();
    thread::scope(|scope| {
        let asked = scope.spawn(|| server.command(&["PING"]));
        thread::sleep(Duration::from_millis(200));
        assert!(!asked.is_finished());
        server.resume().unwrap();
        assert_eq!(asked.join().unwrap().unwrap(), "PONG");
    });
}

#[test]
fn a_dropped_server_is_gone_even_when_paused() {
    let server = RedisServer::start().unwrap();
    let port = server.port();
    server.pause().unwrap();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
