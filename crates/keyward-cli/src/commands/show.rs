use std::time::SystemTime;

use clap::Args;

use crate::failure::Failure;
use crate::key;
use crate::named::key_id;
use crate::options::Options;
use crate::out::Out;
use crate::service::with;

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The id of the key
    id: String,
}

impl Show {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let id = key_id(&self.id, options)?;
        let found = with(options, &[], async |service| service.key(&id).await).await?;
        let now = SystemTime::now();
        if out.json {
            out.object(&key::object(&found, now))?;
        } else {
            out.table(&[], key::SOFT_DETAILS, key::details(&found, now))?;
        }
        Ok(())
    }
}
