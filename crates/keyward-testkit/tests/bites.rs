//! The contract catches stores that break it: each of these has one flaw, of a kind that has been
//! seen in the field.

mod flawed;

use keyward_testkit::contract::{
    coherence, commit, feed, find, life, list, load, race, receipt, register, unique,
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
        unique::the_keys_of_one_change_must_not_clash;
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
}
