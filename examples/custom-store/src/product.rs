//! Stands for the product that exists already: its table, and what it does to it.

use std::io;
use std::path::{Path, PathBuf};

use keyward::Digest;
use keyward::KeyFormat;
use rusqlite::Connection;

#[derive(Clone, Debug)]
pub(crate) struct Product {
    database: PathBuf,
}

impl Product {
    /// Starts with an empty table.
    pub(crate) fn new(database: PathBuf) -> Result<Self, Box<dyn std::error::Error>> {
        match std::fs::remove_file(&database) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let product = Self { database };
        product.connect()?.execute_batch(
            "CREATE TABLE api_keys (
                id INTEGER PRIMARY KEY,
                customer_id TEXT NOT NULL,
                key_sha256 TEXT NOT NULL UNIQUE, -- in hexadecimal
                scopes TEXT NOT NULL,            -- separated by spaces
                expires_at INTEGER,              -- in seconds since 1970
                revoked INTEGER NOT NULL DEFAULT 0
            )",
        )?;
        Ok(product)
    }

    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        Connection::open(&self.database)
    }

    /// A key for a customer, good for an hour.
    pub(crate) fn issue(&self, format: &KeyFormat) -> Result<String, Box<dyn std::error::Error>> {
        let key = format.generate()?.plaintext.expose().to_owned();
        let digest = Digest::sha256(key.as_bytes());
        self.connect()?.execute(
            "INSERT INTO api_keys (customer_id, key_sha256, scopes, expires_at)
             VALUES ('acme-inc', ?1, 'reports:read reports:write', unixepoch() + 3600)",
            [digest.to_hex()],
        )?;
        Ok(key)
    }

    pub(crate) fn revoke_all(&self) -> rusqlite::Result<usize> {
        self.connect()?
            .execute("UPDATE api_keys SET revoked = 1", [])
    }
}
