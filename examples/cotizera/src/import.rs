//! The keys that exist already, of which only a bcrypt hash was kept.

use std::error::Error;
use std::fs;

use keyward::{ImportError, KeyId, Keyward, NewKey, Owner};
use keyward_example_demo::Demo;
use keyward_import::{Bcrypt, Characters, FoundBy, Spelling};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::policy;

/// The first nine characters of a key are known, and lead to its record.
pub(crate) fn bcrypt() -> Result<Bcrypt, Box<dyn Error>> {
    let spelling = Spelling::new("ctza_", Characters::Hex, 40..=40);
    Ok(Bcrypt::new(FoundBy::beginning(spelling, 9)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    prefix: String,
    hash: String,
    tenant: String,
    user: String,
    role: String,
}

/// Imports a file; what cannot be is told, by the number of its line, and left out. It can be imported
/// again: what is there stays as it is.
pub(crate) async fn all(
    keys: &Keyward,
    bcrypt: &Bcrypt,
    demo: &Demo,
    file: &str,
) -> Result<(), Box<dyn Error>> {
    let mut imported = 0;
    for (place, line) in fs::read_to_string(file)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match one(keys, bcrypt, demo, line).await {
            Ok(()) => imported += 1,
            Err(error) => println!("line {} is left out: {error}", place + 1),
        }
    }
    println!("{imported} keys are imported");
    Ok(())
}

async fn one(
    keys: &Keyward,
    bcrypt: &Bcrypt,
    demo: &Demo,
    line: &str,
) -> Result<(), Box<dyn Error>> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        // Not its text, which may quote the line.
        format!("it cannot be read, at column {}", error.column())
    })?;
    let policy = policy();
    let role = policy.find(&line.role).ok_or("there is no such role")?;
    let new = NewKey::named(&line.name)
        .tenant(&*line.tenant)
        .owner(Owner::new("user", &*line.user))
        .role(&line.role)
        .scopes(role.scopes().iter().cloned());
    let mut kept = bcrypt.kept(&line.hash, &line.prefix)?;
    // By a name of its own a key is known again when its hash has been replaced by a faster one.
    let known = [&line.tenant, &line.user, &line.name, &line.hash].map(String::as_str);
    let known = Sha256::digest(known.join(" "));
    let id = known.iter().take(16).map(|byte| format!("{byte:02x}"));
    kept.id = Some(KeyId::new(&id.collect::<String>())?);
    demo.found(&line.tenant).await?;
    match keys.import(new, kept).await {
        Ok(_) | Err(ImportError::AlreadyThere) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
