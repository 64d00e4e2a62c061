use serde_json::json;

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;

pub(super) async fn run(options: &Options, out: &mut Out) -> Result<(), Failure> {
    let store = options.store()?;
    let (before, _) = store.schema_version().await?;
    store.migrate().await?;
    let (after, _) = store.schema_version().await?;
    if out.json {
        let written = out.object(&json!({ "before": before, "version": after }));
        return written.map_err(Failure::Untold);
    }
    let told = match before {
        0 => format!("The schema keyward is made, at version {after}."),
        _ if before == after => format!("The schema keyward is at version {after} already."),
        _ => format!("The schema keyward is brought from version {before} to {after}."),
    };
    out.line(&told).map_err(Failure::Untold)
}
