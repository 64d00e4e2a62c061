mod debian;
mod fetch;
mod npm;
mod pypi;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use chromium::{AXE, CHROMEDRIVER, CHROMIUM, find_axe, find_chromedriver, find_chromium};
use postgres_cluster::{
    Binaries, Cluster, Directory, PGBOUNCER, POSTGRES_BIN, find_pgbouncer, servers_may_enter, url,
};
use redis_server::{REDIS, find_redis};

use crate::Result;
use crate::metadata::Metadata;
use crate::tally::{Counts, Tally};
use crate::workspace::{self, Workspace};

/// As in `keyward-throwaway`, which this crate leaves out for its build time.
const DATABASE_URL: &str = "KEYWARD_TEST_DATABASE_URL";

/// Runs a command with the servers that tests get.
pub(crate) fn run(workspace: &Workspace, program: &str, arguments: &[String]) -> Result<bool> {
    let servers = Servers::start(Metadata::read(workspace)?.target_directory())?;
    let mut command = Command::new(program);
    command.args(arguments);
    command.envs(servers.variables.iter().map(|(name, value)| (name, value)));
    Ok(workspace::status(&mut command)?.success())
}

/// What tests and examples need besides the workspace: programs, and a Postgres that they share.
///
/// What is missing is fetched and not installed. Dropping this stops the server, and so does the
/// end of this process, whatever brings it about.
#[derive(Debug)]
pub(crate) struct Servers {
    variables: Vec<(&'static str, String)>,
    admin_url: String,
    psql: PathBuf,
    _cluster: Option<Cluster>,
    /// After the cluster, which runs with them.
    _programs: Programs,
}

impl Servers {
    /// Starts them as a step of a longer run, which goes on without them when that fails.
    pub(crate) fn step(target: &Path, tally: &mut Tally) -> Option<Self> {
        let mut servers = None;
        tally.step("servers", || {
            servers = Some(Self::start(target)?);
            Ok(Counts::default())
        });
        servers
    }

    /// Finds or fetches the programs, and starts a server unless the environment names one.
    fn start(target: &Path) -> Result<Self> {
        let programs = Programs::find(target)?;
        let mut variables = vec![programs.variable()];
        match pgbouncer(programs.place.path()) {
            Ok(path) => variables.push((PGBOUNCER, shown(&path))),
            // The tests that need it say so themselves.
            Err(error) => println!("no PgBouncer: {error}"),
        }
        match programs.redis() {
            Ok(variable) => variables.push(variable),
            Err(error) => println!("no Redis: {error}"),
        }
        match programs.browser() {
            Ok(browser) => variables.extend(browser),
            Err(error) => println!("no Chromium: {error}"),
        }
        match programs.axe() {
            Ok(variable) => variables.push(variable),
            Err(error) => println!("no axe-core: {error}"),
        }

        let psql = programs.binaries.directory().join("psql");
        let (admin_url, cluster) = match env::var(DATABASE_URL) {
            Ok(url) => (url, None),
            Err(_) => {
                let cluster = shared(programs.binaries.clone())?;
                (cluster.url(), Some(cluster))
            }
        };
        variables.push((DATABASE_URL, admin_url.clone()));
        Ok(Self {
            variables,
            admin_url,
            psql,
            _cluster: cluster,
            _programs: programs,
        })
    }

    /// What tells the tests of it.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// An empty database on the server.
    pub(crate) fn database(&self, name: &str) -> Result<Database<'_>> {
        let name = format!("keyward_{}_{}", name.replace('-', "_"), std::process::id());
        let url = url::with_database(&self.admin_url, &name)
            .ok_or_else(|| format!("{DATABASE_URL} is not postgres://…"))?;
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(Database {
            servers: self,
            name,
            url,
        })
    }

    fn execute(&self, sql: &str) -> Result<()> {
        let mut psql = Command::new(&self.psql);
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--command", sql, "--dbname", &self.admin_url]);
        // Its words are shown, the command is not: the URL may hold a password.
        let status = workspace::status(&mut psql).map_err(|_| "cannot run psql")?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("psql failed: {sql}").into()),
        }
    }
}

/// A database that goes with this value.
#[derive(Debug)]
pub(crate) struct Database<'a> {
    servers: &'a Servers,
    name: String,
    url: String,
}

impl Database<'_> {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if let Err(error) = self.servers.execute(&sql) {
            println!("{error}");
        }
    }
}

/// The programs of a server, fetched where the machine has none: enough for whoever starts servers
/// of its own.
#[derive(Debug)]
pub(crate) struct Programs {
    binaries: Binaries,
    place: Place,
}

impl Programs {
    pub(crate) fn find(target: &Path) -> Result<Self> {
        let place = Place::below(target)?;
        let binaries = match Binaries::find() {
            Ok(binaries) if binaries.try_out().is_ok() => binaries,
            Err(error) if env::var_os(POSTGRES_BIN).is_some() => return Err(error.into()),
            found => fetch::postgres(place.path()).map_err(|fetching| {
                let missing = found
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                format!("{missing}\nFetching it failed:\n{fetching}")
            })?,
        };
        Ok(Self { binaries, place })
    }

    /// What tells of them.
    pub(crate) fn variable(&self) -> (&'static str, String) {
        (POSTGRES_BIN, shown(self.binaries.directory()))
    }

    /// What tells of the program of Redis, of which every test starts one of its own.
    pub(crate) fn redis(&self) -> Result<(&'static str, String)> {
        let program = match find_redis() {
            Err(_) if env::var_os(REDIS).is_none() => fetch::redis(self.place.path())?,
            found => found?,
        };
        Ok((REDIS, shown(&program)))
    }

    /// What tells of the driver and of the browser, which fit each other.
    fn browser(&self) -> Result<[(&'static str, String); 2]> {
        let is_chosen = [CHROMEDRIVER, CHROMIUM]
            .map(env::var_os)
            .iter()
            .any(Option::is_some);
        let [driver, browser] = match (find_chromedriver(), find_chromium()) {
            (Ok(driver), Ok(browser)) => [driver, browser],
            (Err(error), _) | (_, Err(error)) if is_chosen => return Err(error.into()),
            _ => fetch::chromium(self.place.path())?,
        };
        Ok([(CHROMEDRIVER, shown(&driver)), (CHROMIUM, shown(&browser))])
    }

    /// What tells of the script that checks accessibility.
    fn axe(&self) -> Result<(&'static str, String)> {
        let script = match find_axe() {
            Err(_) if env::var_os(AXE).is_none() => fetch::axe(self.place.path())?,
            found => found?,
        };
        Ok((AXE, shown(&script)))
    }
}

/// Where programs that are fetched go.
#[derive(Debug)]
enum Place {
    /// Below cargo's target directory, for the next run too.
    Kept(PathBuf),
    /// For this run, as the user that servers run as may not enter the target directory.
    Temporary(Directory),
}

impl Place {
    fn below(target: &Path) -> Result<Self> {
        Ok(match servers_may_enter(target)? {
            true => Self::Kept(target.join("servers")),
            false => Self::Temporary(Directory::create()?),
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }
}

/// The server of the run. It outlives no crash of the machine, so it need not wait for the disk.
fn shared(binaries: Binaries) -> Result<Cluster> {
    let options = Cluster::options()
        .setting("fsync", "off")
        .setting("max_connections", "300");
    Ok(options.start_with(binaries)?)
}

fn pgbouncer(place: &Path) -> Result<PathBuf> {
    match find_pgbouncer() {
        Err(_) if env::var_os(PGBOUNCER).is_none() => fetch::pgbouncer(place),
        found => Ok(found?),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
