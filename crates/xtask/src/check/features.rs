use crate::metadata::{Metadata, Package};
use crate::tally::{Counts, Tally};
use crate::workspace::{self, Workspace};

/// Each published crate compiles without features, and with each of them alone.
///
/// In a build of the whole workspace, one package's features hide what another one forgot to ask
/// for. Clippy rather than `cargo check`, because it also refuses code that a feature left unused.
pub(super) fn check(workspace: &Workspace, metadata: &Metadata, tally: &mut Tally) {
    for package in metadata.members().filter(|package| package.published) {
        for features in alone(package) {
            let shown = features.unwrap_or("no features");
            tally.step(&format!("{} with {shown}", package.name), || {
                let mut clippy = workspace.cargo(["clippy", "--quiet", "--locked"]);
                clippy.args(["--package", &package.name, "--no-default-features"]);
                clippy.args(features.map(|feature| format!("--features={feature}")));
                clippy.args(["--", "-D", "warnings"]);
                workspace::succeed(&mut clippy)?;
                Ok(Counts::ONE)
            });
        }
    }
}

fn alone(package: &Package) -> impl Iterator<Item = Option<&str>> {
    let each = package
        .features
        .iter()
        .map(|feature| Some(feature.as_str()));
    std::iter::once(None).chain(each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::sample;

    #[test]
    fn none_and_then_each() {
        let metadata = sample();
        let app = metadata.members().next().unwrap();
        let sets: Vec<_> = alone(app).collect();
        assert_eq!(sets, [None, Some("default"), Some("x")]);
    }
}
