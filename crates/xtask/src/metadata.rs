use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::Result;
use crate::workspace::{Workspace, shown};

/// What `cargo metadata` knows about the workspace and all that it depends on.
#[derive(Debug)]
pub(crate) struct Metadata {
    packages: BTreeMap<String, Package>,
    target_directory: PathBuf,
}

/// One package, of the workspace or from the registry.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<RustVersion>,
    pub(crate) features: Vec<String>,
    pub(crate) examples: Vec<String>,
    pub(crate) published: bool,
    member: bool,
    /// The ids of what it needs to be built, without what only its tests need.
    needs: Vec<String>,
}

/// A version of the compiler: major, minor, patch.
pub(crate) type RustVersion = [u32; 3];

impl Metadata {
    /// Asks cargo, with every feature on.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.cargo([
            "metadata",
            "--format-version=1",
            "--all-features",
            "--locked",
        ]);
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", shown(&command), output.status).into());
        }
        Self::parse(&serde_json::from_slice(&output.stdout)?)
    }

    fn parse(metadata: &Value) -> Result<Self> {
        let members: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
        let needs: BTreeMap<&str, Vec<String>> = list(&metadata["resolve"]["nodes"])
            .map(|node| (text(&node["id"]), needs(node)))
            .collect();
        let packages: BTreeMap<String, Package> = list(&metadata["packages"])
            .map(|package| {
                let id = text(&package["id"]);
                let read = Package {
                    name: text(&package["name"]).to_owned(),
                    version: text(&package["version"]).to_owned(),
                    rust_version: package["rust_version"].as_str().and_then(rust_version),
                    features: package["features"]
                        .as_object()
                        .map(|features| features.keys().cloned().collect())
                        .unwrap_or_default(),
                    examples: examples(package),
                    // `publish = false` is an empty list of registries, no word on it is null.
                    published: package["publish"].is_null(),
                    member: members.contains(id),
                    needs: needs.get(id).cloned().unwrap_or_default(),
                };
                (id.to_owned(), read)
            })
            .collect();
        if members.is_empty() || members.iter().any(|id| !packages.contains_key(*id)) {
            return Err("`cargo metadata` lists no workspace members".into());
        }
        Ok(Self {
            packages,
            target_directory: text(&metadata["target_directory"]).into(),
        })
    }

    /// Where cargo builds.
    pub(crate) fn target_directory(&self) -> &PathBuf {
        &self.target_directory
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.member)
    }

    /// Everything that is built to build `package`, without the package itself.
    pub(crate) fn closure(&self, package: &Package) -> Vec<&Package> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = package.needs.iter().map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if seen.insert(id)
                && let Some(needed) = self.packages.get(id)
            {
                next.extend(needed.needs.iter().map(String::as_str));
            }
        }
        seen.iter()
            .filter_map(|id| self.packages.get(*id))
            .collect()
    }
}

/// The ids of a node's dependencies, without those that are development-only.
fn needs(node: &Value) -> Vec<String> {
    list(&node["deps"])
        .filter(|dependency| {
            list(&dependency["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev"))
        })
        .map(|dependency| text(&dependency["pkg"]).to_owned())
        .collect()
}

fn examples(package: &Value) -> Vec<String> {
    list(&package["targets"])
        .filter(|target| strings(&target["kind"]).any(|kind| kind == "example"))
        .map(|target| text(&target["name"]).to_owned())
        .collect()
}

/// Reads `1.88` or `1.88.0`.
fn rust_version(text: &str) -> Option<RustVersion> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for place in &mut version {
        match parts.next() {
            Some(part) => *place = part.parse().ok()?,
            None => break,
        }
    }
    parts.next().is_none().then_some(version)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// `app` (1.88) needs `lib`, which needs `deep` (1.90); only its tests need `proof` (1.95).
    pub(crate) fn sample() -> Metadata {
        let package = |id: &str, rust: Option<&str>, publish: Value| {
            json!({
                "id": id, "name": id, "version": "1.0.0", "rust_version": rust, "publish": publish,
                "features": { "default": ["x"], "x": [] },
                "targets": [{ "kind": ["lib"], "name": id }, { "kind": ["example"], "name": "show" }],
            })
        };
        let edge =
            |id: &str, kind: Option<&str>| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        Metadata::parse(&json!({
            "workspace_members": ["app", "tool"],
            "target_directory": "/target",
            "packages": [
                package("app", Some("1.88"), Value::Null),
                package("tool", Some("1.90.0"), json!([])),
                package("lib", None, Value::Null),
                package("deep", Some("1.90"), Value::Null),
                package("proof", Some("1.95"), Value::Null),
            ],
            "resolve": { "nodes": [
                { "id": "app", "deps": [edge("lib", None), edge("proof", Some("dev"))] },
                { "id": "tool", "deps": [edge("lib", None)] },
                { "id": "lib", "deps": [edge("deep", Some("build"))] },
            ]},
        }))
        .unwrap()
    }

    #[test]
    fn members_and_what_they_are() {
        let metadata = sample();
        let members: Vec<_> = metadata
            .members()
            .map(|member| (member.name.as_str(), member.published))
            .collect();
        assert_eq!(members, [("app", true), ("tool", false)]);
        let app = metadata.members().next().unwrap();
        assert_eq!(app.features, ["default", "x"]);
        assert_eq!(app.examples, ["show"]);
    }

    #[test]
    fn the_closure_follows_build_dependencies_and_leaves_out_development_ones() {
        let metadata = sample();
        let app = metadata.members().next().unwrap();
        let closure: Vec<_> = metadata
            .closure(app)
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(closure, ["deep", "lib"]);
    }

    #[test]
    fn metadata_without_members_is_an_error() {
        assert!(Metadata::parse(&json!({ "packages": [] })).is_err());
    }

    #[test]
    fn compiler_versions_compare_by_number() {
        assert_eq!(rust_version("1.88"), rust_version("1.88.0"));
        assert!(rust_version("1.100") > rust_version("1.88"));
        assert_eq!(rust_version("1.88.0.1"), None);
        assert_eq!(rust_version("nightly"), None);
    }
}
