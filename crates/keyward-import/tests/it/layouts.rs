//! The rows of other systems.

use std::time::{Duration, SystemTime};

use keyward_core::{DeniedKind, NewKey, Reason};
use keyward_import::{
    BetterAuth, BetterAuthRow, DrfApiKey, DrfApiKeyRow, PrefixedApiKey, PrefixedApiKeyRow, Sanctum,
    SanctumRow, Unkey, UnkeyRow, Unreadable,
};
use keyward_store::{KeyHash, Scope};

use crate::support::Service;

// npm, better-auth 1.7.25 with @better-auth/api-key 1.7.5, over the memory adapter:
// auth.api.createApiKey({ body: { userId, name: "ci", prefix: "acme_",
//   permissions: { orders: ["read", "write"] }, expiresIn: 60 * 60 * 24 * 365 } })
const BETTER_AUTH: &str = "acme_CUgsCyhtXHYPOxkdDovufttkkJDgcEcmKfZfjgRjXvtOUlXNrXjwpRDhujyHjipG";
const BETTER_AUTH_ROW: [&str; 2] = [
    "8jzm9gOaakhuh0a9D4YK6HWCpfQsO8qf",
    "nzdbhrClUnylxErsMNCNFosTGPH9y-REvEzvMjR5lZ4",
];
// The same without name and prefix: auth.api.createApiKey({ body: { userId } })
const BETTER_AUTH_PLAIN: &str = "GfMqhCazjJEtHxYknDWHmIJZEGxqCGkRKQoAxOFbBGAPgXZwgiiHDsRBABmFvHeq";
const BETTER_AUTH_PLAIN_ROW: [&str; 2] = [
    "gIDTiKxWJqH4mVaxDPJqdkZv34mHr9Zk",
    "ZosKFt_GMPtq3xIdWj67ifwsgrF_2SLqj4FeWrQ0p4g",
];

#[tokio::test]
async fn better_auth() {
    let layout = BetterAuth::new(["acme_", ""]);
    let service = Service::start(layout.clone()).await;
    let [id, key] = BETTER_AUTH_ROW;
    let mut row = BetterAuthRow::new(id, key);
    let year = Duration::from_secs(60 * 60 * 24 * 365);
    row.name = Some("ci");
    row.start = Some("acme_C");
    row.prefix = Some("acme_");
    row.permissions = Some(r#"{"orders":["read","write"]}"#);
    row.created_at = Some(SystemTime::UNIX_EPOCH + year);
    row.expires_at = Some(SystemTime::now() + year);
    let read = layout.read(&row).unwrap();
    assert_eq!(read.name.as_deref(), Some("ci"));
    assert_eq!(
        read.scopes,
        ["orders:read", "orders:write"].map(|scope| Scope::new(scope).unwrap())
    );
    assert_eq!(read.expires_at, row.expires_at);
    assert_eq!(read.kept.hint, "acme_C");
    service.takes_over(read.kept, BETTER_AUTH).await;

    let [id, key] = BETTER_AUTH_PLAIN_ROW;
    let read = layout.read(&BetterAuthRow::new(id, key)).unwrap();
    assert_eq!(read.name, None);
    service.takes_over(read.kept, BETTER_AUTH_PLAIN).await;
}

/// The row's own times stay, and a key that is switched off can be switched on.
#[tokio::test]
async fn what_a_row_tells_is_kept() {
    let layout = BetterAuth::new(["acme_"]);
    let service = Service::start(layout.clone()).await;
    let [id, key] = BETTER_AUTH_ROW;
    let mut row = BetterAuthRow::new(id, key);
    let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * n);
    row.created_at = Some(day(1));
    row.last_request = Some(day(2));
    row.enabled = false;
    let kept = layout.read(&row).unwrap().kept;
    let imported = service.import(kept).await.unwrap();
    let known = service.keys.get(&imported.id).await.unwrap().unwrap();
    assert_eq!(known.record, imported);
    assert_eq!(imported.created_at, day(1));
    assert_eq!(known.last_used_at, Some(day(2)));
    let denied = service.verify(BETTER_AUTH).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::Suspended);
}

#[test]
fn columns_of_better_auth_that_make_no_sense() {
    let layout = BetterAuth::new(["acme_"]);
    let [id, key] = BETTER_AUTH_ROW;
    let column = |row: BetterAuthRow<'_>| {
        let error = layout.read(&row).unwrap_err();
        (error.column, error.why)
    };
    // Where the plugin does not hash, the column holds the key.
    let plain = BetterAuthRow::new(id, BETTER_AUTH);
    assert_eq!(column(plain), ("key", Unreadable::Hash));
    let row = BetterAuthRow::new("a b", key);
    assert_eq!(column(row), ("id", Unreadable::Id));
    for bad in ["", "[]", r#"{"a":"b"}"#, r#"{"a b":["c"]}"#] {
        let mut row = BetterAuthRow::new(id, key);
        row.permissions = Some(bad);
        assert_eq!(
            column(row),
            ("permissions", Unreadable::Permissions),
            "{bad}"
        );
    }
    let mut row = BetterAuthRow::new(id, key);
    row.permissions = Some("null");
    assert!(layout.read(&row).unwrap().scopes.is_empty());
}

// PyPI, djangorestframework-api-key 2.3.0 and 3.1.0 with Django 5.2.19 over SQLite:
// row, key = APIKey.objects.create_key(name="ci"); print(key, row.prefix, row.hashed_key)
const DRF_2: [&str; 3] = [
    "ARXkPr7u.mCRpWexstsHn5OBm3vEB2qngCaRTW3wf",
    "ARXkPr7u",
    "pbkdf2_sha256$1000000$0qk3h4wyMoqelh8bhKcYJn$ZcWeUnMDjj6s3xEkwcqfnK8kHIiai5As4o61foZrFkE=",
];
const DRF_3: [&str; 3] = [
    "kAbLa5CG.TxmqvauC5Uw9qAEA3epOJP3ZBRM47B46",
    "kAbLa5CG",
    "sha512$$3e0e9592ab15302c5c9aa3d333665dfe49319d5d6e8790bfdeaae0debcb5db0d915c0caa9791b6cf9a6710f8b602309bde8cc572d5196f96824c8400ae327281",
];

#[tokio::test(flavor = "multi_thread")]
async fn drf_api_key() {
    let layout = DrfApiKey::new();
    let service = Service::start(layout).await;
    for [key, prefix, hashed_key] in [DRF_2, DRF_3] {
        let read = layout.read(&DrfApiKeyRow::new(prefix, hashed_key)).unwrap();
        assert_eq!(read.kept.hint, prefix);
        service.takes_over(read.kept, key).await;
    }
    let [_, prefix, hashed_key] = DRF_2;
    for (row, column, why) in [
        (
            DrfApiKeyRow::new("a-b", hashed_key),
            "prefix",
            Unreadable::PublicId,
        ),
        (
            DrfApiKeyRow::new(prefix, "md5$$"),
            "hashed_key",
            Unreadable::Hash,
        ),
        (
            DrfApiKeyRow::new(prefix, &hashed_key.replace("$1", "$9")),
            "hashed_key",
            Unreadable::TooCostly,
        ),
    ] {
        let error = layout.read(&row).unwrap_err();
        assert_eq!((error.column, error.why), (column, why));
    }
}

#[tokio::test]
async fn a_revoked_row_stays_revoked() {
    let service = Service::start(DrfApiKey::new()).await;
    let [key, prefix, hashed_key] = DRF_3;
    let mut row = DrfApiKeyRow::new(prefix, hashed_key);
    row.revoked = true;
    let kept = DrfApiKey::new().read(&row).unwrap().kept;
    service.import(kept).await.unwrap();
    let denied = service.verify(key).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::Revoked);
}

// PHP 8.2.36, by what `HasApiTokens::createToken` of Sanctum 4 does, without the framework around it:
// $e = <40 letters and digits>; $t = $e . hash("crc32b", $e); echo "12|$t ", hash("sha256", $t);
// and with the prefix "acme_" and no checksum, as older versions make them.
const SANCTUM: [(u64, &str, &str); 2] = [
    (
        12,
        "12|Dr8uEJQGWLDKv1HgXLk66lxeBYyR2G0gQfAglR3w0198d0c2",
        "69113a43b309035e5a5c413d3ce15370175eeb6281c3a7093e67062222c291a0",
    ),
    (
        13,
        "13|acme_RwVHxFMQelLI7vxQZLJ59bnRL5tkh2zkJjwqo65V",
        "20bf7b24ca28eae5b76ea324fc59c2171a61ce1b8d144de418775607237460f8",
    ),
];

#[tokio::test]
async fn sanctum() {
    let layout = Sanctum::new();
    let service = Service::start(layout).await;
    for (id, key, token) in SANCTUM {
        let mut row = SanctumRow::new(id, token);
        row.abilities = Some(r#"["orders:read","*"]"#);
        let read = layout.read(&row).unwrap();
        assert_eq!(
            read.scopes,
            ["orders:read", "*"].map(|scope| Scope::new(scope).unwrap())
        );
        service.takes_over(read.kept, key).await;
    }
}

/// The token of one row behind the id of another is nobody's.
#[tokio::test]
async fn a_token_of_sanctum_belongs_to_its_id() {
    let service = Service::start(Sanctum::new()).await;
    for (id, _, token) in SANCTUM {
        let kept = Sanctum::new()
            .read(&SanctumRow::new(id, token))
            .unwrap()
            .kept;
        service.import(kept).await.unwrap();
    }
    let token = SANCTUM[0].1.split_once('|').unwrap().1;
    for id in ["13|", "012|", "14|", "|", ""] {
        let denied = service.verify(&format!("{id}{token}")).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::InvalidToken, "{id}");
    }
    let mut without_list = SanctumRow::new(12, SANCTUM[0].2);
    without_list.abilities = Some("{}");
    for (row, column) in [
        (SanctumRow::new(12, token), "token"),
        (without_list, "abilities"),
    ] {
        assert_eq!(Sanctum::new().read(&row).unwrap_err().column, column);
    }
}

// npm, prefixed-api-key 1.1.1: await generateAPIKey({ keyPrefix: "mycompany" })
const SEAM: [&str; 3] = [
    "mycompany_MzhebS6V_D7upgw6qiwHcLeJP7HBMEdHp",
    "MzhebS6V",
    "7718f0e3e267d9a42018bedf0a6711788a96f1a0ed2d476440a13723f70e8792",
];

#[tokio::test]
async fn prefixed_api_key() {
    let layout = PrefixedApiKey::new("mycompany");
    let service = Service::start(layout.clone()).await;
    let [key, short, hash] = SEAM;
    let read = layout.read(&PrefixedApiKeyRow::new(short, hash)).unwrap();
    assert_eq!(read.kept.hint, "mycompany_MzhebS6V");
    service.takes_over(read.kept, key).await;
    for (row, column) in [
        (PrefixedApiKeyRow::new("a_b", hash), "shortToken"),
        (PrefixedApiKeyRow::new(short, key), "longTokenHash"),
    ] {
        assert_eq!(layout.read(&row).unwrap_err().column, column);
    }
}

/// Its keys may be spelled like those of a format of the service; they are found by the same id.
#[tokio::test]
async fn prefixed_api_key_in_the_shape_of_new_keys() {
    use keyward_store::{Alphabet, IdShape, KeyFormat};
    let layout = PrefixedApiKey::new("mycompany");
    let format = KeyFormat::builder("mycompany")
        .public_id(IdShape::Characters(8))
        .secret(Alphabet::Base62, 24)
        .without_checksum()
        .build()
        .unwrap();
    let foreign = layout.clone();
    let service = Service::with(|builder| builder.format(format).foreign(foreign)).await;
    let [key, short, hash] = SEAM;
    let read = layout.read(&PrefixedApiKeyRow::new(short, hash)).unwrap();
    service.takes_over(read.kept, key).await;
    let new = NewKey::named("new").tenant("acme").format("mycompany");
    let issued = service.keys.issue(new).await.unwrap();
    assert!(service.verify(issued.secret.expose()).await.is_ok());
}

// Unkey makes and hashes keys in its own service, of which no package can be had. This is what its
// source does (`KeyV1` and `hash.Sha256`), with Node 20 and bs58 5:
// key = "acme_" + bs58.encode([1, 16, ...randomBytes(16)])
// createHash("sha256").update(key).digest("base64")
const UNKEY: [&str; 2] = [
    "acme_3ZZKFShxg1vg4EXYE2YPvH7V",
    "mX5SNIUDxYkPZUkNV52nbk4gNyRWaQFmQRQmDE/u5l4=",
];

#[tokio::test]
async fn unkey() {
    let layout = Unkey::new(["acme", ""]);
    let service = Service::start(layout.clone()).await;
    let [key, hash] = UNKEY;
    let mut row = UnkeyRow::new("key_2cGKbMxRyIzhCxo1Idjz8q", hash);
    row.start = Some("acme_3ZZK");
    let read = layout.read(&row).unwrap();
    service.takes_over(read.kept, key).await;
    let error = layout.read(&UnkeyRow::new("key_1", key)).unwrap_err();
    assert_eq!((error.column, error.why), ("hash", Unreadable::Hash));
}

/// A key that has moved to a pepper since is not imported a second time.
#[tokio::test]
async fn an_import_is_done_again_although_keys_have_moved() {
    use keyward_store::{Pepper, Peppers};
    let layout = BetterAuth::new(["acme_"]);
    let peppers = Peppers::current(Pepper::new("1", &[1; 32]).unwrap());
    let foreign = layout.clone();
    let service = Service::with(|builder| builder.foreign(foreign).peppers(peppers)).await;
    let [id, key] = BETTER_AUTH_ROW;
    let kept = layout.read(&BetterAuthRow::new(id, key)).unwrap().kept;
    let imported = service.import(kept.clone()).await.unwrap();
    service.verify(BETTER_AUTH).await.unwrap();
    let moved = async || {
        let known = service.keys.get(&imported.id).await.unwrap().unwrap();
        matches!(known.record.hash, KeyHash::HmacSha256 { .. })
    };
    for _try in 0..1_000 {
        if moved().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(moved().await);
    service.takes_no_more(kept).await;
    assert!(service.verify(BETTER_AUTH).await.is_ok());
}
