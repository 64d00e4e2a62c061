use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use keyward_core::Issued;
use tracing::level_filters::LevelFilter;

/// Captures everything that the process logs, down to TRACE, and looks for secrets in it when it is
/// dropped.
///
/// It sees the events of every library that logs by `tracing`, those of HTTP servers too. There is
/// one log per process; each watch looks for its own secrets in all of it.
pub struct LeakWatch(Mutex<HashSet<[u8; WINDOW]>>);

impl LeakWatch {
    /// Watches from now on.
    ///
    /// # Panics
    /// When the process has another global `tracing` subscriber.
    #[must_use = "it looks for secrets when it is dropped"]
    pub fn start() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(LevelFilter::TRACE)
                .with_ansi(false)
                .with_writer(|| Log)
                .finish();
            tracing::subscriber::set_global_default(subscriber)
                .expect("a watch for leaks needs to be the only subscriber");
        });
        Self(Mutex::default())
    }

    /// Looks out for the secret part of this key: what follows its hint.
    pub fn issued(&self, key: &Issued) {
        let shown = key.key.hint.len();
        self.secret(key.secret.expose().get(shown..).unwrap_or_default());
    }

    /// Looks out for any eight characters in a row of this text.
    pub fn secret(&self, secret: &str) {
        let windows = secret.as_bytes().windows(WINDOW);
        let windows = windows.filter_map(|window| <[u8; WINDOW]>::try_from(window).ok());
        lock(&self.0).extend(windows);
    }

    /// Looks for what it knows in something that was put out elsewhere.
    ///
    /// # Panics
    /// When there is a secret in it. The message does not show it.
    pub fn inspect(&self, what: &str, output: &[u8]) {
        let secrets = lock(&self.0);
        let leaks = output
            .windows(WINDOW)
            .filter(|window| secrets.contains(*window));
        let leaks = leaks.count();
        assert!(leaks == 0, "{what} holds {leaks} pieces of a secret");
    }
}

impl Drop for LeakWatch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.inspect("the log", &lock(log()));
        }
    }
}

impl fmt::Debug for LeakWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeakWatch")
    }
}

/// The end of the log.
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lock(log()).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    &LOG
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many characters of a secret in a row are no coincidence.
const WINDOW: usize = 8;

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_secret_in_the_log_is_found() {
        let watch = LeakWatch::start();
        watch.secret("0123456789abcdef");
        tracing::trace!(hint = "0123456", "as much as may be shown");
        watch.inspect("seven characters", b"x0123456x");
        let looked = catch_unwind(AssertUnwindSafe(|| watch.inspect("eight", b"x01234567x")));
        assert!(looked.is_err());
        tracing::trace!(target: "elsewhere", key = "6789abcd");
        let dropped = catch_unwind(AssertUnwindSafe(move || drop(watch)));
        assert!(dropped.is_err(), "the log holds eight characters");
    }
}
