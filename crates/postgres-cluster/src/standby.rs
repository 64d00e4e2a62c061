use std::time::Duration;

use crate::Result;
use crate::binaries::run;
use crate::cluster::Cluster;
use crate::directory::Directory;

impl Cluster {
    /// Starts a standby that streams from this server and answers queries.
    ///
    /// With a delay it applies each commit that much later than the primary made it. It has a
    /// replication slot, so that it finds what it missed after it was stopped.
    ///
    /// # Errors
    ///
    /// When this server does not run, or the standby does not start.
    pub fn standby(&self, apply_delay: Option<Duration>) -> Result<Self> {
        let directory = Directory::create_for(self.user)?;
        let slot = directory.path().file_name().unwrap_or_default();
        let slot = slot.to_string_lossy().replace('-', "_");
        let mut backup = self.binaries.command(self.user, "pg_basebackup");
        backup.args(["--host=127.0.0.1", "--username=postgres", "--no-password"]);
        backup.arg(format!("--port={}", self.port));
        backup.args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"]);
        backup.args(["--create-slot", "--slot", &slot, "--pgdata"]);
        backup.arg(directory.join("data"));
        run(backup)?;

        let mut settings = self.settings.clone();
        let delay = apply_delay.unwrap_or_default().as_millis();
        settings.push(("recovery_min_apply_delay".to_owned(), format!("{delay}ms")));
        Self::first_start(self.binaries.clone(), self.user, directory, settings)
    }

    /// Makes a primary of a standby, and waits until it is one.
    ///
    /// # Errors
    ///
    /// When it is none, or does not run.
    pub fn promote(&mut self) -> Result<()> {
        let mut promote = self.binaries.command(self.user, "pg_ctl");
        promote
            .args(["promote", "--wait", "--pgdata"])
            .arg(self.data());
        run(promote).map(drop)
    }
}
