use crate::cluster::Cluster;
use crate::processes::{descendants, gone, signal};
use crate::{Error, Result};

impl Cluster {
    /// Stops the server at once, without a checkpoint, and cuts its connections.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn stop(&mut self) -> Result<()> {
        self.resume()?;
        signal("QUIT", &[self.running()?])?;
        self.postmaster.wait()
    }

    /// Kills every process of the server, as a crash of the machine does but for its disk.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill(&mut self) -> Result<()> {
        let processes = self.freeze()?;
        signal("KILL", &processes)?;
        self.postmaster.wait()?;
        // The next start refuses while one of them still holds the shared memory.
        gone(&processes[1..])
    }

    /// Starts a server that was stopped or killed, and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// When it runs, or does not start.
    pub fn start_again(&mut self) -> Result<()> {
        match self.postmaster.id() {
            Some(_) => Err(Error::new("the server runs already")),
            None => self.launch(),
        }
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not run, or does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Suspends every process of the server: connections stay open, and nothing answers.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn pause(&mut self) -> Result<()> {
        self.freeze().map(drop)
    }

    /// Lets a server that is paused go on.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn resume(&mut self) -> Result<()> {
        signal("CONT", &self.family()?)
    }

    /// Suspends all and returns them, the first process first.
    fn freeze(&mut self) -> Result<Vec<u32>> {
        // First the one that starts the others, so that none of them is missed.
        signal("STOP", &[self.running()?])?;
        let family = self.family()?;
        signal("STOP", &family)?;
        Ok(family)
    }

    fn family(&self) -> Result<Vec<u32>> {
        let mut family = vec![self.running()?];
        family.extend(descendants(family[0])?);
        Ok(family)
    }

    fn running(&self) -> Result<u32> {
        self.postmaster
            .id()
            .ok_or_else(|| Error::new("the server does not run"))
    }
}
