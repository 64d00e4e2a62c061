//! The coherence protocol keeps its promises in every order of steps, and each of its rules is
//! needed for that.

use protocol_model::{Configuration, Model, Mutation, configurations};

/// Every state is visited, no promise is broken, and it did not hold for want of trying.
fn keeps_its_promises(configuration: &Configuration) {
    let report = Model::new(configuration.bounds).explore();
    if let Some(violation) = &report.violation {
        panic!("a promise is broken:\n{violation}");
    }
    assert_eq!(report.states, configuration.states);
    assert!(report.accepted_from_cache > 0, "{report}");
    assert!(report.accepted > report.accepted_from_cache, "{report}");
    assert!(report.heeded > 0, "{report}");
    assert!(report.unavailable > 0, "{report}");
}

macro_rules! promises {
    ($($test:ident: $configuration:ident,)*) => {
        $(
            #[test]
            fn $test() {
                keeps_its_promises(&configurations::$configuration);
            }
        )*

        #[test]
        fn every_configuration_is_searched() {
            let searched = [$(configurations::$configuration.name),*];
            let all = configurations::ALL.map(|configuration| configuration.name);
            assert_eq!(searched, all);
        }
    };
}

promises! {
    a_write_that_has_returned_binds_hits_loads_and_joiners: LOCAL,
    a_log_behind_the_rows_binds_them_too: SOLE_WRITER,
    a_change_elsewhere_is_known_after_a_lease_without_news: FOREIGN,
    nobody_is_misled_by_a_load_that_its_caller_left: ABANDONED,
    a_commit_that_takes_its_time_promises_no_less: SLOW_WRITES,
    a_log_that_forgets_events_hides_none: SHORT_LOG,
    a_replica_that_lags_misleads_nobody: REPLICA,
    numbers_that_a_failover_uses_again_mislead_nobody: FAILOVER,
    a_replica_left_behind_by_a_failover_misleads_nobody: LEFT_BEHIND,
    a_table_that_others_write_unseen_is_believed_for_its_age: UNWATCHED,
    and_by_joiners_no_longer: UNWATCHED_JOINERS,
    a_key_is_found_although_its_public_id_was_known_to_be_absent: CREATION_BY_ID,
    a_key_is_found_although_its_digest_was_known_to_be_absent: CREATION_BY_DIGEST,
    of_two_keys_each_revocation_takes_hold: TWO_KEYS,
    of_two_keys_that_share_a_minimum_too: SHARED_STRIPE,
    a_tenants_suspension_reaches_its_keys: TENANT,
    after_a_receipt_nobody_anywhere_accepts: RECEIPT,
    nor_when_there_is_other_news: RECEIPT_NEWS,
    nor_when_beats_are_late: RECEIPT_SLOW_BEATS,
    nor_when_the_register_answers_late: RECEIPT_SLOW_READS,
    nor_when_the_node_shuts_down: RECEIPT_LEAVING,
    nor_when_a_replica_answers_loads: RECEIPT_REPLICA,
    nor_when_another_server_takes_over: RECEIPT_FAILOVER,
    nor_when_it_has_lost_a_part_of_the_register: RECEIPT_LOSING_BY_AGE,
}

#[test]
fn the_table_in_the_documentation_is_true() {
    let documentation = include_str!("../src/lib.rs");
    for Configuration { name, states, .. } in
        configurations::ALL.iter().chain(&configurations::WIDE)
    {
        let row = documentation
            .lines()
            .find(|line| line.contains(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        let told = row.rsplit('|').nth(1).map(|cell| cell.replace(' ', ""));
        assert_eq!(told, Some(states.to_string()), "{name}");
    }
}

/// A broken rule is found.
#[expect(
    clippy::print_stdout,
    reason = "the traces are there to be read, with `--nocapture`"
)]
fn is_found(mutation: Mutation, configuration: &Configuration) {
    let report = Model::broken(configuration.bounds, mutation).explore();
    match &report.violation {
        Some(violation) => println!("{mutation:?}:\n{violation}"),
        None => panic!("{mutation:?} is not found: {report}"),
    }
}

/// What looks like a rule of safety is none: without it, all promises are kept.
fn is_harmless(mutation: Mutation, configuration: &Configuration) {
    let report = Model::broken(configuration.bounds, mutation).explore();
    if let Some(violation) = &report.violation {
        panic!("{mutation:?} breaks a promise:\n{violation}");
    }
    assert!(report.accepted_from_cache > 0, "{report}");
    assert!(report.heeded > 0, "{report}");
}

macro_rules! mutations {
    ($($test:ident: $mutation:ident $judged:ident $configuration:ident,)*) => {
        $(
            #[test]
            fn $test() {
                $judged(Mutation::$mutation, &configurations::$configuration);
            }
        )*

        /// It does not compile where a mutation is missing.
        #[expect(dead_code, reason = "compiling it is the test")]
        fn every_mutation_is_tried(mutation: Mutation) {
            match mutation {
                $(Mutation::$mutation => {})*
            }
        }
    };
}

mutations! {
    time_must_be_checked: TimeNotChecked is_found FOREIGN,
    the_version_must_be_compared: VersionNotChecked is_found LOCAL,
    time_must_be_checked_before_the_version: VersionBeforeTime is_found FOREIGN,
    age_must_count_from_the_sending: AgeFromReceipt is_found FOREIGN,
    age_must_not_vouch_for_a_replicas_answer: ReplicaTrustedByAge is_found REPLICA,
    joiners_must_judge_what_they_get: JoinersNotChecked is_found LOCAL,
    the_number_must_not_be_read_after_the_rows: RowsBeforeNumber is_found SOLE_WRITER,
    a_loads_history_must_be_compared: LoadsWithoutHistory is_found LEFT_BEHIND,
    a_question_must_note_the_count_before_the_name: NameBeforeCount is_found LEFT_BEHIND,
    a_historys_name_must_be_stored_before_its_count: CountStoredBeforeName is_found LEFT_BEHIND,
    a_second_attempt_may_join_anything: SecondAttemptJoinsAnything is_harmless ABANDONED,
    a_lease_must_count_from_the_sending: LeaseFromReceipt is_found FOREIGN,
    changes_must_be_applied_before_the_lease: LeaseBeforeApplying is_found FOREIGN,
    an_open_connection_must_not_extend_the_lease: LeaseWithoutPoll is_found FOREIGN,
    the_cursor_must_not_move_before_changes_are_applied: CursorBeforeApplying is_found FOREIGN,
    a_poll_must_not_ask_a_replica: PollsAskReplicas is_found REPLICA,
    numbers_must_be_in_the_order_of_commits: NumbersNotInCommitOrder is_found FOREIGN,
    a_failover_must_not_be_told_by_numbers_alone: HistoryByNumbersAlone is_found FAILOVER,
    a_failover_must_not_be_told_by_the_token_alone: HistoryByTokenAlone is_found FAILOVER,
    a_failover_may_be_told_by_its_name_alone: HistoryByNameAlone is_harmless FAILOVER,
    forgotten_events_must_raise_the_floor: ForgottenEventsPassedOver is_found SHORT_LOG,
    a_minimum_must_not_sink: MinimumsSetNotRaised is_found SHARED_STRIPE,
    an_insert_must_name_its_public_id: PublicIdsNotNamed is_found CREATION_BY_ID,
    an_insert_must_say_that_credentials_are_found_anew: RefoundNotSaid is_found CREATION_BY_DIGEST,
    a_tenants_event_must_be_applied: TenantsNotApplied is_found TENANT,
    a_lease_must_not_vouch_for_a_table_others_write: LeaseWithUnseenWriters is_found UNWATCHED,
    a_write_must_wait: WritesDoNotWait is_found LOCAL,
    a_write_must_wait_for_a_poll_sent_after_its_commit: WritesTakeAnyPoll is_found LOCAL,
    a_writes_wait_must_count_from_its_commit: WritesCountFromTheCall is_found SLOW_WRITES,
    a_writes_wait_must_outlast_what_is_believed: WritesWaitALease is_found UNWATCHED,
    how_long_facts_live_must_be_known_from_the_start: TrustLearntFromAnswers is_found UNWATCHED,
    a_local_logs_promise_must_not_count_from_the_rows: PromisedFromTheRows is_found SOLE_WRITER,
    contact_must_bound_leases: ContactNotAskedOfLeases is_found RECEIPT,
    contact_must_bound_ages: ContactNotAskedOfLoads is_found RECEIPT,
    contact_must_count_from_the_sending: ContactFromReceipt is_found RECEIPT_SLOW_BEATS,
    a_poll_must_not_be_contact: PollsAreContact is_found RECEIPT,
    a_report_must_not_be_contact: ReportsAreContact is_found RECEIPT_NEWS,
    a_node_that_was_struck_must_start_over: ChainGoesOn is_found RECEIPT,
    polls_from_before_must_not_count: EarlierPollsCount is_found RECEIPT,
    loads_from_before_must_not_count: EarlierLoadsCount is_found RECEIPT,
    what_was_sent_after_the_beat_must_not_count: ChainFromTheBeatsSending is_found RECEIPT_SLOW_BEATS,
    the_last_poll_from_before_must_be_forgotten: LastPollKept is_found RECEIPT,
    the_lease_from_before_has_run_out_by_itself: LeaseNotCut is_harmless RECEIPT,
    a_beats_answer_must_name_the_registration: RegistrationNotNamed is_found RECEIPT,
    a_chain_must_end_with_its_history: ChainAcrossHistories is_found RECEIPT_LOSING_BY_AGE,
    a_strike_must_name_the_registration: StruckByBeatAlone is_found RECEIPT_LEAVING,
    a_strike_must_go_by_what_this_history_has_shown: StruckAcrossHistories is_found RECEIPT_LOSING,
    a_strike_must_compare_the_beat: StruckWithoutComparing is_found RECEIPT,
    a_strike_must_wait: StruckAtOnce is_found RECEIPT,
    silence_must_count_from_the_answer: SilenceFromTheAsking is_found RECEIPT_SLOW_READS,
    changes_must_be_applied_before_they_are_reported: ReportedBeforeApplying is_found RECEIPT,
    the_register_must_be_read_after_the_commit: RegisterReadBeforeCommit is_found RECEIPT_SLOW_READS,
    what_was_applied_must_be_compared_with_its_history: AppliedByNumberAlone is_found RECEIPT_LOSING,
    a_node_must_stop_believing_before_it_leaves: LeavesBeforeStopping is_found RECEIPT_LEAVING,
    a_new_historys_register_must_be_waited_for: NewHistoryNotWaitedFor is_found RECEIPT_LOSING_BY_AGE,
    a_registers_history_must_be_compared: RegisterWithoutHistory is_found RECEIPT_LOSING_BY_AGE,
}
