//! The adversarial cases of kind `fault`, on a real Postgres: one test each, under their own names.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod clocks;
mod flights;
mod floods;
mod layers;
mod new_keys;
mod outages;
mod support;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use keyward_tests::adversarial::{Suite, places};

/// Every fault has a place, and in every place there is the test that is named: here, or where a
/// test that needs the same surroundings is.
#[test]
fn every_fault_has_its_test() {
    let cases = Suite::own().unwrap().cases;
    let faults: HashSet<&str> = cases
        .iter()
        .flatten()
        .filter(|case| ["fault", "rate_limit"].contains(&case.kind()))
        .map(|case| case.name())
        .collect();
    assert!(faults.len() >= 40, "{} faults", faults.len());
    let homeless: Vec<_> = faults
        .iter()
        .filter(|fault| places::of(fault).is_none())
        .collect();
    assert!(homeless.is_empty(), "nobody tests {homeless:?}");
}

/// So has every case of the management of keys.
#[test]
fn every_case_of_management_has_its_test() {
    let cases = Suite::own().unwrap().cases;
    let cases = cases
        .iter()
        .flatten()
        .filter(|case| case.kind() == "mgmt_api")
        .map(|case| case.name());
    let homeless: HashSet<_> = cases.filter(|case| places::of(case).is_none()).collect();
    assert!(homeless.is_empty(), "nobody tests {homeless:?}");
}

/// No test of a case is renamed or removed unseen.
#[test]
fn every_place_has_its_tests() {
    let cases = Suite::own().unwrap().cases;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for place in places::ALL {
        let mut names = cases.iter().flatten().map(|case| case.name());
        assert!(
            names.any(|name| name == place.case),
            "no case {}",
            place.case
        );
        let source = fs::read_to_string(root.join(place.file));
        let source = source.unwrap_or_else(|error| panic!("{}: {error}", place.file));
        assert!(!place.tests.is_empty(), "{}", place.case);
        for test in place.tests {
            assert!(is_a_test(&source, test), "no test {test} in {}", place.file);
        }
    }
}

/// Whether a function of this name follows an attribute that makes it a test.
fn is_a_test(source: &str, name: &str) -> bool {
    let declared = format!("fn {name}(");
    let mut lines = source.lines();
    let mut attributed = false;
    lines.any(|line| {
        let line = line.trim();
        if line.starts_with("#[") {
            attributed |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            return false;
        }
        let found = attributed && line.contains(&declared);
        attributed = false;
        found
    })
}
