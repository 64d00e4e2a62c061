use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keyward_store::{
    Clock, ForeignHash, ForeignKeys, Formats, KeyFormat, KeyStore, Peppers, Records, StoreError,
};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::Policy;
use crate::lifecycle::{Keyward, Rules};
use crate::start_error::StartError;
use crate::verifier::beats::Beater;
use crate::verifier::caught::caught;
use crate::verifier::coherence::Coherence;
use crate::verifier::foreign::Foreign;
use crate::verifier::health::Vitals;
use crate::verifier::identity::Identity;
use crate::verifier::node::{Limits, Node, REHASHES_AT_ONCE, TIME_TO_LIVE};
use crate::verifier::observer::Observer;
use crate::verifier::poller::Poller;
use crate::verifier::rounds::Rounds;
use crate::verifier::tasks::Tasks;
use crate::verifier::{Cache, ExpiredFloor, Flights, Uses, Verifier};

/// Sets up a [`Keyward`] or a [`Verifier`]: at least one format, and whatever shall differ from the
/// defaults.
#[derive(Clone, Debug)]
pub struct Builder<S> {
    store: S,
    formats: Vec<KeyFormat>,
    peppers: Peppers,
    foreign: Vec<Arc<dyn ForeignKeys>>,
    upgrade_foreign: bool,
    clock: Clock,
    node_name: Option<Arc<str>>,
    rules: Rules,
    limits: Limits,
}

impl<S> Builder<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            formats: Vec::new(),
            peppers: Peppers::none(),
            foreign: Vec::new(),
            upgrade_foreign: false,
            clock: Clock::system(),
            node_name: None,
            rules: Rules::default(),
            limits: Limits::default(),
        }
    }

    /// Keys of this format are accepted. The first format is the one that new keys get.
    #[must_use]
    pub fn format(mut self, format: KeyFormat) -> Self {
        self.formats.push(format);
        self
    }

    /// Keys are kept as MACs under a pepper, and those that are not move to it when they are used.
    ///
    /// How to change it on several nodes is said at [`Peppers`]. A node that lacks the pepper of a key
    /// answers 503 where the key's format has a public id; without one, the key cannot be found at all
    /// and is refused as unknown.
    #[must_use]
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Keys of this other system are accepted too: those that
    /// [`import`](crate::Keyward::import) has taken over as the system kept them, and those whose
    /// spelling no [`format`](Builder::format) has.
    ///
    /// Every node needs it. One that lacks the scheme of a key answers 503 where the key's format has a
    /// public id; where not, it cannot find the key at all and refuses it as unknown.
    #[must_use]
    pub fn foreign(mut self, keys: impl ForeignKeys) -> Self {
        self.foreign.push(Arc::new(keys));
        self
    }

    /// A key of another system that is used moves to the hash that new keys get: its SHA-256, or its MAC
    /// under the current [pepper](Builder::peppers). Otherwise it stays as it was kept.
    ///
    /// What is left is a list of its own:
    ///
    /// ```
    /// # use keyward_core::Keyward;
    /// # use keyward_memory::MemoryStore;
    /// # use keyward_store::{KeptAs, KeyFilter, KeyFormat, ListQuery};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::default();
    /// # let format = KeyFormat::new("acme_live")?;
    /// let keys = Keyward::builder(store).format(format).upgrade_foreign().start().await?;
    /// let left = KeyFilter::usable().kept(KeptAs::Foreign);
    /// for key in keys.list(&ListQuery::new(left)).await?.keys {
    ///     println!("{} was last used {:?}", key.record.id, key.last_used_at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn upgrade_foreign(mut self) -> Self {
        self.upgrade_foreign = true;
        self
    }

    /// How many slow hashes of other systems are computed at once, each on a thread of its own: 2 unless
    /// said otherwise. Some more credentials wait for their turn; beyond that the answer is 503.
    #[must_use]
    pub fn slow_hashes_at_once(mut self, hashes: usize) -> Self {
        self.limits.slow_hashes_at_once = hashes;
        self
    }

    /// How long an answer is believed without news from the store, and so how long a revoked key
    /// may live on a node that is cut off: 5 s unless said otherwise.
    #[must_use]
    pub fn lease(mut self, length: Duration) -> Self {
        self.limits.lease = length;
        self
    }

    /// How often the store is asked what has changed, and told that this node is there, ten per cent
    /// more or less: every second unless said otherwise.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.limits.poll_interval = interval;
        self
    }

    /// How long the store may take to say what has changed, or which nodes there are: 1 s unless said
    /// otherwise.
    #[must_use]
    pub fn poll_limit(mut self, limit: Duration) -> Self {
        self.limits.poll = limit;
        self
    }

    /// How long a look-up may take, waiting for its turn included: 2 s unless said otherwise.
    #[must_use]
    pub fn load_limit(mut self, limit: Duration) -> Self {
        self.limits.load = limit;
        self
    }

    /// How many look-ups may be at the store at once: 64 unless said otherwise.
    #[must_use]
    pub fn loads_at_once(mut self, loads: usize) -> Self {
        self.limits.loads_at_once = loads;
        self
    }

    /// How often last uses are written down: every second unless said otherwise. A crash loses the
    /// uses of one interval.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.limits.flush_interval = interval;
        self
    }

    /// How many keys are cached: 100,000 unless said otherwise, at some 600 bytes each and what their
    /// names, scopes and metadata take. Some 65,000 of the busiest are held besides.
    #[must_use]
    pub fn cache_capacity(mut self, keys: u64) -> Self {
        self.limits.entries = keys;
        self
    }

    /// How many credentials are remembered as unknown: 10,000 unless said otherwise. They have a
    /// cache of their own and push no key out.
    #[must_use]
    pub fn absent_capacity(mut self, credentials: usize) -> Self {
        self.limits.absent = credentials;
        self
    }

    /// Who may do what to which keys, for those who manage keys by
    /// [`Keyward::acting_as`](crate::Keyward::acting_as): nobody anything unless said otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.rules.policy = policy;
        self
    }

    /// How many usable keys a tenant may have: no more are issued, whoever asks. Keys that have been
    /// replaced do not count, so that a rotation needs no room.
    #[must_use]
    pub const fn keys_per_tenant(mut self, keys: u64) -> Self {
        self.rules.keys_per_tenant = Some(keys);
        self
    }

    /// The same for the keys of one owner in one tenant.
    #[must_use]
    pub const fn keys_per_owner(mut self, keys: u64) -> Self {
        self.rules.keys_per_owner = Some(keys);
        self
    }

    /// Leaves a line in the audit log about each key that ends within so long, once, whichever node is
    /// the first to see it: see [`Events`](crate::Events). Not done unless said so.
    #[must_use]
    pub const fn notice_before_end(mut self, within: Duration) -> Self {
        self.limits.notice = Some(within);
        self
    }

    /// How people know this process among those that verify keys of the same store, in a
    /// [`Receipt`](crate::Receipt) for instance: the name of the host and the number of the process, unless said otherwise. It need not be unlike the others.
    #[must_use]
    pub fn node_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.node_name = Some(name.into());
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl<S: KeyStore + Records> Builder<S> {
    /// Asks the store whether it can be used, and for its first news, starts the tasks on the present
    /// tokio runtime, and gives the whole service.
    ///
    /// # Errors
    /// [`StartError`] when the settings make no sense, there is no runtime, or the store cannot be
    /// used or does not answer.
    pub async fn start(self) -> Result<Keyward, StartError> {
        let (store, settings) = self.split();
        let rules = settings.rules.clone();
        let store = Arc::new(store);
        let records: Arc<dyn Records> = store.clone();
        let verifier = settings.launch(store, Some(records.clone())).await?;
        Ok(Keyward::new(verifier, records, rules))
    }
}

impl<S: KeyStore> Builder<S> {
    /// The same for a service that verifies keys which others issue.
    ///
    /// # Errors
    /// [`StartError`] when the settings make no sense, there is no runtime, or the store cannot be
    /// used or does not answer.
    pub async fn verify_only(self) -> Result<Verifier, StartError> {
        let (store, settings) = self.split();
        settings.launch(Arc::new(store), None).await
    }
}

impl<S> Builder<S> {
    fn split(self) -> (S, Builder<()>) {
        let settings = Builder {
            store: (),
            formats: self.formats,
            peppers: self.peppers,
            foreign: self.foreign,
            upgrade_foreign: self.upgrade_foreign,
            clock: self.clock,
            node_name: self.node_name,
            rules: self.rules,
            limits: self.limits,
        };
        (self.store, settings)
    }
}

impl Builder<()> {
    async fn launch(
        self,
        store: Arc<dyn KeyStore>,
        records: Option<Arc<dyn Records>>,
    ) -> Result<Verifier, StartError> {
        let limits = self.limits;
        limits.check()?;
        let formats = Formats::new(self.formats)?;
        check_schemes(&self.foreign)?;
        let foreign = Foreign::new(
            self.foreign,
            self.upgrade_foreign,
            limits.slow_hashes_at_once,
        );
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        ready(&*store).await.map_err(StartError::NotReady)?;
        let node = Arc::new(Node {
            formats,
            peppers: self.peppers,
            foreign,
            identity: Identity::new(self.node_name),
            coherence: Coherence::new(self.clock.clone(), limits.lease),
            clock: self.clock,
            cache: Cache::new(limits.entries, limits.absent, TIME_TO_LIVE),
            flights: Arc::new(Flights::new(limits.loads_at_once)),
            polls: Rounds::new(),
            beats: Rounds::new(),
            applied: watch::Sender::new(None),
            observer: Observer::default(),
            vitals: Vitals::default(),
            uses: Uses::default(),
            expired: ExpiredFloor::default(),
            rehashes: Semaphore::new(REHASHES_AT_ONCE),
            store,
            records,
            runtime,
            limits,
        });
        match first_round(&node).await {
            Ok((poller, beater)) => {
                let tasks = Tasks::start(&node, poller, beater);
                Ok(Verifier::new(node, tasks))
            }
            Err(error) => {
                node.leave().await;
                Err(StartError::Store(error))
            }
        }
    }
}

/// A beat comes before the first poll: without contact, no answer is believed.
async fn first_round(node: &Node) -> Result<(Poller, Beater), StoreError> {
    let (mut poller, mut beater) = (Poller::new(), Beater::new());
    beater.beat(node).await?;
    poller.poll(node).await?;
    if node.coherence.longest_trust() > node.limits.lease {
        // The poll has told that facts are believed for longer than the beat had said.
        beater.beat(node).await?;
    }
    Ok((poller, beater))
}

async fn ready(store: &dyn KeyStore) -> Result<(), StoreError> {
    let answer = timeout(READY_LIMIT, caught(async { store.ready().await })).await;
    answer.map_err(StoreError::new)?.map_err(StoreError::new)?
}

/// Long enough for a database that is just being woken.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// Each hash names the scheme that compares it: two of one name would take each other's.
fn check_schemes(foreign: &[Arc<dyn ForeignKeys>]) -> Result<(), StartError> {
    let mut names = HashSet::new();
    for keys in foreign {
        let name = keys.scheme();
        if !(1..=ForeignHash::MAX.0).contains(&name.len()) {
            return Err(StartError::Settings("a scheme has a name of 1 to 64 bytes"));
        }
        if !names.insert(name) {
            return Err(StartError::DuplicateScheme(name.to_owned()));
        }
    }
    Ok(())
}

impl Limits {
    fn check(&self) -> Result<(), StartError> {
        let durations = [
            self.lease,
            self.poll_interval,
            self.poll,
            self.load,
            self.flush_interval,
        ];
        let numbers = [self.loads_at_once, self.slow_hashes_at_once];
        if durations.contains(&Duration::ZERO) || numbers.contains(&0) {
            return Err(StartError::Settings(
                "every interval, limit and number must be above zero",
            ));
        }
        if numbers
            .iter()
            .any(|number| *number > Semaphore::MAX_PERMITS)
        {
            return Err(StartError::Settings("so many look-ups cannot be counted"));
        }
        if self.load >= self.lease {
            return Err(StartError::Settings(
                "a look-up must end before its answer is too old",
            ));
        }
        if self.poll_interval >= self.lease {
            return Err(StartError::Settings(
                "polls must be more frequent than leases are long",
            ));
        }
        Ok(())
    }
}
