use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyward_store::StoreError;
use tokio::time::sleep;

use super::gate::{Gate, Latch};

/// A method of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`Lookup::find`](keyward_store::Lookup::find)
    Find,
    /// [`Records::commit`](keyward_store::Records::commit)
    Commit,
    /// [`Records::list`](keyward_store::Records::list)
    List,
    /// [`Records::standing`](keyward_store::Records::standing)
    Standing,
    /// [`Records::audit`](keyward_store::Records::audit)
    Audit,
    /// [`Records::touch`](keyward_store::Records::touch)
    Touch,
    /// [`KeyStore::ready`](keyward_store::KeyStore::ready)
    Ready,
    /// [`KeyStore::load`](keyward_store::KeyStore::load)
    Load,
    /// [`KeyStore::changes`](keyward_store::KeyStore::changes)
    Changes,
    /// [`KeyStore::hint`](keyward_store::KeyStore::hint)
    Hint,
    /// [`Register::beat`](keyward_store::Register::beat)
    Beat,
    /// [`Register::applied`](keyward_store::Register::applied)
    Applied,
    /// [`Register::nodes`](keyward_store::Register::nodes)
    Nodes,
    /// [`Register::strike`](keyward_store::Register::strike)
    Strike,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails before it has done anything. A hint resolves at once.
    Fail,
    /// It does its work, and then fails: a commit says that its outcome is unknown.
    FailAfter,
    /// It does nothing and never answers.
    Hang,
    /// It does its work and never answers.
    HangAfter,
    /// It waits before it does its work.
    Delay(Duration),
    /// It panics before it has done anything.
    Panic,
}

/// The handle that makes a [`FaultStore`](super::FaultStore) misbehave, and counts its calls.
///
/// Faults of one method take effect in the order in which they were asked for, one for each call.
/// Clones are handles of the same store.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Methods>>);

/// The state of each method, in the order of [`Call`].
type Methods = [Method; 14];

#[derive(Default)]
struct Method {
    calls: u64,
    running: u64,
    peak: u64,
    plan: VecDeque<Planned>,
    latch: Option<Arc<Latch>>,
}

struct Planned {
    fault: Fault,
    /// `None` is for ever.
    times: Option<u64>,
}

impl Faults {
    /// The next call has this fault.
    pub fn once(&self, call: Call, fault: Fault) {
        self.times(1, call, fault);
    }

    /// The next so many calls have this fault.
    pub fn times(&self, times: u64, call: Call, fault: Fault) {
        if times > 0 {
            let times = Some(times);
            let mut methods = self.lock();
            methods[call as usize]
                .plan
                .push_back(Planned { fault, times });
        }
    }

    /// Every call has this fault until [`heal`](Self::heal).
    pub fn always(&self, call: Call, fault: Fault) {
        let times = None;
        let mut methods = self.lock();
        methods[call as usize]
            .plan
            .push_back(Planned { fault, times });
    }

    /// Calls have no fault any more. One that hangs goes on hanging.
    pub fn heal(&self, call: Call) {
        self.lock()[call as usize].plan.clear();
    }

    /// Holds every call that starts from now on, once it has done its work.
    pub fn hold(&self, call: Call) -> Gate {
        let latch = Latch::shut();
        self.lock()[call as usize].latch = Some(latch.clone());
        Gate::new(latch)
    }

    /// How many calls have been started.
    #[must_use]
    pub fn calls(&self, call: Call) -> u64 {
        self.lock()[call as usize].calls
    }

    /// How many calls are running.
    #[must_use]
    pub fn running(&self, call: Call) -> u64 {
        self.lock()[call as usize].running
    }

    /// The most calls that ever ran at once.
    #[must_use]
    pub fn peak(&self, call: Call) -> u64 {
        self.lock()[call as usize].peak
    }

    /// Runs a call, with what has been asked for.
    pub(super) async fn around<T, E>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, E>> + Send,
        before: fn(StoreError) -> E,
        after: fn(StoreError) -> E,
    ) -> Result<T, E> {
        let (_running, fault, latch) = self.start(call);
        match fault {
            Some(Fault::Fail) => return Err(before(injected())),
            Some(Fault::Hang) => pending().await,
            Some(Fault::Delay(time)) => sleep(time).await,
            Some(Fault::Panic) => panic!("the store panics, as it was told to"),
            Some(Fault::FailAfter | Fault::HangAfter) | None => {}
        }
        let answer = work.await;
        if let Some(latch) = latch {
            latch.pass().await;
        }
        match fault {
            Some(Fault::FailAfter) => Err(after(injected())),
            Some(Fault::HangAfter) => pending().await,
            _ => answer,
        }
    }

    fn start(&self, call: Call) -> (Running<'_>, Option<Fault>, Option<Arc<Latch>>) {
        let mut methods = self.lock();
        let method = &mut methods[call as usize];
        method.calls += 1;
        method.running += 1;
        method.peak = method.peak.max(method.running);
        let running = Running { faults: self, call };
        (running, method.next_fault(), method.latch.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Methods> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

impl Method {
    fn next_fault(&mut self) -> Option<Fault> {
        let planned = self.plan.front_mut()?;
        let fault = planned.fault;
        if let Some(times) = &mut planned.times {
            *times -= 1;
            if *times == 0 {
                self.plan.pop_front();
            }
        }
        Some(fault)
    }
}

/// Counts a call as running, until it is done, dropped or panics.
struct Running<'a> {
    faults: &'a Faults,
    call: Call,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.faults.lock()[self.call as usize].running -= 1;
    }
}

fn injected() -> StoreError {
    StoreError::new("a fault that a test asked for")
}
