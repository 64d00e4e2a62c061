//! What is searched: small worlds, each with what makes one promise hard to keep.

use crate::bounds::{Bounds, Failover, FoundBy, Kind, Writers};
use crate::store::Change;

/// A small world, and how many states it has.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// What it is called in the table and by the `protocol-model` binary.
    pub name: &'static str,
    /// What may happen.
    pub bounds: Bounds,
    /// How many states can be reached: where this changes, what happens has changed.
    pub states: u64,
}

/// Those that the tests search.
pub const ALL: [Configuration; 24] = [
    LOCAL,
    SOLE_WRITER,
    FOREIGN,
    ABANDONED,
    SLOW_WRITES,
    SHORT_LOG,
    REPLICA,
    FAILOVER,
    LEFT_BEHIND,
    UNWATCHED,
    UNWATCHED_JOINERS,
    CREATION_BY_ID,
    CREATION_BY_DIGEST,
    TWO_KEYS,
    SHARED_STRIPE,
    TENANT,
    RECEIPT,
    RECEIPT_NEWS,
    RECEIPT_SLOW_BEATS,
    RECEIPT_SLOW_READS,
    RECEIPT_LEAVING,
    RECEIPT_REPLICA,
    RECEIPT_FAILOVER,
    RECEIPT_LOSING_BY_AGE,
];

/// Those that take minutes and gigabytes, for the binary.
pub const WIDE: [Configuration; 2] = [RECEIPT_LOSING, RECEIPT_LOSING_MORE];

/// A revocation here; two verifications, which hit, load, or join.
pub const LOCAL: Configuration = Configuration {
    name: "local",
    bounds: Bounds {
        lease: 1,
        verifications: 2,
        others: 1,
        writers: Writers::Here,
        ..Bounds::LEAST
    },
    states: 1_447_442,
};

/// The same over a log in this process, which hears of a change after the rows have it.
pub const SOLE_WRITER: Configuration = Configuration {
    name: "sole-writer",
    bounds: Bounds {
        store: Kind::SoleWriter,
        lease: 2,
        others: 0,
        ..LOCAL.bounds
    },
    states: 1_674_528,
};

/// A revocation elsewhere, of which only polls tell, and polls may fail.
pub const FOREIGN: Configuration = Configuration {
    name: "foreign",
    bounds: Bounds {
        verifications: 2,
        others: 1,
        ..Bounds::LEAST
    },
    states: 2_954_310,
};

/// The same, and whoever started a load may go away.
pub const ABANDONED: Configuration = Configuration {
    name: "abandoned",
    bounds: Bounds {
        lease: 1,
        verifications: 2,
        abandons: true,
        ..Bounds::LEAST
    },
    states: 1_328_203,
};

/// A revocation here or elsewhere, whose commit takes its time.
pub const SLOW_WRITES: Configuration = Configuration {
    name: "slow-writes",
    bounds: Bounds {
        slow_commits: true,
        others: 1,
        writers: Writers::Either,
        ..Bounds::LEAST
    },
    states: 227_427,
};

/// A log that forgets all events but one.
pub const SHORT_LOG: Configuration = Configuration {
    name: "short-log",
    bounds: Bounds {
        kept: 1,
        others: 2,
        ..Bounds::LEAST
    },
    states: 286_565,
};

/// A replica answers first attempts, and lags.
pub const REPLICA: Configuration = Configuration {
    name: "replica",
    bounds: Bounds {
        replica: true,
        others: 1,
        writers: Writers::Either,
        ..Bounds::LEAST
    },
    states: 410_236,
};

/// Another server takes over without the tail of the log, and uses its numbers again.
pub const FAILOVER: Configuration = Configuration {
    name: "failover",
    bounds: Bounds {
        failover: Failover::Lossy,
        others: 1,
        ..Bounds::LEAST
    },
    states: 2_638_936,
};

/// The same, and a replica that knows the lost tail goes on to answer.
pub const LEFT_BEHIND: Configuration = Configuration {
    name: "left-behind",
    bounds: Bounds {
        lease: 1,
        replica: true,
        ..FAILOVER.bounds
    },
    states: 4_055_992,
};

/// A table that others write unseen: age alone vouches for its facts.
pub const UNWATCHED: Configuration = Configuration {
    name: "unwatched",
    bounds: Bounds {
        store: Kind::MaxAge,
        writers: Writers::Either,
        others: 1,
        ..Bounds::LEAST
    },
    states: 344_527,
};

/// The same with two verifications.
pub const UNWATCHED_JOINERS: Configuration = Configuration {
    name: "unwatched-joiners",
    bounds: Bounds {
        lease: 1,
        verifications: 2,
        others: 0,
        ..UNWATCHED.bounds
    },
    states: 1_827_444,
};

/// A key is made after its public id was looked for in vain, and then revoked.
pub const CREATION_BY_ID: Configuration = Configuration {
    name: "creation-by-id",
    bounds: Bounds {
        promised: [Change::Create, Change::Revoke(0)],
        writers: Writers::Either,
        others: 1,
        ..Bounds::LEAST
    },
    states: 2_109_739,
};

/// The same by digest.
pub const CREATION_BY_DIGEST: Configuration = Configuration {
    name: "creation-by-digest",
    bounds: Bounds {
        found_by: FoundBy::Digest,
        ..CREATION_BY_ID.bounds
    },
    states: 2_109_739,
};

/// Two keys, both revoked.
pub const TWO_KEYS: Configuration = Configuration {
    name: "two-keys",
    bounds: Bounds {
        promised: [Change::Revoke(0), Change::Revoke(1)],
        keys: 2,
        ..Bounds::LEAST
    },
    states: 707_116,
};

/// Two keys that share a minimum.
pub const SHARED_STRIPE: Configuration = Configuration {
    name: "shared-stripe",
    bounds: Bounds {
        shared_stripe: true,
        ..TWO_KEYS.bounds
    },
    states: 733_822,
};

/// A tenant is suspended, and its key revoked.
pub const TENANT: Configuration = Configuration {
    name: "tenant",
    bounds: Bounds {
        promised: [Change::Suspend, Change::Revoke(0)],
        writers: Writers::Either,
        others: 1,
        ..Bounds::LEAST
    },
    states: 2_175_163,
};

/// A revocation elsewhere with a receipt, while the node registers, falls silent, is struck by the
/// writer or by others, and registers anew.
pub const RECEIPT: Configuration = Configuration {
    name: "receipt",
    bounds: Bounds {
        register: true,
        ..Bounds::LEAST
    },
    states: 1_932_656,
};

/// The same, and there is other news to report.
pub const RECEIPT_NEWS: Configuration = Configuration {
    name: "receipt-news",
    bounds: Bounds {
        lease: 1,
        others: 1,
        ..RECEIPT.bounds
    },
    states: 2_065_457,
};

/// The same with beats that are on their way for as long as they like.
pub const RECEIPT_SLOW_BEATS: Configuration = Configuration {
    name: "receipt-slow-beats",
    bounds: Bounds {
        lease: 1,
        slow_beats: true,
        ..RECEIPT.bounds
    },
    states: 1_564_692,
};

/// The same with answers of the register that are on their way for as long as they like.
pub const RECEIPT_SLOW_READS: Configuration = Configuration {
    name: "receipt-slow-reads",
    bounds: Bounds {
        lease: 1,
        slow_reads: true,
        ..RECEIPT.bounds
    },
    states: 2_354_543,
};

/// The same, and the node shuts down.
pub const RECEIPT_LEAVING: Configuration = Configuration {
    name: "receipt-leaving",
    bounds: Bounds {
        lease: 1,
        leaves: true,
        ..RECEIPT.bounds
    },
    states: 816_526,
};

/// The same, and a replica answers loads.
pub const RECEIPT_REPLICA: Configuration = Configuration {
    name: "receipt-replica",
    bounds: Bounds {
        lease: 1,
        coarse: true,
        replica: true,
        ..RECEIPT.bounds
    },
    states: 621_769,
};

/// The same, and another server takes over, which lacks nothing.
pub const RECEIPT_FAILOVER: Configuration = Configuration {
    name: "receipt-failover",
    bounds: Bounds {
        lease: 1,
        coarse: true,
        others_strike: false,
        failover: Failover::Lossless,
        ..RECEIPT.bounds
    },
    states: 989_783,
};

/// The same, and what takes over has lost a part of the register, too.
pub const RECEIPT_LOSING: Configuration = Configuration {
    name: "receipt-losing",
    bounds: Bounds {
        catch_ups: 1,
        unheard_beats: false,
        failover: Failover::ToReplica,
        ..RECEIPT_FAILOVER.bounds
    },
    states: 27_149_022,
};

/// The same without polls: age alone vouches for what the node has loaded.
pub const RECEIPT_LOSING_BY_AGE: Configuration = Configuration {
    name: "receipt-losing-by-age",
    bounds: Bounds {
        polls: false,
        others_strike: true,
        failover: Failover::ToReplica,
        ..RECEIPT_FAILOVER.bounds
    },
    states: 856_858,
};

/// The same with polls and beats that are not heard of.
pub const RECEIPT_LOSING_MORE: Configuration = Configuration {
    name: "receipt-losing-more",
    bounds: Bounds {
        unheard_beats: true,
        ..RECEIPT_LOSING.bounds
    },
    states: 64_702_013,
};
