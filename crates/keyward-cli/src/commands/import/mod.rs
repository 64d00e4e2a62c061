mod fields;
mod line;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use keyward::{ImportError, Invalid};
use serde_json::json;
use tokio::task::JoinSet;

use self::line::{Line, Reader};
use crate::failure::{Failure, STANDARD_INPUT, is_outage};
use crate::foreign_spec::{SPELLINGS, System};
use crate::options::Options;
use crate::out::{Out, Unwritten};
use crate::service::{Service, with};

#[derive(Args, Debug)]
#[command(after_long_help = format!("{LINES}\n\n{SPELLINGS}"))]
pub(crate) struct Import {
    /// JSON, one key on a line; `-` is standard input. `keyward import --help` says how
    file: PathBuf,
    /// The system that kept them: sha256 unless said otherwise. Of several, each line names its own
    #[arg(long, value_name = "SYSTEM")]
    from: Vec<System>,
    /// Whom keys belong to whose lines do not say it
    #[arg(long)]
    tenant: Option<String>,
}

const LINES: &str = "\
A line is an object. Of these fields, all but `tenant` and what leads to the hash may be left out:
  tenant, name, description, owner (\"user:ada\"), environment, role
  scopes, tags, networks: lists of texts; limits: a list like [\"100/1m\"]
  metadata: an object
  createdAt, expiresAt, lastUsedAt: as databases print moments, or in milliseconds from 1970
  suspended, revoked: true or false
  id: what the key is called from now on. Give one where keys may move to another hash or be purged
      between two runs; otherwise a key is known again by its hash or public id
  hash: with `beginning`, or `publicId` and `prefix`, where it is salted; `hint` is what lists show
  row: instead, the row of a system that has a layout, with the columns as they are called there
  from: the name of its system, where there are several

From better-auth's table in Postgres, for instance:
  psql -Atc \"SELECT json_build_object('tenant', o.slug, 'row', to_json(k))
            FROM apikey k JOIN organization o ON o.id = k.\\\"referenceId\\\"\" |
    keyward import - --from better-auth:acme_

Bad lines are told by their number, and the others go on; the exit code is 1 then. What has expired
already is left out. When the database fails, the import stops with exit code 4.";

/// How many keys are on their way to the database at once: they wait for one disk, but not for each
/// other.
const AT_ONCE: usize = 16;
/// No key takes as much.
const LONGEST_LINE: usize = 1 << 20;

impl Import {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let mut systems = self.from.clone();
        if systems.is_empty() {
            systems = options.foreign().to_vec();
        }
        if systems.is_empty() {
            systems.push(System::Sha256(None));
        }
        let (input, length) = open(&self.file)?;
        with(options, &systems, async |service| {
            let reader = Reader {
                systems: systems.clone(),
                tenant: self.tenant.clone(),
                actor: service.actor.clone(),
            };
            let mut run = Run {
                service,
                out,
                source: name(&self.file),
                bar: bar(length),
                tally: Tally::default(),
                under_way: JoinSet::new(),
                unwritten: Unwritten::default(),
            };
            let done = run.all(input, &reader).await;
            run.end(done)
        })
        .await
    }
}

fn open(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), Failure> {
    if file.as_os_str() == STANDARD {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let wrong = |error| Failure::File(name(file), error);
    let input = File::open(file).map_err(wrong)?;
    let length = input.metadata().map_err(wrong)?.len();
    Ok((Box::new(BufReader::new(input)), Some(length)))
}

/// What stands for standard input.
const STANDARD: &str = "-";

fn name(file: &Path) -> String {
    if file.as_os_str() == STANDARD {
        return STANDARD_INPUT.to_owned();
    }
    file.display().to_string()
}

/// A bar on a terminal; elsewhere nothing is drawn.
fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (
            ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()),
            "{wide_bar} {percent}% {msg}, {eta} left",
        ),
        None => (
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            "{spinner} {msg}",
        ),
    };
    bar.enable_steady_tick(Duration::from_millis(200));
    // The templates are right, or the tests of this would not see a bar; a wrong one is no bar's end.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What has become of the lines.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    lines: u64,
    imported: u64,
    there: u64,
    expired: u64,
    bad: u64,
}

struct Run<'a> {
    service: &'a Service,
    out: &'a mut Out,
    /// What is read, for people.
    source: String,
    bar: ProgressBar,
    tally: Tally,
    under_way: JoinSet<(u64, Result<(), ImportError>)>,
    unwritten: Unwritten,
}

impl Run<'_> {
    async fn all(&mut self, mut input: Box<dyn BufRead>, reader: &Reader) -> Result<(), Failure> {
        let mut line = Vec::new();
        let read = loop {
            line.clear();
            let read = match next_line(&mut input, &mut line) {
                Ok(0) => break Ok(()),
                Ok(read) => read,
                Err(error) => break Err(Failure::File(self.source.clone(), error)),
            };
            self.tally.lines += 1;
            self.bar.inc(read);
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if text.len() >= LONGEST_LINE {
                self.bad(self.tally.lines, "it is longer than any key");
                continue;
            }
            match reader.read(text) {
                Ok(line) => self.send(line).await?,
                Err(error) => self.bad(self.tally.lines, &told(&error)),
            }
        };
        // What has been read is imported, and counted, also where no more can be.
        while let Some(done) = self.under_way.join_next().await {
            self.note(done)?;
        }
        read
    }

    async fn send(&mut self, line: Line) -> Result<(), Failure> {
        while self.under_way.len() >= AT_ONCE {
            if let Some(done) = self.under_way.join_next().await {
                self.note(done)?;
            }
        }
        let (keys, number) = (self.service.keys.clone(), self.tally.lines);
        self.under_way.spawn(async move {
            let imported = keys.import(line.new, line.kept).await;
            (number, imported.map(|_record| ()))
        });
        Ok(())
    }

    fn note(
        &mut self,
        done: Result<(u64, Result<(), ImportError>), tokio::task::JoinError>,
    ) -> Result<(), Failure> {
        let (number, outcome) = done.map_err(io::Error::from)?;
        match outcome {
            Ok(()) => self.tally.imported += 1,
            Err(ImportError::AlreadyThere) => self.tally.there += 1,
            Err(ImportError::Key(Invalid::ExpiryInPast)) => self.tally.expired += 1,
            Err(error) if is_outage(&error) => {
                let error = keyward::StoreError::new(error);
                return Err(Failure::Store(error));
            }
            Err(error) => self.bad(number, &told(&error)),
        }
        let Tally {
            imported, there, ..
        } = self.tally;
        self.bar
            .set_message(format!("{imported} imported, {there} there already"));
        Ok(())
    }

    /// Tells of a bad line; the others follow also where nobody listens any more.
    fn bad(&mut self, number: u64, why: &str) {
        self.tally.bad += 1;
        let (out, unwritten) = (&mut *self.out, &mut self.unwritten);
        self.bar.suspend(|| {
            if out.json {
                unwritten.keep(out.object(&json!({ "line": number, "error": why })));
            } else {
                out.note(&format!("line {number}: {why}"));
            }
        });
    }

    /// What has become of it all; also of an import that broke off.
    fn end(mut self, done: Result<(), Failure>) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let Tally {
            lines,
            imported,
            there,
            expired,
            bad,
        } = self.tally;
        self.unwritten.keep(if self.out.json {
            self.out.object(&json!({
                "lines": lines,
                "imported": imported,
                "alreadyThere": there,
                "expired": expired,
                "bad": bad,
                "complete": done.is_ok(),
            }))
        } else {
            self.out.line(&format!(
                "{imported} imported, {there} there already, {expired} expired and left out, {bad} bad"
            ))
        });
        if done.is_err() {
            self.out.note(&format!(
                "It stopped near line {lines}; to do it again goes on from there."
            ));
        }
        let done = done.and(match bad {
            0 => Ok(()),
            1 => Err(Failure::Some("1 line is bad".to_owned())),
            bad => Err(Failure::Some(format!("{bad} lines are bad"))),
        });
        self.unwritten.after(done)
    }
}

/// Reads to the end of a line, and keeps no more of it than any key takes.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    let mut read = input.by_ref().take(most).read_until(b'\n', line)?;
    let mut rest = Vec::new();
    while line.last() != Some(&b'\n') && read >= LONGEST_LINE {
        rest.clear();
        let more = input.by_ref().take(most).read_until(b'\n', &mut rest)?;
        read += more;
        if more == 0 || rest.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(u64::try_from(read).unwrap_or(u64::MAX))
}

/// An error and what lies behind it.
fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told = format!("{told}: {error}");
        next = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_not_kept() {
        let long = vec![b'x'; 3 * LONGEST_LINE];
        let mut input = BufReader::new(io::Cursor::new([&long[..], b"\nnext\n"].concat()));
        let mut line = Vec::new();
        let read = next_line(&mut input, &mut line).unwrap();
        assert_eq!((read, line.len()), (3 * 1024 * 1024 + 1, LONGEST_LINE));
        line.clear();
        assert_eq!(next_line(&mut input, &mut line).unwrap(), 5);
        assert_eq!(line, b"next\n");
        line.clear();
        assert_eq!(next_line(&mut input, &mut line).unwrap(), 0);
    }
}
