//! The protocol keeps its promises in every interleaving of each configuration, and every rule that
//! is taken away breaks one.
#![expect(clippy::print_stdout, reason = "what was searched is to be read")]

use protocol_model::{Bounds, Change, Failover, FoundBy, Kind, Model, Mutation, Writers};

const LEAST: Bounds = Bounds::LEAST;
const HERE: Bounds = Bounds {
    writers: Writers::Here,
    ..LEAST
};
const EITHER: Bounds = Bounds {
    writers: Writers::Either,
    ..LEAST
};
const REGISTER: Bounds = Bounds {
    register: true,
    ..LEAST
};

const TWO_AT_ONCE_HERE: Bounds = Bounds {
    verifications: 2,
    ..HERE
};
const TWO_AT_ONCE: Bounds = Bounds {
    verifications: 2,
    ..LEAST
};
const SOLE_WRITER: Bounds = Bounds {
    store: Kind::SoleWriter,
    lease: 1,
    ..TWO_AT_ONCE_HERE
};
const OTHER_CHANGES: Bounds = Bounds { others: 1, ..LEAST };
const REPLICA: Bounds = Bounds {
    replica: true,
    others: 1,
    ..EITHER
};
const REPLICA_TWO_AT_ONCE: Bounds = Bounds {
    replica: true,
    ..TWO_AT_ONCE
};
const FAILOVER: Bounds = Bounds {
    failover: Failover::Lossy,
    others: 1,
    lease: 1,
    ..EITHER
};
/// With time enough between two leases for a number to be used again.
const LONG_FAILOVER: Bounds = Bounds {
    failover: Failover::Lossy,
    others: 1,
    ..LEAST
};
const REPLICA_LEFT_BEHIND: Bounds = Bounds {
    failover: Failover::Lossy,
    replica: true,
    lease: 1,
    others: 1,
    ..LEAST
};
const MAX_AGE: Bounds = Bounds {
    store: Kind::MaxAge,
    others: 1,
    ..EITHER
};
const CREATION: Bounds = Bounds {
    promised: [Change::Create, Change::Revoke(0)],
    ..EITHER
};
const CREATION_BY_DIGEST: Bounds = Bounds {
    found_by: FoundBy::Digest,
    ..CREATION
};
const TWO_KEYS: Bounds = Bounds {
    promised: [Change::Revoke(0), Change::Revoke(1)],
    keys: 2,
    ..LEAST
};
const TWO_KEYS_OF_A_STRIPE: Bounds = Bounds {
    shared_stripe: true,
    ..TWO_KEYS
};
const TENANT: Bounds = Bounds {
    promised: [Change::Suspend, Change::Revoke(0)],
    ..EITHER
};
const SLOW_COMMITS: Bounds = Bounds {
    slow_commits: true,
    others: 1,
    ..EITHER
};
const FORGETFUL_LOG: Bounds = Bounds {
    kept: 1,
    others: 2,
    ..LEAST
};
const BUSY_REGISTER: Bounds = Bounds {
    others: 1,
    lease: 1,
    ..REGISTER
};
const LEAVING: Bounds = Bounds {
    leaves: true,
    lease: 1,
    ..REGISTER
};
const SLOW_BEATS: Bounds = Bounds {
    slow_beats: true,
    lease: 1,
    ..REGISTER
};
const SLOW_READS: Bounds = Bounds {
    slow_reads: true,
    lease: 1,
    ..REGISTER
};
const REGISTER_AND_REPLICA: Bounds = Bounds {
    coarse: true,
    replica: true,
    lease: 1,
    ..REGISTER
};

/// Nothing that can happen breaks a promise; and the search is not idle: keys were accepted, from the
/// cache too, and changes heeded that a verification had to know of.
fn holds(name: &str, bounds: Bounds) {
    let found = Model::new(bounds).explore();
    if let Some(violation) = &found.violation {
        panic!("{name}, after {} states:\n{violation}", found.states);
    }
    println!(
        "{name}: {} states, {} decisions that a change made",
        found.states, found.heeded
    );
    assert!(
        found.accepted_from_cache > 0 && found.heeded > 0 && found.unavailable > 0,
        "{found:?}"
    );
}

/// Without this rule a promise is broken.
fn breaks(bounds: Bounds, mutation: Mutation) {
    let found = Model::broken(bounds, mutation).explore();
    let violation = found.violation.as_ref();
    let violation =
        violation.unwrap_or_else(|| panic!("{mutation:?} harms nobody in {} states", found.states));
    println!("{mutation:?}, after {} states:\n{violation}", found.states);
}

macro_rules! configurations {
    ($($name:ident: $bounds:expr),* $(,)?) => {
        mod configuration {
            use super::*;
            $(#[test] fn $name() { holds(stringify!($name), $bounds); })*
        }
    };
}

macro_rules! mutations {
    ($($name:ident: $bounds:expr => $mutation:ident),* $(,)?) => {
        mod mutation {
            use super::*;
            $(#[test] fn $name() { breaks($bounds, Mutation::$mutation); })*
        }
    };
}

configurations! {
    local_revocation_and_two_verifications: TWO_AT_ONCE_HERE,
    local_log_of_a_sole_writer: SOLE_WRITER,
    foreign_revocation_and_two_verifications: TWO_AT_ONCE,
    foreign_revocation_among_others: OTHER_CHANGES,
    a_replica_that_lags: REPLICA,
    a_replica_that_lags_and_two_verifications: REPLICA_TWO_AT_ONCE,
    a_failover_that_loses_the_tail: FAILOVER,
    a_table_that_others_write_unseen: MAX_AGE,
    creation_after_a_cached_miss: CREATION,
    creation_after_a_cached_miss_by_digest: CREATION_BY_DIGEST,
    two_keys: TWO_KEYS,
    two_keys_of_a_stripe: TWO_KEYS_OF_A_STRIPE,
    a_tenant: TENANT,
    commits_of_unknown_outcome: SLOW_COMMITS,
    a_log_that_forgets: FORGETFUL_LOG,
    receipts: REGISTER,
    receipts_and_a_node_that_leaves: LEAVING,
    receipts_and_slow_beats: SLOW_BEATS,
    receipts_and_a_replica: REGISTER_AND_REPLICA,
}

mutations! {
    time_is_not_checked: TWO_AT_ONCE => TimeNotChecked,
    the_version_is_not_checked: TWO_AT_ONCE_HERE => VersionNotChecked,
    the_version_is_checked_before_the_time: TWO_AT_ONCE => VersionBeforeTime,
    age_counts_from_receipt: TWO_AT_ONCE => AgeFromReceipt,
    a_replica_is_trusted_by_age: REPLICA => ReplicaTrustedByAge,
    joiners_are_not_checked: TWO_AT_ONCE_HERE => JoinersNotChecked,
    the_row_is_read_before_the_number: TWO_AT_ONCE_HERE => RowsBeforeNumber,
    the_log_of_a_sole_writer_is_read_last: SOLE_WRITER => RowsBeforeNumber,
    loads_name_no_history: REPLICA_LEFT_BEHIND => LoadsWithoutHistory,
    the_name_of_a_history_is_read_before_its_count: REPLICA_LEFT_BEHIND => NameBeforeCount,
    the_count_of_a_history_is_stored_before_its_name: REPLICA_LEFT_BEHIND => CountStoredBeforeName,
    the_lease_counts_from_receipt: TWO_AT_ONCE => LeaseFromReceipt,
    the_lease_comes_before_applying: TWO_AT_ONCE => LeaseBeforeApplying,
    an_open_connection_is_a_lease: TWO_AT_ONCE => LeaseWithoutPoll,
    the_cursor_moves_before_applying: OTHER_CHANGES => CursorBeforeApplying,
    a_replica_is_polled: REPLICA => PollsAskReplicas,
    numbers_are_not_in_the_order_of_commits: OTHER_CHANGES => NumbersNotInCommitOrder,
    a_failover_is_told_by_numbers_alone: LONG_FAILOVER => HistoryByNumbersAlone,
    a_failover_is_told_by_the_token_alone: LONG_FAILOVER => HistoryByTokenAlone,
    forgotten_events_are_passed_over: FORGETFUL_LOG => ForgottenEventsPassedOver,
    minimums_are_set_not_raised: TWO_KEYS_OF_A_STRIPE => MinimumsSetNotRaised,
    events_do_not_name_the_public_id: CREATION => PublicIdsNotNamed,
    events_do_not_say_that_keys_are_found_anew: CREATION_BY_DIGEST => RefoundNotSaid,
    events_of_a_tenant_are_not_applied: TENANT => TenantsNotApplied,
    unwatched_facts_get_a_lease: MAX_AGE => LeaseWithUnseenWriters,
    a_write_does_not_wait: TWO_AT_ONCE_HERE => WritesDoNotWait,
    a_write_takes_a_poll_from_before_its_commit: TWO_AT_ONCE_HERE => WritesTakeAnyPoll,
    a_write_counts_its_wait_from_the_call: SLOW_COMMITS => WritesCountFromTheCall,
    a_write_waits_a_lease_for_facts_that_live_longer: MAX_AGE => WritesWaitALease,
    trust_is_learnt_from_answers: MAX_AGE => TrustLearntFromAnswers,
    a_local_log_promises_from_the_rows_on: SOLE_WRITER => PromisedFromTheRows,
    leases_go_beyond_contact: REGISTER => ContactNotAskedOfLeases,
    loads_go_beyond_contact: REGISTER => ContactNotAskedOfLoads,
    contact_counts_from_receipt: SLOW_BEATS => ContactFromReceipt,
    a_poll_is_contact: REGISTER => PollsAreContact,
    a_struck_node_goes_on: REGISTER => ChainGoesOn,
    polls_from_before_a_registration_count: REGISTER => EarlierPollsCount,
    loads_from_before_a_registration_count: REGISTER => EarlierLoadsCount,
    a_registration_counts_before_it_is_answered: SLOW_BEATS => ChainFromTheBeatsSending,
    the_last_poll_before_a_registration_counts: REGISTER => LastPollKept,
    a_beat_does_not_name_its_registration: REGISTER => RegistrationNotNamed,
    a_row_is_struck_whatever_its_beat: REGISTER => StruckWithoutComparing,
    a_row_is_struck_at_once: REGISTER => StruckAtOnce,
    silence_counts_from_the_asking: SLOW_READS => SilenceFromTheAsking,
    a_node_reports_before_it_has_applied: REGISTER => ReportedBeforeApplying,
    the_register_is_read_before_the_commit: SLOW_READS => RegisterReadBeforeCommit,
    telling_what_was_applied_is_contact: BUSY_REGISTER => ReportsAreContact,
    a_node_that_leaves_stops_believing_last: LEAVING => LeavesBeforeStopping,
}
