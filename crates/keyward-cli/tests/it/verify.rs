//! Whether a key is good.

use std::fs;

use crate::support::Site;

#[tokio::test]
async fn a_good_key_is_told_with_what_it_may() {
    let site = Site::fresh().await;
    let (id, secret) = site.issue("ci", &["--scope", "orders:read"]);
    for end in ["", "\n", "\r\n", "\nmore"] {
        let ran = site
            .fed(&["verify"], format!("{secret}{end}").as_bytes())
            .done();
        ran.hides(&secret)
            .says("valid, with the scopes orders:read")
            .says(&id);
    }
    let told = site
        .fed(&["verify", "--json"], secret.as_bytes())
        .done()
        .hides(&secret)
        .object();
    assert_eq!(
        (&told["valid"], &told["key"]["id"]),
        (&true.into(), &(*id).into())
    );
    // To look is no use.
    let shown = site.run(&["show", &id, "--json"]).done().object();
    assert!(shown["lastUsedAt"].is_null());
}

#[tokio::test]
async fn a_bad_key_is_told_why() {
    let site = Site::fresh().await;
    let (id, secret) = site.issue("ci", &[]);
    let not_valid = |why: &str| {
        let ran = site.fed(&["verify"], secret.as_bytes()).exits(3);
        ran.hides(&secret)
            .says(&format!("not valid: {why}"))
            .says(&id)
    };
    site.run(&["suspend", &id]).done();
    not_valid("suspended");
    site.run(&["revoke", &id]).done();
    not_valid("revoked");
    let told = site
        .fed(&["verify", "--json"], secret.as_bytes())
        .exits(3)
        .object();
    assert_eq!(
        (&told["valid"], &told["reason"]),
        (&false.into(), &"revoked".into())
    );
    let (_, gone) = site.issue("gone", &[]);
    site.sql("DELETE FROM keyward.keys WHERE name = 'gone'")
        .await;
    site.fed(&["verify"], gone.as_bytes())
        .exits(3)
        .says("no such key");
    for nonsense in ["", "\n", "acme_live_x", "é", &"x".repeat(10_000)] {
        site.fed(&["verify"], nonsense.as_bytes())
            .exits(3)
            .says("not valid");
    }
}

#[tokio::test]
async fn a_key_among_the_arguments_is_refused_and_not_repeated() {
    let site = Site::fresh().await;
    let (_, secret) = site.issue("ci", &[]);
    site.run(&["verify", &secret])
        .exits(2)
        .hides(&secret)
        .notes("standard input");
    site.run(&["verify", "--json", "--", &secret])
        .exits(2)
        .hides(&secret);
}

#[tokio::test]
async fn peppers_are_read_from_files() {
    let site = Site::fresh().await;
    let directory = Directory::fresh();
    let file = directory.file("pepper", &[7; 32]);
    let short = directory.file("short", &[7; 31]);
    let pepper = format!("2026={file}");
    let (id, secret) = site.issue("ci", &["--pepper", &pepper]);
    let shown = site.run(&["show", &id, "--json"]).done().object();
    assert_eq!(shown["keptAs"], "pepper:2026");
    site.fed(&["verify", "--pepper", &pepper], secret.as_bytes())
        .done();
    // Whether it is good cannot be known without the pepper, which is no no.
    site.fed(&["verify"], secret.as_bytes())
        .exits(4)
        .notes("cannot be verified");
    site.run(&["list", "--pepper", &format!("a={short}")])
        .exits(2)
        .notes("32 bytes");
    site.run(&["list", "--pepper", "a=/nowhere/pepper"])
        .exits(2)
        .notes("cannot read");
    site.run(&["list", "--pepper", "pepper"]).exits(2);
    assert_eq!(
        site.run(&["list", "--kept", "pepper:2026", "--json"])
            .done()
            .objects()
            .len(),
        1
    );
}

/// A directory of one test.
pub(crate) struct Directory(std::path::PathBuf);

impl Directory {
    pub(crate) fn fresh() -> Self {
        let path = std::env::temp_dir().join(format!("keyward-cli-{}", crate::support::some_id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A new file in it: its path.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left is in the directory for what may be left.
        let _left = fs::remove_dir_all(&self.0);
    }
}
