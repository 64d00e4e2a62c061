use std::time::SystemTime;

use clap::Args;
use keyward::KeyId;

use super::change::key_id;
use crate::failure::Failure;
use crate::key;
use crate::options::Options;
use crate::out::Out;
use crate::service::with;

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The id of the key
    #[arg(value_parser = key_id)]
    id: KeyId,
}

impl Show {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let found = with(options, &[], async |service| service.key(&self.id).await).await?;
        let now = SystemTime::now();
        if out.json {
            out.object(&key::object(&found, now))?;
        } else {
            out.table(&[], key::SOFT_DETAILS, key::details(&found, now))?;
        }
        Ok(())
    }
}
