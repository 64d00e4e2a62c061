//! bcrypt, Argon2 and PBKDF2.

use keyward_core::ImportError;
use keyward_import::{Argon2, Bcrypt, Characters, FoundBy, Pbkdf2, Spelling, Unreadable};
use keyward_store::{BeginningError, ForeignHash, ForeignKeys, Kept, KeyHash};

use crate::support::Service;

const KEY: &str = "ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345678";
const BEGINNING: &str = "ctza_a1b2";

fn found_by() -> FoundBy {
    let spelling = Spelling::new("ctza_", Characters::Hex, 40..=41);
    FoundBy::beginning(spelling, 9).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bcrypt() {
    let hashes = [
        // Python, bcrypt 5.0.0:
        // bcrypt.hashpw(KEY, bcrypt.gensalt(12)); bcrypt.hashpw(KEY, bcrypt.gensalt(4, prefix=b"2a"))
        "$2b$12$90LRPEMk1flSpVbSnkUWF.rf9hPSVdXP9/oEPjTHqQUuX8GgBceyC",
        "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y",
        // PHP 8.2.36: password_hash(KEY, PASSWORD_BCRYPT, ["cost" => 10])
        "$2y$10$hWwbEVOrCCpmAz4eoeRVNe52AhIB76898SN5W0.sUKo.oM5Bs4K86",
    ];
    for hash in hashes {
        let bcrypt = Bcrypt::new(found_by());
        let service = Service::start(bcrypt.clone()).await;
        let kept = bcrypt.kept(hash, BEGINNING).unwrap();
        service.takes_over(kept, KEY).await;
    }
}

/// Python's library refuses to hash more than 72 bytes, PHP's cuts them off.
#[test]
fn bcrypt_of_more_than_72_bytes() {
    let bcrypt = Bcrypt::new(FoundBy::public_id());
    let cutting = bcrypt.clone().truncating();
    let key = "k".repeat(72);
    let longer = format!("{key}x");
    // Python, bcrypt 5.0.0: bcrypt.hashpw(b"k" * 72, bcrypt.gensalt(4)); of 73 bytes it is a ValueError.
    let python = "$2b$04$u9kLUjfalSewiQtClbxwDO2R4jevXC8xsNpZB.i0r.5Z2/CtmbNvq";
    // PHP 8.2.36: password_hash(str_repeat("k", 72) . "x", PASSWORD_BCRYPT, ["cost" => 4])
    let php = "$2y$04$xmX7352WTeeLEAyPUKHpYuwwr0eFp2uIK7UTtu5WtJkiZMFpIaeLC";
    for hash in [python, php] {
        assert!(bcrypt.proves(key.as_bytes(), hash));
        assert!(!bcrypt.proves(longer.as_bytes(), hash));
        assert!(cutting.proves(longer.as_bytes(), hash));
        assert!(!cutting.proves(&key.as_bytes()[1..], hash));
        // A zero byte ends a key in some libraries.
        assert!(!cutting.proves(format!("{key}\0").as_bytes(), hash));
    }
}

#[test]
fn what_bcrypt_does_not_read() {
    let bcrypt = Bcrypt::new(found_by());
    let hash = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";
    assert!(bcrypt.hash(hash).is_ok());
    for bad in [
        String::new(),
        hash[1..].to_owned(),
        format!("{hash}y"),
        hash.replace("2a", "2x"),
        hash.replace("$04", "$03"),
        hash.replace("$04", "$+4"),
        hash.replace("$04", "$99"),
        hash.replace('S', "é"),
    ] {
        assert_eq!(bcrypt.hash(&bad), Err(Unreadable::Hash), "{bad}");
    }
    let costly = hash.replace("$04", "$13");
    assert_eq!(bcrypt.hash(&costly), Err(Unreadable::TooCostly));
    assert!(!bcrypt.proves(KEY.as_bytes(), &costly));
    assert!(bcrypt.max_cost(13).hash(&costly).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn argon2() {
    let hashes = [
        // Python, argon2-cffi 25.1.0: PasswordHasher(type=t).hash(KEY) for t in Type.ID, Type.I, Type.D
        "$argon2id$v=19$m=65536,t=3,p=4$kCV3EcLewBpf1t7TOW5LEA$gh/Bj+xX8kOnZr4qQUk/afuZahe4ZfoGLMayOx/2lwo",
        "$argon2i$v=19$m=65536,t=3,p=4$hazLF4ES+Td3/a91cytuvw$pl4G1QGJCg8NCMZ45EsrNHo48tBcLraJuAk69W7lj+M",
        "$argon2d$v=19$m=65536,t=3,p=4$oFZMQkRKFuH7aWmT/brcmA$Scg5lXapswDJnsOCAsYPVqn7CRS8WQZLgZYEKyJQ++Q",
        // PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(KEY)
        "$argon2id$v=19$m=64,t=1,p=1$xJFC/fYm/6jqDC9pX+IcSA$FgNA94DuGOE+6iB82uRHgJB4xxFagWhKggQRclATxqk",
    ];
    for hash in hashes {
        let argon2 = Argon2::new(found_by());
        let service = Service::start(argon2.clone()).await;
        let kept = argon2.kept(hash, BEGINNING).unwrap();
        service.takes_over(kept, KEY).await;
    }
}

#[test]
fn what_argon2_does_not_read() {
    let argon2 = Argon2::new(found_by());
    let hash = "$argon2id$v=19$m=64,t=1,p=1$xJFC/fYm/6jqDC9pX+IcSA$FgNA94DuGOE+6iB82uRHgJB4xxFagWhKggQRclATxqk";
    assert!(argon2.hash(hash).is_ok());
    for bad in [
        String::new(),
        hash[1..].to_owned(),
        format!("{hash}$"),
        format!("{hash}="),
        hash.replace("argon2id", "argon2"),
        hash.replace("v=19", "v=20"),
        hash.replace("m=64,t=1", "t=1,m=64"),
        hash.replace("m=64", "m=+64"),
        hash.replace("m=64", "m=99999999999"),
        hash.replace("p=1", "p=1,data=AAAA"),
        hash.replace("xJFC/fYm/6jqDC9pX+IcSA", "xJFC"),
        hash.replace("FgNA94DuGOE+6iB82uRHgJB4xxFagWhKggQRclATxqk", "FgNA"),
        hash.replace("FgNA", &"FgNA".repeat(100)),
    ] {
        assert_eq!(argon2.hash(&bad), Err(Unreadable::Hash), "{bad}");
    }
    for costly in ["m=65537,t=1,p=1", "m=64,t=11,p=1", "m=64,t=1,p=17"] {
        let costly = hash.replace("m=64,t=1,p=1", costly);
        assert_eq!(argon2.hash(&costly), Err(Unreadable::TooCostly));
        assert!(!argon2.proves(KEY.as_bytes(), &costly));
        let willing = Argon2::new(found_by()).max_cost(1 << 20, 20, 20);
        assert!(willing.hash(&costly).is_ok());
    }
    // Too little memory for its lanes: it reads well, and proves nothing.
    let odd = hash.replace("m=64", "m=1");
    assert!(!argon2.proves(KEY.as_bytes(), &odd));
}

#[tokio::test(flavor = "multi_thread")]
async fn pbkdf2() {
    // Python, Django 5.2.19: make_password("acme_Kx8vQ2mN5pR7tY1w"), and
    // PBKDF2PasswordHasher().encode("acme_Kx8vQ2mN5pR7tY1w", "salt1", iterations=1000)
    let hashes = [
        "pbkdf2_sha256$1000000$S8uSPxAzKVJfLKHw1xwNRQ$e84a+Bave3CYV0iJqbTjvUbaL7rHDzooZcZl8NwZu+I=",
        "pbkdf2_sha256$1000$salt1$3/z7uu+N3jROYBbAzErf71zL9l+DWtpWmJmquZ8HLYg=",
    ];
    for hash in hashes {
        let spelling = Spelling::new("acme_", Characters::Base62, 16..=17);
        let pbkdf2 = Pbkdf2::new(FoundBy::beginning(spelling, 10).unwrap());
        let service = Service::start(pbkdf2.clone()).await;
        let kept = pbkdf2.kept(hash, "acme_Kx8vQ").unwrap();
        service.takes_over(kept, "acme_Kx8vQ2mN5pR7tY1w").await;
    }
}

#[test]
fn what_pbkdf2_does_not_read() {
    let pbkdf2 = Pbkdf2::new(found_by());
    let hash = "pbkdf2_sha256$1000$salt1$3/z7uu+N3jROYBbAzErf71zL9l+DWtpWmJmquZ8HLYg=";
    assert!(pbkdf2.hash(hash).is_ok());
    for bad in [
        String::new(),
        hash[1..].to_owned(),
        format!("{hash}$"),
        hash.replace("sha256", "sha1"),
        hash.replace("$1000", "$0"),
        hash.replace("$1000", "$-1"),
        hash.replace("$1000", "$4294967296"),
        hash.replace("3/z7", ""),
    ] {
        assert_eq!(pbkdf2.hash(&bad), Err(Unreadable::Hash), "{bad}");
    }
    let costly = hash.replace("$1000", "$2000001");
    assert_eq!(pbkdf2.hash(&costly), Err(Unreadable::TooCostly));
    assert!(pbkdf2.max_iterations(2_000_001).hash(&costly).is_ok());
}

#[test]
fn a_beginning_holds_four_characters_of_the_secret() {
    let spelling = Spelling::new("ctza_", Characters::Hex, 40..=40);
    for (length, error) in [
        (0, BeginningError::TooShort),
        (8, BeginningError::TooShort),
        (38, BeginningError::TooLong),
        (45, BeginningError::TooLong),
        (65, BeginningError::Spelling),
    ] {
        let refused = FoundBy::beginning(spelling.clone(), length);
        assert_eq!(refused, Err(error), "{length}");
    }
    let bcrypt = Bcrypt::new(found_by());
    let hash = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";
    // No key is looked for by any other length, or without the prefix.
    for beginning in ["ctza_a1b", "ctza_a1b2c", "a1b2c3d4e", ""] {
        let refused = bcrypt.kept(hash, beginning).unwrap_err();
        assert_eq!(refused.column, "beginning");
    }
}

/// What a service could not verify is not taken over in the first place.
#[tokio::test]
async fn what_could_not_be_verified_is_not_imported() {
    let bcrypt = Bcrypt::new(found_by());
    let service = Service::start(bcrypt.clone()).await;
    let hash = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";
    let foreign = |scheme: &str, text: &str| {
        let mut kept = bcrypt.kept(hash, BEGINNING).unwrap();
        kept.hash = KeyHash::Foreign(ForeignHash::new(scheme, text));
        kept
    };
    let refused = service.import(foreign("argon2", hash)).await;
    assert!(matches!(refused, Err(ImportError::SchemeNotRegistered)));
    for text in ["nonsense", &hash.replace("$04", "$13")] {
        let refused = service.import(foreign("bcrypt", text)).await;
        assert!(matches!(refused, Err(ImportError::Hash)), "{refused:?}");
    }
    let lost = Kept::new(KeyHash::Foreign(ForeignHash::new("bcrypt", hash)));
    let refused = service.import(lost).await;
    assert!(matches!(refused, Err(ImportError::NotFound)), "{refused:?}");
    let mut odd = foreign("bcrypt", hash);
    odd.hint = "a\nb".to_owned();
    assert!(matches!(service.import(odd).await, Err(ImportError::Hint)));
}
