use crate::Result;
use crate::metadata::{Metadata, Package, RustVersion};
use crate::tally::Counts;

/// No package needs a newer compiler than it says.
///
/// Other toolchains are not always at hand to try, so this compares what the locked dependencies
/// declare. Our own code is `clippy::incompatible_msrv`'s to judge.
pub(super) fn check(metadata: &Metadata) -> Result<Counts> {
    let mut counts = Counts::default();
    for member in metadata.members() {
        let Some(promised) = member.rust_version else {
            return Err(format!("{} declares no rust-version", member.name).into());
        };
        let newer = newer(&metadata.closure(member), promised);
        for package in &newer {
            println!(
                "{} promises Rust {}, but is built with {} {}, which needs {}",
                member.name,
                shown(promised),
                package.name,
                package.version,
                package.rust_version.map_or_else(String::new, shown),
            );
        }
        counts.add(newer.is_empty());
    }
    Ok(counts)
}

fn newer<'a>(packages: &[&'a Package], promised: RustVersion) -> Vec<&'a Package> {
    packages
        .iter()
        .copied()
        .filter(|package| package.rust_version.is_some_and(|needed| needed > promised))
        .collect()
}

fn shown([major, minor, patch]: RustVersion) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::sample;

    #[test]
    fn each_package_is_held_to_its_own_promise() {
        // `app` promises 1.88 and is built with `deep`, which needs 1.90; `tool` promises 1.90.
        let counts = check(&sample()).unwrap();
        assert_eq!(
            counts,
            Counts {
                passed: 1,
                failed: 1
            }
        );
    }
}
