use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The time: of the machine, or of a test.
///
/// It tells two times. [`boot`](Clock::boot) counts from the start of the machine, suspension
/// included, and never jumps: leases and ages are counted in it. [`wall`](Clock::wall) is the time
/// of day: a store's own clock, by which keys expire, and the time that new records bear.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its [`ManualClock`] moves it.
    ///
    /// It starts one hour after boot, at the present time of day to the second.
    #[must_use]
    pub fn manual() -> (Self, ManualClock) {
        let handle = ManualClock(Arc::new(ManualTime {
            boot: AtomicU64::new(3_600_000_000_000),
            wall: Mutex::new(whole_seconds(SystemTime::now())),
        }));
        (Self(Source::Manual(handle.clone())), handle)
    }

    /// The time since the machine started, including the time it was suspended.
    #[inline]
    #[must_use]
    pub fn boot(&self) -> BootTime {
        match &self.0 {
            Source::System => system_boot(),
            Source::Manual(manual) => BootTime(manual.0.boot.load(Ordering::SeqCst)),
        }
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System => SystemTime::now(),
            Source::Manual(manual) => manual.wall(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

/// A moment on the boot clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(u64);

impl BootTime {
    /// Before every other moment.
    pub const ZERO: Self = Self(0);
    /// After every other moment.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment that lies `nanos` after the start of the machine.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start of the machine.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment and `by` more, or [`BootTime::NEVER`] where that cannot be counted.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        match u64::try_from(by.as_nanos()) {
            Ok(nanos) => Self(self.0.saturating_add(nanos)),
            Err(_) => Self::NEVER,
        }
    }

    /// How long ago `earlier` was; zero when it was not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The handle that moves a [`Clock::manual`].
#[derive(Clone)]
pub struct ManualClock(Arc<ManualTime>);

struct ManualTime {
    boot: AtomicU64,
    wall: Mutex<SystemTime>,
}

impl ManualClock {
    /// Lets `by` pass, on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut wall = self.0.wall.lock().unwrap_or_else(PoisonError::into_inner);
        *wall += by;
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.0.boot.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the time of day, as an administrator or a time service does. The boot clock stays.
    pub fn set_wall(&self, to: SystemTime) {
        *self.0.wall.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        *self.0.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManualClock")
    }
}

/// So that times which a test reckons from it are kept exactly by stores that keep microseconds.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let part = since.map_or(0, |since| since.subsec_nanos());
    time - Duration::from_nanos(part.into())
}

/// `CLOCK_BOOTTIME` where the system has it: Linux stops `CLOCK_MONOTONIC`, and with it
/// `std::time::Instant`, while the machine is suspended (`man 2 clock_gettime`).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn system_boot() -> BootTime {
    from_timespec(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// Elsewhere in the family of Unix, the monotonic clock is the closest there is.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[inline]
fn system_boot() -> BootTime {
    from_timespec(rustix::time::clock_gettime(
        rustix::time::ClockId::Monotonic,
    ))
}

#[cfg(unix)]
#[inline]
fn from_timespec(at: rustix::time::Timespec) -> BootTime {
    let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(at.tv_nsec).unwrap_or(0);
    BootTime(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// Windows counts suspended time in the clock behind `Instant`.
#[cfg(not(unix))]
#[expect(
    clippy::disallowed_types,
    reason = "no other clock is at hand, and this one counts suspension"
)]
fn system_boot() -> BootTime {
    use std::sync::OnceLock;
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    let since = START.get_or_init(std::time::Instant::now).elapsed();
    // One hour ahead, so that a lease of zero lies in the past.
    BootTime::from_nanos(3_600_000_000_000).after(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_clock_does_not_go_back() {
        let clock = Clock::system();
        let first = clock.boot();
        assert!(first > BootTime::ZERO);
        assert!(clock.boot() >= first);
    }

    #[test]
    fn a_manual_clock_starts_at_a_whole_second() {
        let (clock, _hand) = Clock::manual();
        let since = clock.wall().duration_since(SystemTime::UNIX_EPOCH);
        assert_eq!(since.unwrap().subsec_nanos(), 0);
    }

    #[test]
    fn a_wall_clock_step_leaves_the_boot_clock_alone() {
        let (clock, hand) = Clock::manual();
        let before = clock.boot();
        hand.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.boot(), before);
        hand.advance(Duration::from_nanos(5));
        assert_eq!(clock.boot().since(before), Duration::from_nanos(5));
        assert_eq!(
            clock.wall(),
            SystemTime::UNIX_EPOCH + Duration::from_nanos(5)
        );
    }
}
