/// Makes a test of every law of the [`contract`](crate::contract).
///
/// The argument is evaluated for each test, in an async context, and gives a fresh and empty store
/// that implements [`Records`](keyward_store::Records) and [`KeyStore`](keyward_store::KeyStore).
///
/// With `guarded` before it, it gives the store and a guard, such as a database that is dropped with
/// it; the guard outlives the test.
#[macro_export]
macro_rules! contract_tests {
    (guarded $fresh:expr $(,)?) => {
        $crate::laws! { $fresh =>
            find::a_key_is_found_by_its_name
            find::a_key_is_found_by_its_public_id
            find::the_case_of_a_public_id_counts
            find::a_key_is_found_by_its_sha256
            find::a_key_is_found_by_its_mac_under_any_live_pepper
            find::a_credential_finds_every_record_it_may_be_kept_as
            find::every_field_comes_back_as_it_was_written
            find::every_field_is_replaced
            find::a_replaced_key_is_found_by_what_it_is_now
            find::keys_that_are_refused_are_found_too
            find::what_was_never_written_is_not_found

            foreign::a_key_is_found_by_its_foreign_hash
            foreign::a_key_is_found_by_its_beginning
            foreign::only_the_oldest_of_one_beginning_are_found
            foreign::a_credential_is_found_in_every_way_at_once
            foreign::a_key_is_found_by_its_new_beginning

            unique::no_two_keys_share_a_name
            unique::no_two_keys_share_a_public_id
            unique::no_two_keys_share_a_hash
            unique::the_same_bytes_under_another_pepper_are_another_hash
            unique::the_same_text_under_another_scheme_is_another_hash
            unique::keys_without_public_id_do_not_clash
            unique::the_keys_of_one_change_must_not_clash
            unique::no_key_can_take_what_another_has
            unique::a_key_does_not_clash_with_itself
            unique::what_does_not_exist_cannot_be_replaced

            commit::a_stale_writer_is_refused
            commit::what_does_not_exist_has_no_revision
            commit::a_revision_is_what_the_record_says
            commit::the_first_failure_is_named
            commit::expectations_are_about_the_state_before
            commit::nothing_of_a_refused_change_is_written
            commit::nothing_of_a_change_with_a_bad_row_is_written
            commit::all_of_a_change_is_written
            commit::a_change_may_be_large

            cap::a_cap_counts_its_own_keys
            cap::a_cap_on_usable_keys_passes_over_the_others
            cap::a_cap_on_a_beginning_counts_its_own_keys
            cap::a_cap_may_be_at_another_time
            cap::a_cap_counts_what_its_filter_lets_through

            delete::a_deleted_key_is_not_found
            delete::the_last_use_of_a_deleted_key_is_gone
            delete::what_a_deleted_key_had_is_free
            delete::a_stale_deletion_is_refused
            delete::what_does_not_exist_cannot_be_deleted
            delete::a_deletion_is_taken_back_with_its_change
            delete::one_of_fifty_deletions_is_made
            delete::a_deletion_is_told

            token::a_used_token_is_refused
            token::tokens_come_before_expectations
            token::another_scope_or_text_is_another_token
            token::a_token_whose_time_is_over_is_free
            token::a_token_stays_until_its_time_is_over
            token::a_token_of_a_refused_change_is_not_kept
            token::a_refused_change_leaves_the_token_that_was_there
            token::equal_tokens_of_one_change_are_refused
            token::one_of_fifty_equal_tokens_wins
            token::tokens_in_any_order_do_not_block_each_other
            token::a_token_is_not_told

            mixed::changes_of_all_sorts_do_what_they_say

            race::one_of_two_writers_wins
            race::one_of_a_hundred_writers_wins
            race::a_cap_holds_under_two_hundred_writers
            race::a_tenants_cap_holds_under_two_hundred_writers
            race::an_owners_cap_holds_under_two_hundred_writers
            race::one_of_fifty_twins_is_made
            race::one_of_fifty_first_standings_is_set
            race::two_changes_cannot_slip_past_each_other
            race::changes_in_any_order_do_not_block_each_other

            standing::a_standing_is_good_until_it_is_set
            standing::a_standing_comes_back_as_it_was_written
            standing::a_stale_standing_is_refused
            standing::one_standing_is_not_anothers
            standing::keys_come_with_the_standing_of_their_tenant_and_owner

            list::the_newest_key_comes_first
            list::a_page_has_a_cursor_if_there_is_more
            list::pages_stay_while_keys_come_and_go
            list::a_list_holds_what_was_asked_for
            list::revoked_keys_are_hidden_unless_asked_for
            list::a_list_says_what_finding_says
            list::a_key_is_listed_where_it_belongs_now

            filter::a_list_can_be_asked_for_by_each_field
            filter::a_key_stands_as_it_does_at_the_moment_asked_for
            filter::a_key_stands_as_it_does_at_present
            filter::a_list_follows_what_changes
            filter::a_list_holds_what_its_filter_lets_through

            audit::a_line_comes_back_as_it_was_written
            audit::positions_rise
            audit::lines_can_be_read_by_key_and_tenant
            audit::lines_can_be_read_by_owner
            audit::the_log_can_be_read_from_either_end
            audit::reading_goes_on_where_it_stopped
            audit::no_line_appears_before_one_already_read

            touch::a_use_shows
            touch::a_last_use_never_moves_back
            touch::unknown_keys_are_passed_over
            touch::a_batch_may_be_large
            touch::a_use_changes_nothing_else
            touch::a_change_leaves_the_last_use
            touch::batches_do_not_block_each_other

            feed::a_follower_starts_at_the_origin
            feed::a_cursor_of_another_history_is_told_so
            feed::a_new_key_is_told
            feed::a_changed_key_is_told
            feed::a_changed_standing_is_told
            feed::every_row_of_a_change_is_told
            feed::what_did_not_happen_is_not_told
            feed::every_change_is_told_once
            feed::no_change_is_missed_among_many
            feed::a_change_whose_caller_has_gone_is_whole

            load::a_load_says_what_finding_says
            load::a_load_sees_what_was_written_before_it
            load::a_load_is_as_new_as_an_earlier_poll
            load::a_load_is_not_ahead_of_the_history
            load::a_load_is_of_the_history_that_polls_tell_of
            load::a_load_includes_all_up_to_its_number

            register::a_beat_makes_a_row
            register::beats_go_on_in_one_row
            register::a_beat_never_returns
            register::what_was_applied_is_kept_and_is_no_beat
            register::a_strike_with_an_older_beat_does_nothing
            register::a_struck_node_begins_anew
            register::one_of_a_beat_and_a_strike_comes_first
            register::every_node_is_listed
        }
    };
    ($fresh:expr $(,)?) => {
        $crate::contract_tests!(guarded($fresh, ()));
    };
}

/// Makes a test of every law for stores that give hints. [`contract_tests!`](crate::contract_tests)
/// has the rest.
#[macro_export]
macro_rules! hint_contract_tests {
    (guarded $fresh:expr $(,)?) => {
        $crate::laws! { $fresh =>
            feed::a_hint_wakes_after_a_commit
        }
    };
    ($fresh:expr $(,)?) => {
        $crate::hint_contract_tests!(guarded($fresh, ()));
    };
}

/// Makes a test of every law about the verifier over the store, on top of
/// [`contract_tests!`](crate::contract_tests).
///
/// They take some seconds of real time, and run several nodes over the store that the argument
/// gives; its clock and this machine's must agree to a fraction of a second.
#[macro_export]
macro_rules! verifier_contract_tests {
    (guarded $fresh:expr $(,)?) => {
        $crate::laws! { $fresh =>
            life::an_issued_key_is_accepted
            life::what_is_issued_is_what_is_kept
            life::a_wrong_secret_is_refused
            life::a_revoked_key_is_refused_at_once
            life::a_suspended_tenants_keys_are_refused
            life::a_suspended_owners_keys_are_refused
            life::a_key_without_entitlement_is_told_so
            life::a_ceiling_narrows_what_a_key_may_do
            life::a_key_is_accepted_once_it_exists
            life::a_key_expires
            life::a_use_shows_within_seconds
            life::a_use_is_not_lost_at_shutdown
            life::a_key_moves_to_the_current_pepper

            import::an_imported_key_is_accepted
            import::an_imported_key_moves_to_the_present_hash
            import::sixteen_of_a_hundred_keys_share_a_beginning

            coherence::a_load_in_flight_does_not_outlive_a_revocation
            coherence::a_load_in_flight_does_not_hide_a_new_key
            coherence::nobody_who_starts_after_a_revocation_gets_through
            coherence::another_node_hears_of_changes
            coherence::another_node_needs_no_hint
            coherence::a_lagging_replica_lets_no_revoked_key_through
            coherence::a_replica_is_not_believed_without_news
            coherence::a_node_that_is_cut_off_stops_accepting
            coherence::a_revocation_of_unknown_outcome_takes_hold
            coherence::a_revocation_is_not_undone_by_a_move

            receipt::a_receipt_names_every_node
            receipt::after_a_receipt_no_node_accepts
            receipt::a_node_that_left_is_not_waited_for
            receipt::a_node_that_crashed_is_waited_for_no_longer_than_its_lease
            receipt::a_node_whose_lease_is_over_is_not_waited_for
            receipt::a_node_that_hears_nothing_is_waited_for

            outage::a_failing_store_makes_no_key_bad
            outage::known_keys_outlast_failing_loads
            outage::a_thousand_misses_make_one_load
            outage::what_is_known_is_asked_for_once
            outage::whoever_gives_up_harms_nobody
            outage::whoever_fails_harms_nobody
            outage::look_ups_are_bounded
        }
    };
    ($fresh:expr $(,)?) => {
        $crate::verifier_contract_tests!(guarded($fresh, ()));
    };
}

/// Makes a test of every law about the management of keys through the service, on top of
/// [`verifier_contract_tests!`](crate::verifier_contract_tests).
///
/// They take some seconds of real time.
#[macro_export]
macro_rules! lifecycle_contract_tests {
    (guarded $fresh:expr $(,)?) => {
        $crate::laws! { $fresh =>
            issuing::all_that_is_said_of_a_key_is_kept
            issuing::a_tenants_cap_holds_however_many_ask
            issuing::an_owners_cap_holds_however_many_ask
            issuing::a_token_issues_one_key
            issuing::what_cannot_be_is_named

            rotation::a_rotated_key_is_replaced_at_once
            rotation::an_overlap_ends
            rotation::an_overlap_does_not_outlive_the_old_key
            rotation::what_is_not_good_is_not_rotated
            rotation::a_rotation_is_undone
            rotation::both_halves_are_revoked
            rotation::at_most_two_of_a_line_are_good
            rotation::one_of_many_rotations_wins
            rotation::a_rotation_does_not_escape_a_revocation
            rotation::a_rotation_needs_no_room
            rotation::a_rotation_is_told_under_both_names
            rotation::late_uses_are_told_once

            keeping::a_suspended_key_is_refused_until_it_is_resumed
            keeping::what_is_over_stays_so
            keeping::an_update_is_heeded_at_once
            keeping::a_change_is_told_before_and_after
            keeping::a_bulk_revocation_revokes_what_it_says
            keeping::a_bulk_revocation_leaves_none
            keeping::a_purge_deletes_what_is_long_over
            keeping::a_resumed_key_is_not_purged
            keeping::reports_find_what_they_say

            acting::what_an_actor_issues_is_theirs
            acting::a_foreign_key_is_not_there
            acting::what_is_listed_is_cut_to_the_actor
            acting::refused_mints_are_told
            acting::a_standing_reaches_cached_principals

            giving::nobody_gives_what_they_lack
            giving::a_key_manages_keys_within_its_own_bounds
            giving::scopes_follow_the_rule
            giving::a_key_that_changes_gives_no_more_than_before_or_after
            giving::a_key_gives_no_other_networks_than_its_own

            events::every_event_is_heard
            events::an_end_is_told_of_before

            model::keys_live_as_the_model_says
            model::keys_live_as_the_model_says_in_any_order
            model::keys_with_inherited_scopes_live_as_the_model_says
            model::keys_with_fixed_scopes_live_as_the_model_says
            model::keys_without_owner_live_as_the_model_says
            model::keys_that_manage_none_live_as_the_model_says
        }
    };
    ($fresh:expr $(,)?) => {
        $crate::lifecycle_contract_tests!(guarded($fresh, ()));
    };
}

/// Not for use outside this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! laws {
    ($fresh:expr => $($about:ident::$law:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $law() {
            let (store, guard) = $fresh;
            $crate::contract::$about::$law(store).await;
            drop(guard);
        }
    )*};
}
