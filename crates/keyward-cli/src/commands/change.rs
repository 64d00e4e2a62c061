//! What is done to keys that are named, one after the other.

use clap::Args;
use keyward::{KeyId, LifecycleError, Receipt};
use serde_json::json;

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;
use crate::service::{Service, with};
use crate::time::rough;

#[derive(Args, Debug)]
pub(crate) struct Keys {
    /// The ids of the keys
    #[arg(value_parser = key_id, required = true, value_name = "ID")]
    pub(super) ids: Vec<KeyId>,
    /// Waits until every node heeds it, and says of each why that is certain
    #[arg(long)]
    pub(super) everywhere: bool,
}

impl Keys {
    pub(super) async fn suspend(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        with(options, &[], async |service| {
            let suspend = async |id: &KeyId| service.acting().suspend(id).await;
            self.each(service, out, "suspended", suspend).await
        })
        .await
    }

    pub(super) async fn resume(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        with(options, &[], async |service| {
            let resume = async |id: &KeyId| service.acting().resume(id).await;
            self.each(service, out, "resumed", resume).await
        })
        .await
    }

    /// Does it to each key, and says so. What fails with one is told of it, and the others follow.
    pub(super) async fn each(
        &self,
        service: &Service,
        out: &mut Out,
        done: &str,
        change: impl AsyncFn(&KeyId) -> Result<(), LifecycleError>,
    ) -> Result<(), Failure> {
        let mut failures = Vec::new();
        for id in &self.ids {
            match change(id).await {
                Ok(()) if out.json => {
                    out.object(&json!({ "id": id.as_str(), "action": done }))?;
                }
                Ok(()) => out.line(&format!("{id} is {done}."))?,
                Err(error) => failures.push((id, Failure::from(error))),
            }
        }
        if self.everywhere && failures.len() < self.ids.len() {
            receipt(&service.keys.confirm_everywhere().await, out)?;
        }
        let alone = self.ids.len() == 1;
        match failures.pop() {
            None => Ok(()),
            Some((_, failure)) if alone => Err(failure),
            Some(last) => {
                failures.push(last);
                let failed = failures.len();
                for (id, failure) in failures {
                    out.note(&format!("{id}: {}", failure.told()));
                }
                let all = self.ids.len();
                Err(Failure::Some(format!(
                    "{failed} of {all} keys are not {done}"
                )))
            }
        }
    }
}

/// Which nodes heed a change, and why that is certain.
pub(super) fn receipt(receipt: &Receipt, out: &mut Out) -> Result<(), Failure> {
    if out.json {
        let nodes = receipt
            .nodes
            .iter()
            .map(|node| json!({ "node": &*node.node, "outcome": node.outcome.as_str() }));
        let nodes: Vec<_> = nodes.collect();
        let took = u64::try_from(receipt.took.as_micros()).unwrap_or(u64::MAX);
        out.object(&json!({ "everywhere": true, "tookMicroseconds": took, "nodes": nodes }))?;
        return Ok(());
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
    Ok(out.table(&[], &[], rows)?)
}

pub(super) fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::new(text).map_err(|error| error.to_string())
}
