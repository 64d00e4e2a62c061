//! Nodes with warm caches.

use keyward_core::Issued;
use keyward_store::Owner;
use sqlx::PgConnection;

use crate::support::{Answer, FORMATS, Node, SOON, Site, new_key};

/// Two nodes that hear of changes by hints alone, and know two keys of the owner `user:7`, one of each format.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) nodes: [Node; 2],
    pub(crate) keys: [Issued; 2],
}

impl World {
    pub(crate) async fn start() -> Self {
        let site = Site::fresh().await;
        let nodes = [site.node().await, site.node().await];
        let new = |format: &str| new_key().owner(Owner::new("user", "7")).format(format);
        let keys = [
            site.issue(&nodes[0], new(FORMATS[0])).await,
            site.issue(&nodes[0], new(FORMATS[1])).await,
        ];
        let world = Self { site, nodes, keys };
        for (node, key) in world.pairs() {
            node.comes_to(&key.secret, Answer::Accepted, SOON).await;
        }
        world
    }

    /// Every node with every key.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Node, &Issued)> {
        let keys = |node| self.keys.iter().map(move |key| (node, key));
        self.nodes.iter().flat_map(keys)
    }
    pub(crate) async fn session(&self) -> PgConnection {
        self.site.database.connect().await.unwrap()
    }
}
