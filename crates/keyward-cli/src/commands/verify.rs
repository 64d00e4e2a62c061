use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use keyward::{
    Candidates, DeniedKind, Digest, Formats, KeySnapshot, Lookup, Reason, Scope, Selector, Verifier,
};
use keyward_postgres::PostgresStore;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::failure::{Failure, STANDARD_INPUT};
use crate::key;
use crate::options::Options;
use crate::out::{Out, shown};
use crate::service::{PATIENCE, unready};

#[derive(Args, Debug)]
#[command(after_help = "Example:
  pbpaste | keyward verify")]
pub(crate) struct Verify {
    /// Only there to be refused without being repeated.
    #[arg(hide = true, value_name = "KEY", allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Verify {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        if !self.arguments.is_empty() {
            let why = "a key is read from standard input, never from an argument, which others on the \
                       machine can read; take this one for leaked";
            return Err(Failure::Usage(why.to_owned()));
        }
        let formats = options.some_formats()?;
        let store = options.store()?;
        let mut builder = Verifier::builder(store.clone())
            .node_name(format!("keyward verify {}", std::process::id()))
            .poll_limit(PATIENCE)
            .peppers(options.peppers()?);
        for format in &formats {
            builder = builder.format(format.clone());
        }
        for system in options.foreign() {
            builder = system.clone().register(builder);
        }
        let credential = credential(out)?;
        // Without records it notes no use, and moves no key to another hash.
        let verifier = match builder.verify_only().await {
            Ok(verifier) => verifier,
            Err(error) => return Err(unready(&store, error).await),
        };
        let verdict = verifier.verify(&credential).await;
        verifier.shutdown().await;
        match verdict {
            Ok(principal) => {
                let by = Selector::Key(principal.key_id().clone());
                let found = store.find(&by).await?.into_iter().next();
                let scopes = principal.scopes().iter().map(Scope::as_str);
                let scopes: Vec<&str> = scopes.collect();
                valid(found, &scopes, out)
            }
            Err(denied) if denied.kind() == DeniedKind::Unavailable => {
                Err(Failure::Unavailable(denied.reason()))
            }
            Err(denied) => {
                let formats = Formats::new(formats).map_err(keyward::StartError::from)?;
                let found = claimed(&store, &formats, &credential, options).await?;
                not_valid(denied.reason(), found, out)
            }
        }
    }
}

/// A line of standard input; where someone types it, unseen.
fn credential(out: &Out) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if Out::can_ask() {
        out.note("Paste the key and press enter; it is not shown.");
        let line = console::Term::stderr()
            .read_secure_line()
            .map(Zeroizing::new)
            .map_err(unread)?;
        return Ok(Zeroizing::new(line.trim_end().as_bytes().to_vec()));
    }
    // Longer than any key, and refused as such.
    let mut line = Zeroizing::new(Vec::with_capacity(MOST));
    let mut input = io::stdin()
        .lock()
        .take(u64::try_from(MOST).unwrap_or(u64::MAX));
    input.read_until(b'\n', &mut line).map_err(unread)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn unread(error: io::Error) -> Failure {
    Failure::File(STANDARD_INPUT.to_owned(), error)
}

const MOST: usize = 4_096;

/// The record that a refused key leads to, if it is one of the formats'.
async fn claimed(
    store: &PostgresStore,
    formats: &Formats,
    credential: &[u8],
    options: &Options,
) -> Result<Option<KeySnapshot>, Failure> {
    let Some((place, parsed)) = formats.parse(credential) else {
        return Ok(None);
    };
    let by = match (parsed.public_id(), formats.get(place)) {
        (Some(id), Some(format)) => {
            let prefix: Arc<str> = format.shared_prefix();
            Selector::PublicId { prefix, id }
        }
        _ => {
            let peppers = options.peppers()?;
            let macs = peppers.iter();
            let macs = macs.map(|pepper| (pepper.id().clone(), pepper.mac(credential)));
            Selector::Credential(Candidates::new(Digest::sha256(credential), macs))
        }
    };
    Ok(store.find(&by).await?.into_iter().next())
}

fn valid(found: Option<KeySnapshot>, scopes: &[&str], out: &mut Out) -> Result<(), Failure> {
    let now = SystemTime::now();
    if out.json {
        let key = found.map(|key| key::object(&key, now));
        return Ok(out.object(&json!({ "valid": true, "scopes": scopes, "key": key }))?);
    }
    // Those of the key that its tenant and owner leave it.
    let may = match scopes {
        [] => "no scopes".to_owned(),
        scopes => format!("the scopes {}", scopes.join(" ")),
    };
    out.line(&shown(&format!("valid, with {may}")))?;
    if let Some(key) = found {
        out.table(&[], key::SOFT_DETAILS, key::details(&key, now))?;
    }
    Ok(())
}

fn not_valid(reason: Reason, found: Option<KeySnapshot>, out: &mut Out) -> Result<(), Failure> {
    // It is not valid, whether or not someone reads so: scripts go by the exit code.
    let _unread = refusal(reason, found, out);
    Err(Failure::NotValid)
}

fn refusal(reason: Reason, found: Option<KeySnapshot>, out: &mut Out) -> io::Result<()> {
    let now = SystemTime::now();
    if out.json {
        let key: Option<Value> = found.map(|key| key::object(&key, now));
        let told = json!({ "valid": false, "reason": reason.to_string(), "key": key });
        return out.object(&told);
    }
    out.line(&format!("not valid: {reason}"))?;
    match found {
        Some(key) => out.table(&[], key::SOFT_DETAILS, key::details(&key, now)),
        None => Ok(()),
    }
}
