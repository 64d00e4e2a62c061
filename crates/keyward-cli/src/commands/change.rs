//! What is done to keys that are named, one after the other.

use std::io;

use clap::Args;
use keyward::{KeyId, LifecycleError, Receipt};
use serde_json::json;

use crate::failure::Failure;
use crate::named::{key_id, repeated};
use crate::options::Options;
use crate::out::{Out, Unwritten};
use crate::service::{Service, with};
use crate::time::rough;

#[derive(Args, Debug)]
pub(crate) struct Keys {
    /// The ids of the keys
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Waits until every node heeds it, and says of each why that is certain
    #[arg(long)]
    everywhere: bool,
}

impl Keys {
    pub(super) async fn suspend(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let ids = self.ids(options)?;
        with(options, &[], async |service| {
            let suspend = async |id: &KeyId| service.acting().suspend(id).await;
            self.each(&ids, service, out, "suspended", suspend).await
        })
        .await
    }

    pub(super) async fn resume(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let ids = self.ids(options)?;
        with(options, &[], async |service| {
            let resume = async |id: &KeyId| service.acting().resume(id).await;
            self.each(&ids, service, out, "resumed", resume).await
        })
        .await
    }

    /// The ids, all of which must be ids before anything is done.
    pub(super) fn ids(&self, options: &Options) -> Result<Vec<KeyId>, Failure> {
        self.ids.iter().map(|id| key_id(id, options)).collect()
    }

    /// Does it to each key, and says so. What fails with one is told of it, and the others follow; they
    /// do so too where nobody listens any more.
    pub(super) async fn each(
        &self,
        ids: &[KeyId],
        service: &Service,
        out: &mut Out,
        done: &str,
        change: impl AsyncFn(&KeyId) -> Result<(), LifecycleError>,
    ) -> Result<(), Failure> {
        let mut unwritten = Unwritten::default();
        let mut failures = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            match change(id).await {
                Ok(()) if out.json => {
                    unwritten.keep(out.object(&json!({ "id": id.as_str(), "action": done })));
                }
                Ok(()) => unwritten.keep(out.line(&format!("{id} is {done}."))),
                Err(error) => failures.push((place, id, Failure::from(error))),
            }
        }
        if self.everywhere && failures.len() < ids.len() {
            unwritten.keep(receipt(&service.keys.confirm_everywhere().await, out));
        }
        unwritten.after(together(failures, ids.len(), done, out))
    }
}

/// One failure for those of some keys, each of which is told.
fn together(
    mut failures: Vec<(usize, &KeyId, Failure)>,
    all: usize,
    done: &str,
    out: &Out,
) -> Result<(), Failure> {
    if all == 1 {
        return failures.pop().map_or(Ok(()), |(.., failure)| Err(failure));
    }
    for (place, id, failure) in &failures {
        let id = repeated(id).map_or_else(|| format!("id number {}", place + 1), str::to_owned);
        out.note(&format!("{id}: {}", failure.told()));
    }
    let told = format!("{} of {all} keys are not {done}", failures.len());
    if failures.iter().any(|(.., failure)| failure.is_outage()) {
        return Err(Failure::SomeStore(told));
    }
    match failures.len() {
        0 => Ok(()),
        _ => Err(Failure::Some(told)),
    }
}

/// Which nodes heed a change, and why that is certain.
pub(super) fn receipt(receipt: &Receipt, out: &mut Out) -> io::Result<()> {
    if out.json {
        let nodes = receipt
            .nodes
            .iter()
            .map(|node| json!({ "node": &*node.node, "outcome": node.outcome.as_str() }));
        let nodes: Vec<_> = nodes.collect();
        let took = u64::try_from(receipt.took.as_micros()).unwrap_or(u64::MAX);
        return out
            .object(&json!({ "everywhere": true, "tookMicroseconds": took, "nodes": nodes }));
    }
    out.line(&format!(
        "Every node heeds it, {} after the change:",
        rough(receipt.took)
    ))?;
    let why = |outcome: keyward::Outcome| match outcome {
        keyward::Outcome::Applied => "has applied it".to_owned(),
        keyward::Outcome::LeaseOver => "is silent, and believes nothing any more".to_owned(),
        keyward::Outcome::Left => "has left".to_owned(),
        other => other.to_string(),
    };
    let rows = receipt.nodes.iter();
    let rows = rows.map(|node| vec![format!("  {}", node.node), why(node.outcome)]);
    out.table(&[], &[], rows)
}
