//! Issuing, reading, revoking, and the standing of owners and tenants.

use keyward_core::{
    Actor, DeniedKind, Invalid, IssueError, KeyUpdate, Keyward, LifecycleError, NewKey, Reason,
    StartError,
};
use keyward_memory::MemoryStore;
use keyward_store::{
    AuditAction, AuditQuery, KeyFormat, KeyId, ListQuery, Owner, Scope, Scopes, Statuses,
};
use serde::Deserialize;

use crate::support::{ACCEPTED, REFUSED, Service, format};

#[tokio::test]
async fn an_issued_key_is_what_was_asked_for() {
    let service = Service::start().await;
    let new = NewKey::named("Zapier")
        .description("orders to the warehouse")
        .tenant("acme")
        .owner(Owner::new("user", "7"))
        .environment("live")
        .role("member")
        .created_by("user:7")
        .scopes([
            Scope::from_static("b"),
            Scope::from_static("a"),
            Scope::from_static("b"),
        ])
        .metadata(serde_json::json!({ "plan": "pro" }));
    let issued = service.issue_as(new).await;
    let found = service.keys.get(&issued.key.id).await.unwrap().unwrap();
    assert_eq!(found.record, issued.key);
    assert!(issued.secret.expose().starts_with(&found.record.hint));

    let principal = service.verify(&issued).await.unwrap();
    assert_eq!(principal.tenant(), "acme");
    assert_eq!(principal.owner(), Some(&Owner::new("user", "7")));
    assert_eq!(
        (principal.name(), principal.role()),
        ("Zapier", Some("member"))
    );
    assert_eq!(principal.scopes().to_string(), "a b");

    #[derive(Deserialize)]
    struct Plan {
        plan: String,
    }
    assert_eq!(principal.metadata::<Plan>().unwrap().plan, "pro");
    assert!(std::sync::Arc::ptr_eq(
        &principal.metadata::<Plan>().unwrap(),
        &principal.metadata::<Plan>().unwrap()
    ));
    assert!(principal.metadata::<u8>().is_err());
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused() {
    let service = Service::start().await;
    let refusal = async |new: NewKey| service.keys.issue(new).await.unwrap_err();
    let named = |name: &str| NewKey::named(name).tenant("t");
    assert!(matches!(
        refusal(NewKey::named("a")).await,
        IssueError::Invalid(Invalid::Tenant)
    ));
    assert!(matches!(
        refusal(NewKey::named("a").tenant("")).await,
        IssueError::Invalid(Invalid::Tenant)
    ));
    for name in ["", "  ", &"é".repeat(101)] {
        assert!(matches!(
            refusal(named(name)).await,
            IssueError::Invalid(Invalid::Name)
        ));
    }
    service.issue_as(named(&"é".repeat(100))).await;
    let scopes = (0..65).map(|n| Scope::new(&n.to_string()).unwrap());
    assert!(matches!(
        refusal(named("a").scopes(scopes)).await,
        IssueError::Invalid(Invalid::Scopes)
    ));
    for metadata in [
        serde_json::json!([1]),
        serde_json::json!({"a": [{"b": "c\0"}]}),
        serde_json::json!({"a\0": 1}),
    ] {
        assert!(matches!(
            refusal(named("a").metadata(metadata)).await,
            IssueError::Invalid(Invalid::Metadata)
        ));
    }
    for role in ["", "a\0", &"a".repeat(256)] {
        assert!(matches!(
            refusal(named("a").role(role)).await,
            IssueError::Invalid(Invalid::Role)
        ));
    }
    assert!(matches!(
        refusal(named("a").format("other")).await,
        IssueError::UnknownFormat
    ));
}

#[tokio::test]
async fn lists_are_the_tenants_own_and_hide_what_is_revoked() {
    let service = Service::start().await;
    for n in 0..5 {
        let tenant = if n == 4 { "other" } else { "t" };
        service
            .issue_as(NewKey::named(n.to_string()).tenant(tenant))
            .await;
        service.clock.advance(std::time::Duration::from_secs(1));
    }
    let names = async |query: ListQuery| {
        let page = service.keys.list(&query).await.unwrap();
        let names = page
            .keys
            .iter()
            .map(|key| key.record.name.clone())
            .collect::<Vec<_>>();
        (names, page.next)
    };
    let (first, next) = names(ListQuery::tenant("t").limit(3)).await;
    assert_eq!(first, ["3", "2", "1"]);
    let (second, end) = names(ListQuery::tenant("t").limit(3).after(next.unwrap())).await;
    assert_eq!((second, end), (vec!["0".to_owned()], None));
    let newest = service
        .keys
        .list(&ListQuery::tenant("t"))
        .await
        .unwrap()
        .keys
        .remove(0);
    service.keys.revoke(&newest.record.id).await.unwrap();
    assert_eq!(names(ListQuery::tenant("t")).await.0, ["2", "1", "0"]);
    assert_eq!(
        names(ListQuery::tenant("t").standing(Statuses::ALL))
            .await
            .0,
        ["3", "2", "1", "0"]
    );
}

#[tokio::test]
async fn a_revocation_is_final_told_once_and_safe_to_repeat() {
    let service = Service::start().await;
    let key = service.issue().await;
    let missing = service.keys.revoke(&KeyId::from(7)).await.unwrap_err();
    assert!(matches!(missing, LifecycleError::NotFound(_)));
    let (one, two) = tokio::join!(
        service.keys.revoke(&key.key.id),
        service.keys.revoke(&key.key.id)
    );
    one.unwrap();
    two.unwrap();
    assert_eq!(service.kind(&key).await, REFUSED);
    let lines = service.keys.audit(&AuditQuery::default()).await.unwrap();
    let actions: Vec<_> = lines.iter().map(|line| line.record.action).collect();
    assert_eq!(actions, [AuditAction::Issued, AuditAction::Revoked]);
}

#[tokio::test]
async fn standing_reaches_cached_keys_and_is_told_in_order() {
    let service = Service::start().await;
    let owner = Owner::new("user", "7");
    let (read, write) = (Scope::from_static("a:read"), Scope::from_static("a:write"));
    let new = NewKey::named("a").tenant("t").owner(owner.clone());
    let key = service
        .issue_as(new.scopes([read.clone(), write.clone()]))
        .await;
    let other = service.issue().await;
    let reason = async || {
        service
            .verify(&key)
            .await
            .err()
            .map(|denied| denied.reason())
    };
    let (tenant, owner) = (service.keys.tenant("t"), service.keys.owner(owner));
    assert_eq!(reason().await, None);

    tenant.entitle(false).await.unwrap();
    assert_eq!(service.kind(&key).await, Some(DeniedKind::NotEntitled));
    owner.suspend().await.unwrap();
    assert_eq!(
        reason().await,
        Some(Reason::OwnerSuspended),
        "suspension comes before the plan"
    );
    tenant.suspend().await.unwrap();
    assert_eq!(reason().await, Some(Reason::TenantSuspended));
    owner.resume().await.unwrap();
    tenant.resume().await.unwrap();
    tenant.entitle(true).await.unwrap();
    assert_eq!(reason().await, None);
    assert_eq!(service.kind(&other).await, ACCEPTED);

    let scopes = async || service.verify(&key).await.unwrap().scopes().clone();
    owner.ceiling(Some([read.clone()].into())).await.unwrap();
    assert_eq!(scopes().await, Scopes::from([read]));
    tenant.ceiling(Some([write].into())).await.unwrap();
    assert_eq!(scopes().await, Scopes::none());
    assert_eq!(owner.state().await.unwrap().revision, 3);
}

#[tokio::test]
async fn a_service_that_cannot_be_does_not_start() {
    let builder = || Keyward::builder(MemoryStore::default());
    let second = std::time::Duration::from_secs(1);
    let none = builder().start().await.unwrap_err();
    assert!(matches!(
        none,
        StartError::Format(keyward_store::FormatError::None)
    ));
    let settings = [
        builder().load_limit(second * 5),
        builder().poll_interval(second * 5),
        builder().lease(std::time::Duration::ZERO),
        builder().loads_at_once(0),
        builder().loads_at_once(usize::MAX),
    ];
    for setting in settings {
        let error = setting.format(format()).start().await.unwrap_err();
        assert!(matches!(error, StartError::Settings(_)));
    }
    let (store, faults) = keyward_testkit::FaultStore::new(MemoryStore::default());
    faults.once(keyward_testkit::Call::Changes, keyward_testkit::Fault::Fail);
    let error = Keyward::builder(store)
        .format(format())
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Store(_)));
}

/// It would answer every request 503, and say nothing of it.
#[tokio::test]
async fn facts_that_are_never_young_enough_are_refused_at_the_start() {
    let log = keyward_store::LocalLog::max_age(MemoryStore::default(), std::time::Duration::ZERO);
    let error = Keyward::builder(log)
        .format(format())
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::NotReady(_)));
    // As `main` prints it.
    let printed = format!("{error:?}");
    assert!(printed.contains("can never be believed"), "{printed}");
}

#[tokio::test]
async fn a_store_that_is_not_ready_is_asked_nothing_else() {
    use keyward_testkit::{Call, Fault, FaultStore};
    for fault in [Fault::Fail, Fault::Panic] {
        let (store, faults) = FaultStore::new(MemoryStore::default());
        faults.once(Call::Ready, fault);
        let start = Keyward::builder(store).format(format()).start();
        assert!(matches!(start.await, Err(StartError::NotReady(_))));
        for call in [Call::Beat, Call::Changes] {
            assert_eq!(faults.calls(call), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_says_whether_it_is_ready_is_not_waited_for_for_ever() {
    use keyward_testkit::{Call, Fault, FaultStore};
    let (store, faults) = FaultStore::new(MemoryStore::default());
    faults.once(Call::Ready, Fault::Hang);
    let start = Keyward::builder(store).format(format()).start();
    assert!(matches!(start.await, Err(StartError::NotReady(_))));
}

#[test]
fn a_runtime_is_asked_for_by_name() {
    let start = Keyward::builder(MemoryStore::default())
        .format(format())
        .start();
    let mut start = std::pin::pin!(start);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = start.as_mut().poll(&mut context) else {
        panic!("it waits for nothing before it looks for a runtime");
    };
    assert!(matches!(outcome.unwrap_err(), StartError::NoRuntime));
}

#[tokio::test]
async fn keys_of_every_registered_format_are_accepted() {
    let watch = keyward_testkit::LeakWatch::start();
    let keys = Keyward::builder(MemoryStore::default())
        .format(format())
        .format(KeyFormat::new("acme_test").unwrap())
        .start()
        .await
        .unwrap();
    for prefix in ["acme_live", "acme_test"] {
        let new = NewKey::named("a").tenant("t").format(prefix);
        let issued = keys.issue(new).await.unwrap();
        watch.issued(&issued);
        assert!(issued.secret.expose().starts_with(prefix));
        assert!(
            keys.verifier()
                .verify(issued.secret.expose().as_bytes())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_key_is_narrowed_to_some_of_what_it_would_have() {
    let service = Service::start().await;
    let [read, write] = ["read", "write"].map(Scope::from_static);
    let new = NewKey::named("ci").tenant("t");
    let chosen = new.clone().scopes([read.clone(), write]);
    let narrowed = service.issue_as(chosen.narrowed_to([read.clone()])).await;
    assert_eq!(narrowed.key.scopes, Scopes::from([read.clone()]));
    // Where nothing was chosen, and there is no maker whose rights it could have, there is nothing.
    let narrowed = service.issue_as(new.narrowed_to([read])).await;
    assert_eq!(narrowed.key.scopes, Scopes::none());
    assert_eq!(service.keys.as_operator("ops").rights(), None);
}

#[tokio::test]
async fn a_key_that_is_pasted_among_scopes_is_refused_and_told_of_nowhere() {
    let service = Service::start().await;
    let pasted = service.issue_as(NewKey::named("ci").tenant("t")).await;
    let scope = Scope::new(pasted.secret.expose()).unwrap();
    let actor = Actor::user(Owner::new("user", "7"), "t").role("none that is known");
    let acting = service.keys.acting_as(&actor);
    let new = NewKey::named("x").scopes([scope.clone()]);
    let refused = acting.issue(new).await.unwrap_err();
    let holds_key = Invalid::HoldsKey("scopes");
    assert!(matches!(refused, IssueError::Invalid(invalid) if invalid == holds_key));
    let update = KeyUpdate::new().scopes([scope]);
    let refused = acting.update(&KeyId::generate(), update).await.unwrap_err();
    assert!(matches!(refused, LifecycleError::Invalid(invalid) if invalid == holds_key));
    let lines = service.keys.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(lines.len(), 1, "the issue of the pasted key alone");
}
