use std::sync::Arc;

use keyward_store::{Candidates, Digest, Parsed, Plaintext, PublicId, Selector};

use super::cache::CacheKey;
use super::coherence::Bound;
use super::foreign::Located;
use super::node::Node;
use crate::Reason;

/// A credential that is spelled like a key, in every form that it may be kept as.
#[derive(Debug, Clone)]
pub(crate) struct Presented {
    pub(crate) key: CacheKey,
    pub(crate) candidates: Candidates,
    /// What it is asked for by, one after the other.
    selectors: Vec<Selector>,
    /// The key itself, where another system's hash may have to be compared with it, and nowhere else.
    pub(crate) plaintext: Option<Arc<Plaintext>>,
    /// What it means that nothing is found.
    pub(crate) missing: Reason,
}

impl Presented {
    /// One that is spelled like a key of the format at that place.
    pub(crate) fn native(
        node: &Node,
        format: usize,
        parsed: &Parsed<'_>,
        key: CacheKey,
        digest: Digest,
    ) -> Self {
        let credential = parsed.credential();
        if let Some(id) = parsed.public_id() {
            let by_id = |prefix| Selector::PublicId { prefix, id };
            let format = node.formats.get(format);
            return Self {
                key,
                candidates: candidates(node, credential, digest),
                selectors: Vec::from_iter(format.map(|format| by_id(format.shared_prefix()))),
                plaintext: plaintext(node, credential),
                missing: Reason::Unknown,
            };
        }
        let mut located = node.foreign.locate(credential).unwrap_or_default();
        located.by_credential = true;
        Self::located(node, credential, digest, located)
    }

    /// One that is found where another system's keys may be. It is alone in its place of the cache and
    /// in its flight: whether it passes says nothing of any other credential.
    pub(crate) fn located(
        node: &Node,
        credential: &[u8],
        digest: Digest,
        located: Located,
    ) -> Self {
        let Located {
            public_ids,
            hashes,
            lookups,
            by_credential,
        } = located;
        let candidates = candidates(node, credential, digest).and_foreign(hashes, lookups);
        let by_id = |(prefix, id): (Arc<str>, PublicId)| Selector::PublicId { prefix, id };
        let mut selectors: Vec<_> = public_ids.into_iter().map(by_id).collect();
        selectors.extend(by_credential.then(|| Selector::Credential(candidates.clone())));
        Self {
            key: CacheKey::Digest(digest),
            candidates,
            selectors,
            plaintext: plaintext(node, credential),
            missing: Reason::Unknown,
        }
    }

    /// The same credential apart from all others of its public id.
    pub(crate) fn apart(self) -> Self {
        Self {
            key: CacheKey::Digest(*self.candidates.sha256()),
            missing: Reason::WrongSecret,
            ..self
        }
    }

    pub(crate) fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// What bears on the answer that nothing was found. For what is in a place of its own that is every
    /// new record, and every change of what a record is found by or kept as.
    pub(crate) fn absence(&self) -> Bound {
        match &self.key {
            CacheKey::Id(_, id) => Bound::public_id(id),
            CacheKey::Digest(_) => Bound::Credentials,
        }
    }
}

fn candidates(node: &Node, credential: &[u8], digest: Digest) -> Candidates {
    let macs = node.peppers.iter();
    let macs = macs.map(|pepper| (pepper.id().clone(), pepper.mac(credential)));
    Candidates::new(digest, macs)
}

fn plaintext(node: &Node, credential: &[u8]) -> Option<Arc<Plaintext>> {
    let text = std::str::from_utf8(credential).ok();
    let text = text.filter(|_| !node.foreign.is_empty())?;
    Some(Arc::new(Plaintext::new(text.to_owned())))
}
