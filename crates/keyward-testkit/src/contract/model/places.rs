//! From where keys may be used, told by addresses: one of each part into which the networks fall.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks within each other, two that are a third together, and all there are.
const NETWORKS: [&str; 10] = [
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.128.0.0/9",
    // Not its own address, which is kept.
    "10.1.2.3/16",
    "10.1.2.3/32",
    "192.168.7.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "::/0",
];

const ADDRESSES: [&str; 9] = [
    "10.1.2.3",
    "10.1.9.9",
    "10.5.0.1",
    "10.200.0.1",
    "192.168.7.1",
    "203.0.113.9",
    "2001:db8:1::1",
    "2001:db8:2::1",
    "2606:4700::1",
];

/// What networks are chosen from.
pub(super) fn networks() -> Vec<IpNet> {
    let all = NETWORKS.iter();
    all.map(|network| network.parse().unwrap()).collect()
}

/// Two that are together what [`whole`] is.
pub(super) fn halves() -> Vec<IpNet> {
    networks()[1..3].to_vec()
}

pub(super) fn whole() -> Vec<IpNet> {
    networks()[..1].to_vec()
}

/// More than a key may have.
pub(super) fn too_many() -> Vec<IpNet> {
    let all = 0..=64;
    all.map(|last| format!("192.168.7.{last}/32").parse().unwrap())
        .collect()
}

/// From where a bearer may come; `None` is from anywhere, also from where nobody can tell.
pub(super) type Bound = Option<Vec<IpNet>>;

/// What the networks of a key mean.
pub(super) fn bound(networks: &[IpNet]) -> Bound {
    if networks.is_empty() {
        None
    } else {
        Some(networks.to_vec())
    }
}

/// What each of two bounds allows, as the narrower of them spells it.
pub(super) fn both(one: Bound, other: Bound) -> Bound {
    let (Some(one), Some(other)) = (&one, &other) else {
        return one.or(other);
    };
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    let narrower = pairs.filter_map(|(a, b)| match (a.contains(b), b.contains(a)) {
        (true, _) => Some(*b),
        (_, true) => Some(*a),
        _ => None,
    });
    Some(kept(narrower))
}

/// Networks as they are kept: by their own addresses, each once.
pub(super) fn kept(networks: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
    super::decide::sorted(networks.map(|network| network.trunc()))
}

/// Whether a bearer under the first bound comes from nowhere that the other does not allow.
pub(super) fn is_within(ours: &Bound, theirs: &Bound) -> bool {
    let (ours, theirs) = match (ours, theirs) {
        (_, None) => return true,
        (None, Some(_)) => return false,
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    let holds = |networks: &[IpNet], address: &IpAddr| {
        networks.iter().any(|network| network.contains(address))
    };
    let mut addresses = ADDRESSES.iter().map(|text| text.parse().unwrap());
    addresses.all(|address| !holds(ours, &address) || holds(theirs, &address))
}
