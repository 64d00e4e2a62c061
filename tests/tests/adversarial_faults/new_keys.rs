//! A key that was asked for before it existed.

use std::time::Duration;

use keyward_store::Digest;
use keyward_tests::cluster::Distribution;
use keyward_throwaway::Database;
use tokio::time::{Instant, sleep};

use crate::support::{FORMATS, Service, format, patient};

/// That a key was unknown is forgotten on the node that makes it before it is handed out, and
/// elsewhere as soon as the news is there.
#[tokio::test(flavor = "multi_thread")]
async fn create_after_miss() {
    let database = Database::fresh().await.unwrap();
    let here = Service::start(database.url(), patient).await;
    let there = Service::start(database.url(), patient).await;
    database.execute(MAKE_PRESET).await.unwrap();
    let mut heard = Distribution::default();
    for turn in 0..20 {
        let prefix = FORMATS[turn % 2];
        let generated = format(prefix).generate().unwrap();
        let key = generated.plaintext;
        for service in [&here, &there] {
            let loads = service.loads();
            for _ in 0..3 {
                assert_eq!(service.status(&key).await, 401);
            }
            assert_eq!(service.loads(), loads + 1, "it is remembered as unknown");
        }

        let digest = Digest::sha256(key.expose().as_bytes()).to_hex();
        let id = generated
            .public_id
            .map_or("NULL".to_owned(), |id| format!("'{}'", id.as_str()));
        let preset = format!("INSERT INTO preset VALUES ('\\x{digest}', {id})");
        database.execute(&preset).await.unwrap();
        here.issue(prefix).await;
        let made = Instant::now();
        assert_eq!(here.status(&key).await, 200);
        while there.status(&key).await != 200 {
            assert!(made.elapsed() < SOON, "not known elsewhere in {SOON:?}");
            sleep(Duration::from_millis(1)).await;
        }
        heard.add(made.elapsed());
    }
    println!("from the making of a key to its use elsewhere: {heard}");
}

/// Issuing a key makes up its secret, which nobody can ask for before. This is the host's own rule
/// that a new key gets a secret that was asked for.
const MAKE_PRESET: &str = "
    CREATE TABLE preset (digest bytea, public_id text);
    CREATE FUNCTION preset() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM public.preset RETURNING digest, public_id INTO NEW.digest, NEW.public_id;
            RETURN NEW;
        END $$;
    CREATE TRIGGER preset BEFORE INSERT ON keyward.keys FOR EACH ROW EXECUTE FUNCTION preset()";

/// Far more than a hint takes, and far less than the time until the next poll.
const SOON: Duration = Duration::from_secs(2);
