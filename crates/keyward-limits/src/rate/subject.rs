use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use keyward::{KeyId, Owner, TenantId};

/// For whom a request is counted, under which rule.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) rule: Arc<str>,
    pub(crate) who: Who,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Key(KeyId),
    Owner(TenantId, Owner),
    Tenant(TenantId),
    Address(IpAddr),
    Named(Arc<str>),
}

impl Who {
    /// An address, or the network that one subscriber has: of IPv6, the first 64 bits (RFC 6177 §2 gives
    /// sites no less). An IPv4 address in the clothes of IPv6 is one of IPv4.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
        })
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The name under which others know the same subject: it is one and the same for equal ones alone.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The length keeps a rule of the name "a:b" from being taken for the rule "a".
        write!(f, "{}:{}:", self.rule.len(), self.rule)?;
        match &self.who {
            Who::Key(key) => write!(f, "key:{key}"),
            Who::Owner(tenant, owner) => {
                let (tenant, kind) = (tenant.as_str(), owner.kind().len());
                write!(f, "owner:{}:{tenant}:{kind}:{owner}", tenant.len())
            }
            Who::Tenant(tenant) => write!(f, "tenant:{tenant}"),
            Who::Address(address) => write!(f, "address:{address}"),
            Who::Named(name) => write!(f, "named:{name}"),
        }
    }
}
