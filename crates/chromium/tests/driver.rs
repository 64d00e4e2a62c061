//! The driver, seen from outside.

use std::net::TcpStream;
use std::path::Path;

use chromium::Driver;

#[test]
fn it_answers_and_is_gone_afterwards() {
    let driver = Driver::start().unwrap();
    let address = driver.url().replace("http://", "");
    assert!(TcpStream::connect(&address).is_ok());
    assert!(driver.browser().is_file());
    let arguments = driver.arguments();
    let profile = arguments
        .last()
        .and_then(|word| word.strip_prefix("--user-data-dir="));
    let directory = Path::new(profile.unwrap()).parent().unwrap().to_owned();
    assert!(directory.is_dir());
    drop(driver);
    assert!(TcpStream::connect(&address).is_err());
    assert!(!directory.exists());
}
