use std::path::PathBuf;
use std::str::FromStr;
use std::{env, fs};

use clap::Args;
use keyward::{KeyFormat, Pepper, Peppers};
use keyward_postgres::PostgresStore;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::foreign_spec::System;
use crate::format_spec::FormatSpec;
use crate::usage::SHORTEST_SECRET;

/// What every command heeds.
#[derive(Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Options {
    /// The file that holds the database's URL, instead of DATABASE_URL.
    #[arg(long, global = true, value_name = "FILE")]
    database_url_file: Option<PathBuf>,

    /// A format of the service's keys, that of new ones first: acme_live, or kat_live_<id:11>.<secret:32>.
    #[arg(
        long = "format",
        global = true,
        value_name = "FORMAT",
        env = "KEYWARD_FORMATS",
        hide_env = true,
        value_delimiter = ','
    )]
    formats: Vec<FormatSpec>,

    /// A pepper and the file that holds it, byte for byte; the current one first.
    #[arg(
        long = "pepper",
        global = true,
        value_name = "NAME=FILE",
        env = "KEYWARD_PEPPERS",
        hide_env = true,
        value_delimiter = ','
    )]
    peppers: Vec<PepperFile>,

    /// Another system whose keys are accepted; `keyward import --help` names them.
    #[arg(
        long = "foreign",
        global = true,
        value_name = "SYSTEM",
        env = "KEYWARD_FOREIGN",
        hide_env = true,
        value_delimiter = ','
    )]
    foreign: Vec<System>,

    /// Who does it, for the audit log: the name of the user unless said otherwise.
    #[arg(long = "as", global = true, value_name = "NAME")]
    acting_as: Option<String>,

    /// Results for programs: JSON, one object on a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A pepper and where it lies.
#[derive(Clone, Debug)]
struct PepperFile {
    name: String,
    file: PathBuf,
}

impl FromStr for PepperFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok(Self {
                name: name.to_owned(),
                file: file.into(),
            }),
            _ => Err("a pepper is named like 2026-11=/run/secrets/pepper"),
        }
    }
}

impl Options {
    /// The keys, where they are.
    pub(crate) fn store(&self) -> Result<PostgresStore, Failure> {
        let url = match &self.database_url_file {
            Some(file) => Some(read(file)?),
            None => variable("DATABASE_URL")?,
        };
        let url = url.ok_or_else(|| {
            Failure::Usage(
                "which database? Set DATABASE_URL, or name a file with --database-url-file"
                    .to_owned(),
            )
        })?;
        // What is wrong with an address must not quote it: there is a password in it.
        let wrong = |what: &str| {
            let told = format!("{what} is not like postgres://user:password@host/database");
            move |_| Failure::Usage(told)
        };
        let store = PostgresStore::connect(url.trim()).map_err(wrong("the database's URL"))?;
        match variable("KEYWARD_DIRECT_URL")? {
            None => Ok(store),
            Some(direct) => store
                .direct(direct.trim())
                .map_err(wrong("KEYWARD_DIRECT_URL")),
        }
    }

    /// The formats of keys, of which there may be none.
    pub(crate) fn formats(&self) -> Vec<KeyFormat> {
        self.formats.iter().map(FormatSpec::format).collect()
    }

    /// The formats of keys, for what cannot be done without.
    pub(crate) fn some_formats(&self) -> Result<Vec<KeyFormat>, Failure> {
        if self.formats.is_empty() {
            let why = "which keys? Name the service's formats with --format or KEYWARD_FORMATS, for \
                       instance --format acme_live";
            return Err(Failure::Usage(why.to_owned()));
        }
        Ok(self.formats())
    }

    /// Whether a text may be a key, or the beginning of one.
    pub(crate) fn could_be_a_key(&self, text: &str) -> bool {
        let mut formats = self.formats.iter();
        let mut foreign = self.foreign.iter();
        // Some systems' keys are spelled so loosely that short ids are too.
        formats.any(|format| format.begins(text))
            || text.len() >= SHORTEST_SECRET && foreign.any(|system| system.spells(text))
    }

    pub(crate) fn peppers(&self) -> Result<Peppers, Failure> {
        let mut peppers = Peppers::none();
        for (place, pepper) in self.peppers.iter().enumerate() {
            let key = fs::read(&pepper.file).map(Zeroizing::new);
            // Whoever gives the pepper itself in place of a file's name must not read it here.
            let named = || format!("the file of pepper number {}", place + 1);
            let key = key.map_err(|error| Failure::File(named(), error))?;
            let wrong = |error| Failure::Usage(format!("the pepper {}: {error}", pepper.name));
            let pepper = Pepper::new(&*pepper.name, &key).map_err(wrong)?;
            peppers = match place {
                0 => Peppers::current(pepper),
                _ => peppers.and_old(pepper).map_err(wrong)?,
            };
        }
        Ok(peppers)
    }

    /// The other systems.
    pub(crate) fn foreign(&self) -> &[System] {
        &self.foreign
    }

    /// Who acts, for the audit log.
    pub(crate) fn actor(&self) -> String {
        let user = || {
            let names = ["USER", "LOGNAME", "USERNAME"];
            names.iter().find_map(|name| env::var(name).ok())
        };
        let name = self.acting_as.clone().or_else(user);
        match name.filter(|name| !name.is_empty()) {
            Some(name) => format!("cli:{name}"),
            None => "cli".to_owned(),
        }
    }
}

fn read(file: &PathBuf) -> Result<Zeroizing<String>, Failure> {
    let text = fs::read_to_string(file).map(Zeroizing::new);
    // Whoever gives the URL itself in place of a file's name must not read its password here.
    let named = "the file that --database-url-file names, which is not the URL itself";
    text.map_err(|error| Failure::File(named.to_owned(), error))
}

/// A variable that is set, and not to nothing.
fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{name} is not text"))),
    }
}
