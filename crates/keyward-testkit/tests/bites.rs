//! The contract catches stores that break it: each of these has one flaw, of a kind that has been
//! seen in the field.

mod flawed;

use keyward_testkit::contract::{
    audit, cap, coherence, commit, delete, feed, filter, find, foreign, life, list, load, mixed,
    race, receipt, register, token, unique,
};

use flawed::{Flaw, Flawed};

/// Runs a law that must not hold.
async fn caught(law: impl Future<Output = ()> + Send + 'static) {
    let outcome = tokio::spawn(law).await;
    assert!(
        outcome.is_err_and(|error| error.is_panic()),
        "the law holds for a store that breaks it"
    );
}

macro_rules! caught {
    ($($name:ident: $flaw:ident by $($about:ident::$law:ident)+;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $(caught($about::$law(Flawed::new(Flaw::$flaw))).await;)+
        }
    )*};
}

caught! {
    checking_first_and_writing_later: ChecksFirst by
        race::one_of_a_hundred_writers_wins
        race::a_cap_holds_under_two_hundred_writers
        race::one_of_fifty_first_standings_is_set;
    writing_row_by_row: RowByRow by
        commit::nothing_of_a_change_with_a_bad_row_is_written
        unique::the_keys_of_one_change_must_not_clash
        mixed::changes_of_all_sorts_do_what_they_say;
    keeping_milliseconds: Milliseconds by
        find::every_field_comes_back_as_it_was_written;
    judging_what_is_found: HidesRevoked by
        find::keys_that_are_refused_are_found_too;
    sorting_as_people_do: SortsAsPeopleDo by
        list::the_newest_key_comes_first;
    reading_the_number_last: NumberLast by
        load::a_load_includes_all_up_to_its_number;
    taking_any_cursor: AnyCursor by
        feed::a_cursor_of_another_history_is_told_so;
    telling_twice: TellsTwice by
        feed::every_change_is_told_once
        feed::no_change_is_missed_among_many;
    forgetting_standings: ForgetsStandings by
        feed::a_changed_standing_is_told
        feed::every_row_of_a_change_is_told
        life::a_suspended_tenants_keys_are_refused;
    forgetting_everything: ForgetsEverything by
        feed::a_new_key_is_told
        life::a_revoked_key_is_refused_at_once
        life::a_key_is_accepted_once_it_exists
        coherence::a_load_in_flight_does_not_outlive_a_revocation
        coherence::nobody_who_starts_after_a_revocation_gets_through
        receipt::after_a_receipt_no_node_accepts;
    striking_blindly: StrikesBlindly by
        register::a_strike_with_an_older_beat_does_nothing
        register::one_of_a_beat_and_a_strike_comes_first;
    saying_nothing_of_the_row: OneRowForEver by
        register::a_beat_makes_a_row
        register::a_struck_node_begins_anew
        register::one_of_a_beat_and_a_strike_comes_first;
    counting_any_word_for_a_beat: CountsAnyWord by
        register::what_was_applied_is_kept_and_is_no_beat;
    forgetting_tags: ForgetsTags by
        find::every_field_comes_back_as_it_was_written
        find::every_field_is_replaced
        filter::a_list_can_be_asked_for_by_each_field
        filter::a_list_follows_what_changes
        filter::a_list_holds_what_its_filter_lets_through
        cap::a_cap_counts_what_its_filter_lets_through;
    knowing_only_the_present: KnowsOnlyThePresent by
        filter::a_key_stands_as_it_does_at_the_moment_asked_for
        filter::a_key_stands_as_it_does_at_present
        filter::a_list_holds_what_its_filter_lets_through;
    taking_in_the_bound: TakesInTheBound by
        filter::a_list_can_be_asked_for_by_each_field
        filter::a_list_holds_what_its_filter_lets_through;
    waiting_for_the_end_of_no_overlap: WaitsForTheEndOfNoOverlap by
        filter::a_key_stands_as_it_does_at_the_moment_asked_for
        filter::a_list_holds_what_its_filter_lets_through
        cap::a_cap_on_usable_keys_passes_over_the_others;
    keeping_tokens_for_ever: TokensForEver by
        token::a_token_whose_time_is_over_is_free
        mixed::changes_of_all_sorts_do_what_they_say;
    knowing_one_scope: OneScope by
        token::another_scope_or_text_is_another_token;
    looking_for_tokens_first: LooksForTokensFirst by
        token::one_of_fifty_equal_tokens_wins
        token::tokens_in_any_order_do_not_block_each_other;
    keeping_tokens_of_refusals: KeepsTokensOfRefusals by
        token::a_token_of_a_refused_change_is_not_kept
        token::a_refused_change_leaves_the_token_that_was_there
        mixed::changes_of_all_sorts_do_what_they_say;
    revoking_the_deleted: RevokesTheDeleted by
        delete::a_deleted_key_is_not_found
        delete::what_a_deleted_key_had_is_free
        delete::one_of_fifty_deletions_is_made
        mixed::changes_of_all_sorts_do_what_they_say;
    leaving_last_uses: LeavesLastUses by
        delete::the_last_use_of_a_deleted_key_is_gone;
    forgetting_deletions: ForgetsDeletions by
        delete::a_deletion_is_told;
    finding_the_newest: FindsTheNewest by
        foreign::only_the_oldest_of_one_beginning_are_found;
    taking_any_prefix: TakesAnyPrefix by
        foreign::a_key_is_found_by_its_beginning;
    reading_the_oldest_first: OldestFirst by
        audit::the_log_can_be_read_from_either_end
        audit::lines_can_be_read_by_owner;
    auditing_no_owner: AuditsNoOwner by
        audit::a_line_comes_back_as_it_was_written
        audit::lines_can_be_read_by_owner;
}
