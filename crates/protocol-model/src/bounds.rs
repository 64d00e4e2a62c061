//! What may happen in a configuration.

use crate::store::Change;

/// What may happen, and how many of what there are. Time, polls, loads, beats and verifications one
/// after the other are not bounded.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Where the keys are kept.
    pub store: Kind,
    /// L, the length of a lease, in ticks.
    pub lease: u8,
    /// How many verifications there are at the same time: one or two.
    pub verifications: u8,
    /// How many keys are asked about: one or two.
    pub keys: u8,
    /// Whether two keys share a minimum.
    pub shared_stripe: bool,
    /// What a key is found by.
    pub found_by: FoundBy,
    /// The changes that the promise is about; key 0 exists from the start unless one is
    /// [`Change::Create`].
    pub promised: [Change; 2],
    /// Who makes them.
    pub writers: Writers,
    /// Whether the outcome of a commit may come long after the call.
    pub slow_commits: bool,
    /// How many changes of other keys there are.
    pub others: u8,
    /// How many events the log keeps.
    pub kept: u8,
    /// Whether the node polls; else age alone vouches for answers.
    pub polls: bool,
    /// Whether a replica, which may lag, answers loads.
    pub replica: bool,
    /// How often the replica catches up.
    pub catch_ups: u8,
    /// Whether another server takes over, once.
    pub failover: Failover,
    /// Whether nodes are registered, and changes have receipts.
    pub register: bool,
    /// Whether believing an answer, sending a load and noting a new history are a step each, not two
    /// or three.
    pub coarse: bool,
    /// Whether beats take their time; else each is sent, written and answered at once, or written
    /// and not heard of.
    pub slow_beats: bool,
    /// Whether beats are written that the node hears nothing of.
    pub unheard_beats: bool,
    /// Whether reading the register takes its time.
    pub slow_reads: bool,
    /// Whether others strike the node's row, too.
    pub others_strike: bool,
    /// Whether the node may shut down.
    pub leaves: bool,
    /// Whether whoever waits for a load may go away.
    pub abandons: bool,
}

/// Where keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a database whose loads are snapshots, and whose log holds every change.
    Database,
    /// `LocalLog::sole_writer`: the log is in this process, behind the rows.
    SoleWriter,
    /// `LocalLog::max_age`: the same, and others write unseen.
    MaxAge,
}

/// What a key is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By a public id.
    PublicId,
    /// By a digest of the credential.
    Digest,
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// This node.
    Here,
    /// Another one, or an operator's hand.
    Elsewhere,
    /// Either.
    Either,
}

/// What a failover loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failover {
    /// There is none.
    Never,
    /// Nothing: what was acknowledged survives.
    Lossless,
    /// Any part of the log's tail, whose numbers are used again.
    Lossy,
    /// What the replica lacks, the register's rows too.
    ToReplica,
}

impl Bounds {
    /// One revocation elsewhere, one verification at a time.
    pub const LEAST: Self = Self {
        store: Kind::Database,
        lease: 2,
        verifications: 1,
        keys: 1,
        shared_stripe: false,
        found_by: FoundBy::PublicId,
        promised: [Change::Revoke(0), Change::Nothing],
        writers: Writers::Elsewhere,
        slow_commits: false,
        others: 0,
        kept: u8::MAX,
        polls: true,
        replica: false,
        catch_ups: u8::MAX,
        failover: Failover::Never,
        register: false,
        coarse: false,
        slow_beats: false,
        unheard_beats: true,
        slow_reads: false,
        others_strike: true,
        leaves: false,
        abandons: false,
    };

    pub(crate) fn exists_from_the_start(&self) -> bool {
        !self.promised.contains(&Change::Create)
    }

    pub(crate) fn writes_here(&self) -> bool {
        self.writers != Writers::Elsewhere
    }

    pub(crate) fn writes_elsewhere(&self) -> bool {
        self.writers != Writers::Here
    }

    /// Whether there is a copy that lags, be it only to be promoted.
    pub(crate) fn has_replica(&self) -> bool {
        self.replica || self.failover == Failover::ToReplica
    }

    pub(crate) fn has_absences(&self) -> bool {
        !self.exists_from_the_start()
    }

    /// How long an answer of the store is believed by its age; that of an unwatched table for longer
    /// than a lease.
    pub(crate) fn age(&self) -> u8 {
        match self.store {
            Kind::MaxAge => self.lease + 1,
            Kind::Database | Kind::SoleWriter => self.lease,
        }
    }
}
