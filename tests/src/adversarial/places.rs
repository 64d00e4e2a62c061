//! Where the cases are tested that the runner leaves to others.

/// The tests of one case.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The case's name.
    pub case: &'static str,
    /// The file, from the root of the workspace.
    pub file: &'static str,
    /// The functions in it.
    pub tests: &'static [&'static str],
}

/// Where the case of this name is tested.
#[must_use]
pub fn of(case: &str) -> Option<&'static Place> {
    ALL.iter().find(|place| place.case == case)
}

const fn at(case: &'static str, file: &'static str, tests: &'static [&'static str]) -> Place {
    Place { case, file, tests }
}

/// All that are known, in the order of the cases.
pub const ALL: &[Place] = &[
    at("parse-10mb", IN_WORDS, &["parse_10mb"]),
    at("gen-unique", IN_WORDS, &["gen_unique"]),
    at("gen-roundtrip", IN_WORDS, &["gen_roundtrip"]),
    at("debug-redaction", IN_WORDS, &["debug_redaction"]),
    at("expires-infinity-pg", IN_WORDS, &["expires_infinity_pg"]),
    at("cached-then-expires", IN_WORDS, &["cached_then_expires"]),
    at("clock-steps-back-1h", IN_WORDS, &["clock_steps_back_1h"]),
    at("timezone", IN_WORDS, &["timezone"]),
    at("db-down-miss", OUTAGES, &["db_down_miss"]),
    at("db-timeout-miss", OUTAGES, &["db_timeout_miss"]),
    at("db-down-hit", OUTAGES, &["db_down_hit"]),
    at("db-down-lease-over", OUTAGES, &["db_down_lease_over"]),
    at(
        "db-error-row",
        "crates/keyward-postgres/tests/it/corrupt.rs",
        &[
            "a_digest_of_another_length_is_not_accepted",
            "an_unknown_kind_of_hash_is_not_accepted",
            "a_key_without_tenant_is_not_accepted",
        ],
    ),
    at(
        "pool-exhausted",
        "crates/keyward-postgres/tests/it/pool.rs",
        &["an_exhausted_pool_is_no_answer_within_the_limit_and_harms_nothing_else"],
    ),
    at("stampede", FLIGHTS, &["stampede"]),
    at("stampede-abort", FLIGHTS, &["stampede_abort"]),
    at("random-flood", FLOODS, &["random_flood"]),
    at("random-flood-bad-crc", FLOODS, &["random_flood_bad_crc"]),
    at("create-after-miss", NEW_KEYS, &["create_after_miss"]),
    at("stale-fill", FLIGHTS, &["stale_fill"]),
    at("late-joiner", FLIGHTS, &["late_joiner"]),
    at(
        "notify-lost",
        "crates/keyward-postgres/tests/it/psql.rs",
        &["a_lost_notification_costs_a_poll_interval"],
    ),
    at(
        "listen-half-open",
        "crates/keyward-postgres/tests/it/network.rs",
        &["a_half_open_link_is_refused_on_within_a_lease_and_heals"],
    ),
    at(
        "listener-killed",
        "crates/keyward-postgres/tests/it/network.rs",
        &["a_listener_that_was_killed_hears_again"],
    ),
    at(
        "pgbouncer-transaction",
        "crates/keyward-postgres/tests/it/pgbouncer.rs",
        &["news_behind_transaction_pooling_are_refused"],
    ),
    at(
        "out-of-order-commit",
        "crates/keyward-postgres/tests/it/transactions.rs",
        &["a_change_that_commits_late_is_seen"],
    ),
    at(
        "failover-lost-tail",
        "crates/keyward-postgres/tests/it/server/failover.rs",
        &["changes_that_reuse_the_numbers_of_a_lost_tail_are_seen"],
    ),
    at(
        "replica-read",
        "crates/keyward-postgres/tests/it/server/replica.rs",
        &["a_revoked_key_does_not_come_back_from_a_replica_that_lags"],
    ),
    at(
        "long-open-transaction",
        "crates/keyward-postgres/tests/it/transactions.rs",
        &["a_transaction_that_is_left_open_delays_nobody"],
    ),
    at(
        "repeatable-read-poller",
        "crates/keyward-postgres/tests/it/ready.rs",
        &["polls_with_a_frozen_snapshot_are_refused"],
    ),
    at("node-paused", CLOCKS, &["node_paused"]),
    at("vm-suspended", CLOCKS, &["vm_suspended"]),
    at("wall-clock-jump", CLOCKS, &["wall_clock_jump"]),
    at(
        "two-processes",
        PROCESSES,
        &["a_thousand_revocations_are_heeded_by_three_processes"],
    ),
    at(
        "partition-10s",
        PROCESSES,
        &["a_node_whose_link_is_frozen_stops_accepting_and_comes_back"],
    ),
    at(
        "psql-revoke",
        "crates/keyward-postgres/tests/it/psql.rs",
        &["a_key_that_is_revoked_in_psql_is_refused"],
    ),
    at(
        "bulk-revoke-20000",
        "crates/keyward-postgres/tests/it/bulk.rs",
        &["twenty_thousand_keys_are_revoked_by_one_statement"],
    ),
    at(
        "last-used-storm",
        "crates/keyward-postgres/tests/it/uses.rs",
        &["a_storm_of_uses_touches_no_key_and_tells_nobody"],
    ),
    at("panic-in-store", FLIGHTS, &["panic_in_store"]),
    at(
        "principal-from-outside",
        LAYERS,
        &["principal_from_outside"],
    ),
    at("layer-missing", LAYERS, &["layer_missing"]),
    at(
        "xff-rotate",
        FAILURES,
        &["another_forwarded_for_each_time_does_not_help"],
    ),
    at(
        "xff-flood-evict",
        LIMITS,
        &["nobodys_count_is_dropped_for_want_of_room"],
    ),
    at(
        "concurrent-check-then-act",
        LIMITS,
        &["of_two_hundred_at_once_ten_pass"],
    ),
    at("u64-wrap", LIMITS, &["the_largest_limits_hold"]),
    at("huge-window", LIMITS, &["the_largest_limits_hold"]),
    at(
        "429-headers",
        ANSWERS,
        &[
            "a_refusal_says_when_to_come_back",
            "retry_after_is_not_before_the_reset",
        ],
    ),
    at(
        "401-does-not-burn-quota",
        LIMITS,
        &["only_what_passes_the_layers_around_is_counted"],
    ),
    at(
        "revoked-key-limit",
        LIMITS,
        &["only_good_keys_are_told_of_limits"],
    ),
    at(
        "limit-vs-401-oracle",
        LIMITS,
        &["only_good_keys_are_told_of_limits"],
    ),
    at("sf-format", ANSWERS, &["a_refusal_says_when_to_come_back"]),
    at("list-own", ADMIN, &["list_own"]),
    at("create-own", ADMIN, &["create_own"]),
    at(
        "create-unauthenticated-with-user-id",
        ADMIN,
        &["create_unauthenticated_with_user_id"],
    ),
    at("create-tenant-in-body", ADMIN, &["create_tenant_in_body"]),
    at(
        "create-tenant-in-header",
        ADMIN,
        &["create_tenant_in_header"],
    ),
    at("create-more-scopes", ADMIN, &["create_more_scopes"]),
    at("create-empty-scopes", ADMIN, &["create_empty_scopes"]),
    at("create-null-scopes", ADMIN, &["create_null_scopes"]),
    at(
        "create-expiry-longer-than-own",
        ADMIN,
        &["create_expiry_longer_than_own"],
    ),
    at(
        "create-limits-higher-than-own",
        ADMIN,
        &["create_limits_higher_than_own"],
    ),
    at("create-server-fields", ADMIN, &["create_server_fields"]),
    at("update-scopes-up", ADMIN, &["update_scopes_up"]),
    at("update-own-key-self", ADMIN, &["update_own_key_self"]),
    at("get-foreign", ADMIN, &["get_foreign"]),
    at("revoke-foreign", ADMIN, &["revoke_foreign"]),
    at("delete-foreign", ADMIN, &["delete_foreign"]),
    at("rotate-foreign", ADMIN, &["rotate_foreign"]),
    at("patch-foreign", ADMIN, &["patch_foreign"]),
    at("list-foreign-cursor", ADMIN, &["list_foreign_cursor"]),
    at("list-filter-injection", ADMIN, &["list_filter_injection"]),
    at("list-limit-0", ADMIN, &["list_limit_0"]),
    at("list-limit-neg", ADMIN, &["list_limit_neg"]),
    at("list-limit-huge", ADMIN, &["list_limit_huge"]),
    at("id-not-uuid", ADMIN, &["id_not_uuid"]),
    at("id-nul", ADMIN, &["id_nul"]),
    at("id-traversal", ADMIN, &["id_traversal"]),
    at("id-long", ADMIN, &["id_long"]),
    at("name-script", PAGE, &["name_script"]),
    at("name-attr-breakout", PAGE, &["name_attr_breakout"]),
    at("name-template", PAGE, &["name_template"]),
    at("name-rtl", ADMIN, &["name_rtl"]),
    at("name-zero-width", ADMIN, &["name_zero_width"]),
    at("name-nul", ADMIN, &["name_nul"]),
    at("name-ansi", ADMIN, &["name_ansi"]),
    at("name-empty", ADMIN, &["name_empty"]),
    at("name-256", ADMIN, &["name_256"]),
    at("name-1mb", ADMIN, &["name_1mb"]),
    at("name-secret", ADMIN, &["name_secret"]),
    at("json-dup-keys", ADMIN, &["json_dup_keys"]),
    at("json-deep", ADMIN, &["json_deep"]),
    at("json-number-overflow", ADMIN, &["json_number_overflow"]),
    at("json-window-zero", ADMIN, &["json_window_zero"]),
    at("json-float", ADMIN, &["json_float"]),
    at("wrong-content-type", ADMIN, &["wrong_content_type"]),
    at("form-content-type", PAGE, &["form_content_type"]),
    at("csrf-get-revoke", PAGE, &["csrf_get_revoke"]),
    at("settings-headers", PAGE, &["settings_headers"]),
    at("secret-in-redirect", PAGE, &["secret_in_redirect"]),
    at("idempotency-replay", ADMIN, &["idempotency_replay"]),
    at(
        "revoke-client-disconnect",
        ADMIN_FAILURES,
        &["revoke_client_disconnect"],
    ),
    at("revoke-db-down", ADMIN_FAILURES, &["revoke_db_down"]),
    at(
        "revoke-commit-unknown",
        ADMIN_FAILURES,
        &["revoke_commit_unknown"],
    ),
    at("tenant-delete", ADMIN, &["tenant_delete"]),
    at("rotate-concurrent", ADMIN, &["rotate_concurrent"]),
    at("introspect-foreign", ADMIN, &["introspect_foreign"]),
    at("error-body-secret", ADMIN, &["error_body_secret"]),
    at(
        "http-plaintext",
        "crates/keyward-limits/tests/it/guards.rs",
        &["a_key_must_not_come_in_the_clear"],
    ),
];

const IN_WORDS: &str = "tests/tests/adversarial_in_words.rs";
const PROCESSES: &str = "tests/tests/processes.rs";
const OUTAGES: &str = "tests/tests/adversarial_faults/outages.rs";
const FLIGHTS: &str = "tests/tests/adversarial_faults/flights.rs";
const FLOODS: &str = "tests/tests/adversarial_faults/floods.rs";
const NEW_KEYS: &str = "tests/tests/adversarial_faults/new_keys.rs";
const CLOCKS: &str = "tests/tests/adversarial_faults/clocks.rs";
const LIMITS: &str = "crates/keyward-limits/tests/it/limits.rs";
const ANSWERS: &str = "crates/keyward-limits/tests/it/answers.rs";
const FAILURES: &str = "crates/keyward-limits/tests/it/failures.rs";
const LAYERS: &str = "tests/tests/adversarial_faults/layers.rs";
const ADMIN: &str = "crates/keyward-admin/tests/it/cases.rs";
const ADMIN_FAILURES: &str = "crates/keyward-admin/tests/it/failures.rs";
const PAGE: &str = "crates/keyward-page/tests/it/adversarial.rs";
