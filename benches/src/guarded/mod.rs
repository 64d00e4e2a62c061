//! Keyward: its hits and its refusals.

mod check;
mod credentials;

use std::time::Duration;

use http::StatusCode;
use keyward::{ApiKeyLayer, IssueError, KeyFormat, Keyward, Limit, NewKey, RequireScopes, Scope};
use keyward_limits::{RateLimitLayer, RateLimits, Rule};
use keyward_memory::MemoryStore;
use tower::layer::util::Stack;

use self::check::Check;
use self::credentials::{PREFIX, bad_checksum, other_id, other_secret};
use crate::Result;
use crate::lineup::{Lineup, Traffic};
use crate::random::{Random, Zipf};

/// Names that the report compares with.
pub(crate) mod name {
    pub(crate) const HIT: &str = "keyward hit";
    pub(crate) const LIMITED: &str = "keyward hit + one local limit";
    pub(crate) const REFUSAL: &str = "keyward refusal: ";
}

const READ: Scope = Scope::from_static("orders:read");
const WRITE: Scope = Scope::from_static("orders:write");

/// The service that the contenders share, and what is needed to enter them.
struct Guarded<'a> {
    keys: Keyward,
    lineup: &'a mut Lineup,
}

/// Enters Keyward on both beds. What comes back keeps its tasks alive.
pub(crate) async fn enter(lineup: &mut Lineup) -> Result<Keyward> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new(PREFIX)?)
        .start()
        .await?;
    let mut guarded = Guarded { keys, lineup };

    let mut issued = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        issued.push(guarded.issue().await?);
    }
    let revoked = guarded.revoked().await?;
    let key = issued[0].clone();

    guarded.hits(&key, issued).await?;
    guarded.refusals(&key, revoked).await?;
    Ok(guarded.keys)
}

/// One per key, which nobody reaches.
fn limit() -> Result<RateLimitLayer> {
    let limit = Limit::new(1 << 32, Duration::from_secs(1)).ok_or("no limit")?;
    let limits = RateLimits::new([Rule::per_key("key").limits([limit])]);
    Ok(RateLimitLayer::new(limits))
}

/// Ten thousand customers, of whom few make most of the requests.
const MANY: usize = 10_000;
/// How many different credentials an attacker tries; few enough to be cached as absent.
const TRIES: usize = 256;

impl Guarded<'_> {
    async fn issue(&self) -> Result<String, IssueError> {
        let key = NewKey::named("bench").tenant("acme-inc").scopes([READ]);
        let issued = self.keys.issue(key).await?;
        Ok(issued.secret.expose().to_owned())
    }

    async fn revoked(&self) -> Result<String> {
        let issued = self
            .keys
            .issue(NewKey::named("revoked").tenant("acme-inc"))
            .await?;
        self.keys.revoke(&issued.key.id).await?;
        Ok(issued.secret.expose().to_owned())
    }

    async fn hits(&mut self, key: &str, issued: Vec<String>) -> Result<()> {
        let layer = ApiKeyLayer::new(self.keys.verifier());
        let one = self.known([key.to_owned()], StatusCode::OK).await?;
        self.both(name::HIT, &layer, &one);

        let scoped = Stack::new(RequireScopes::all([READ]), layer.clone());
        self.lineup
            .bare("keyward hit + RequireScopes", scoped, one.clone());
        let read = RequireScopes::all([READ]);
        let scoped = layer.clone();
        self.lineup.router(
            "keyward hit + RequireScopes",
            |router| router.layer(read).layer(scoped),
            one.clone(),
        );

        let limit = limit()?;
        let limited = Stack::new(limit.clone(), layer.clone());
        self.lineup.bare(name::LIMITED, limited, one.clone());
        let around = layer.clone();
        self.lineup.router(
            name::LIMITED,
            |router| router.layer(limit).layer(around),
            one,
        );

        let (zipf, mut random) = (Zipf::new(MANY), Random::new(2));
        let drawn = (0..65_536).map(|_| issued[zipf.draw(&mut random)].clone());
        let many = self.known(drawn, StatusCode::OK).await?;
        self.both("keyward hit, 10,000 keys by Zipf", &layer, &many);

        self.lineup.apart(
            "keyward check, without HTTP",
            Check::new(self.keys.verifier(), key),
        );
        Ok(())
    }

    async fn refusals(&mut self, key: &str, revoked: String) -> Result<()> {
        let layer = ApiKeyLayer::new(self.keys.verifier());
        let unauthorized = StatusCode::UNAUTHORIZED;

        self.refusal("no credentials", &layer, &Traffic::anonymous(unauthorized));
        let malformed = Traffic::bearer("not a token", StatusCode::BAD_REQUEST)?;
        self.refusal("malformed", &layer, &malformed);
        let mistyped = self.known([bad_checksum(key)], unauthorized).await?;
        self.refusal("bad checksum", &layer, &mistyped);
        let wrong = (0..TRIES).map(|n| other_secret(key, n));
        let wrong = self.known(wrong, unauthorized).await?;
        self.refusal("wrong secret, cached id", &layer, &wrong);
        let unknown = (0..TRIES).map(|n| other_id(key, n));
        let unknown = self.known(unknown, unauthorized).await?;
        self.refusal("unknown id, cached as absent", &layer, &unknown);
        let revoked = self.known([revoked], unauthorized).await?;
        self.refusal("revoked, cached", &layer, &revoked);

        let one = self.known([key.to_owned()], StatusCode::FORBIDDEN).await?;
        let name = format!("{}missing scope", name::REFUSAL);
        let scoped = Stack::new(RequireScopes::all([WRITE]), layer.clone());
        self.lineup.bare(&name, scoped, one.clone());
        let write = RequireScopes::all([WRITE]);
        self.lineup
            .router(&name, |router| router.layer(write).layer(layer), one);
        Ok(())
    }

    /// Traffic of credentials that the cache knows, for better or worse.
    async fn known(
        &self,
        credentials: impl IntoIterator<Item = String>,
        expect: StatusCode,
    ) -> Result<Traffic> {
        let verifier = self.keys.verifier();
        let mut values = Vec::new();
        for credential in credentials {
            // Whether it is let through is for the run itself to see.
            drop(verifier.verify(credential.as_bytes()).await);
            values.push(format!("Bearer {credential}"));
        }
        Traffic::new(values, expect)
    }

    fn refusal(&mut self, name: &str, layer: &ApiKeyLayer, traffic: &Traffic) {
        self.both(&format!("{}{name}", name::REFUSAL), layer, traffic);
    }

    fn both(&mut self, name: &str, layer: &ApiKeyLayer, traffic: &Traffic) {
        self.lineup.bare(name, layer.clone(), traffic.clone());
        let layer = layer.clone();
        self.lineup
            .router(name, |router| router.layer(layer), traffic.clone());
    }
}
