//! Every law is in exactly one of the macros: a law that nobody runs is none.

use std::fs;
use std::path::Path;

#[test]
fn every_law_is_listed_once() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let macros = fs::read_to_string(source.join("macros.rs")).unwrap();
    let listed: Vec<&str> = macros.split_whitespace().collect();
    let mut laws = 0;
    for file in fs::read_dir(source.join("contract")).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            // What a law is written with.
            continue;
        }
        let about = file.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else {
                continue;
            };
            let name = rest.split(['<', '(']).next().unwrap();
            let law = format!("{about}::{name}");
            let times = listed.iter().filter(|listed| **listed == law).count();
            assert_eq!(times, 1, "{law} is listed {times} times");
            laws += 1;
        }
    }
    assert!(laws > 100, "only {laws} laws were found");
}
