//! Rules for secret scanners, which find the keys that are issued.

use keyward::{Alphabet, IdShape, KeyFormat};
use regex::Regex;

use crate::support::{Ran, command, ran};

/// No database is needed for it.
fn rules(tool: &str, more: &[&str]) -> Ran {
    let arguments = [&["scanner-rule", "--tool", tool], more].concat();
    ran(command("", &arguments), b"")
}

const FORMATS: &str = "Acme_live,kat_live_<id:11>.<secret:32>,ctza_<hex:40>";

fn formats() -> [KeyFormat; 3] {
    let dotted = KeyFormat::builder("kat_live")
        .public_id(IdShape::Characters(11))
        .separator('.')
        .secret(Alphabet::Base62, 32)
        .without_checksum();
    let opaque = KeyFormat::builder("ctza")
        .without_public_id()
        .secret(Alphabet::Hex, 40)
        .without_checksum();
    let ours = KeyFormat::new("Acme_live").unwrap();
    [ours, dotted.build().unwrap(), opaque.build().unwrap()]
}

#[test]
fn each_expression_finds_the_keys_of_its_format_and_no_others() {
    for tool in ["gitleaks", "trufflehog", "github"] {
        let told = rules(tool, &["--format", FORMATS]).done().out;
        let lines = told.lines().filter_map(|line| match tool {
            "gitleaks" => line.strip_prefix("regex = '''")?.strip_suffix("'''"),
            "trufflehog" => line.trim().strip_prefix("key: '")?.strip_suffix('\''),
            _ => Some(line).filter(|line| !line.is_empty() && !line.starts_with('#')),
        });
        let expressions: Vec<Regex> = lines.map(|line| Regex::new(line).unwrap()).collect();
        assert_eq!(expressions.len(), 3, "{told}");
        for (place, format) in formats().iter().enumerate() {
            let key = format.generate().unwrap().plaintext;
            let text = format!("TOKEN=\"{}\"\n", key.expose());
            let found: Vec<bool> = expressions.iter().map(|one| one.is_match(&text)).collect();
            assert!(
                found
                    .iter()
                    .enumerate()
                    .all(|(at, found)| *found == (at == place))
            );
        }
    }
}

#[test]
fn rules_are_written_as_each_tool_reads_them() {
    let gitleaks = rules("gitleaks", &["--format", FORMATS]).done().out;
    assert_eq!(gitleaks.matches("[[rules]]").count(), 3);
    assert!(gitleaks.contains("id = \"acme-live-api-key\""));
    assert!(gitleaks.contains("keywords = [\"acme_live_\"]"));
    let trufflehog = rules("trufflehog", &[]).done().out;
    let whole = "detectors:\n  - name: acme_live\n    keywords:\n      - 'acme_live_'\n    \
                 regex:\n      key: '\\bacme_live_[0-9A-Za-z]{11}_[0-9A-Za-z]{30}\\b'\n";
    assert_eq!(trufflehog, whole);
    let told = rules("github", &["--json"]).done().object();
    assert_eq!(
        (&told["name"], &told["beginning"]),
        (&"acme_live".into(), &"acme_live_".into())
    );
    rules("grep", &[]).exits(2);
    let mut bare = command("", &["scanner-rule", "--tool", "github"]);
    bare.env_remove("KEYWARD_FORMATS");
    ran(bare, b"").exits(2).notes("--format");
}
