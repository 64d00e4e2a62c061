//! What someone may give to keys at a moment.

use keyward_core::{Actor, Keyward, LifecycleError, Policy, Reach, Refusal, Role};
use keyward_memory::MemoryStore;
use keyward_store::{KeyFormat, Owner, Scope, Scopes};

const READ: Scope = Scope::from_static("orders:read");
const WRITE: Scope = Scope::from_static("orders:write");

#[tokio::test]
async fn rights_follow_the_standings() {
    let role = Role::named("member").grants([READ, WRITE]);
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live").unwrap())
        .policy(Policy::new().role(role.manages(Reach::Own)))
        .start()
        .await
        .unwrap();
    let owner = Owner::new("user", "ada");
    let ada = Actor::user(owner.clone(), "acme").role("member");
    let rights = async || keys.acting_as(&ada).rights_now().await;
    let both: Scopes = [READ, WRITE].into_iter().collect();
    assert_eq!(rights().await.unwrap(), Some(both));
    let read: Scopes = [READ].into_iter().collect();
    keys.owner(owner).ceiling(Some(read.clone())).await.unwrap();
    assert_eq!(rights().await.unwrap(), Some(read));
    keys.tenant("acme").entitle(false).await.unwrap();
    let refused = rights().await;
    assert!(matches!(
        refused,
        Err(LifecycleError::Refused(Refusal::NotEntitled))
    ));
    assert_eq!(keys.as_operator("root").rights_now().await.unwrap(), None);
}
