use std::borrow::Cow;

use super::define::messages;

messages! {
    /// The language, as HTML's attribute `lang` has it.
    lang = "en",
    /// The direction of writing: `ltr` or `rtl`.
    dir = "ltr",

    /// The title and heading of the page.
    title = "API keys",
    /// What keys are for.
    intro = "Keys let your programs act in your name. Treat them like passwords.",
    /// The link past everything that repeats.
    skip = "Skip to the content",
    /// Leads back to the list.
    all_keys = "All API keys",
    /// Leads to the form for a new key.
    create = "Create key",
    /// Leaves a form or a question.
    cancel = "Cancel",

    /// Heading of the empty list.
    empty_title = "No API keys yet",
    /// What to do about it.
    empty_text = "Create one to let a program use the API.",
    /// The same, to someone who may not.
    empty_read_only = "When somebody in your team creates a key, it is listed here.",
    /// Leads to keys that are over.
    show_over = "Show keys that were revoked or replaced",
    /// Heading where the filters let nothing through.
    no_match_title = "No key fits",
    /// What to do about it.
    no_match_text = "Try other filters, or fewer.",
    /// Where the search stopped before the last key.
    searched = "The newest {n} keys were searched.",
    /// Shows what comes after that.
    search_on = "Search older keys",
    /// To someone who may change nothing.
    read_only_notice = "You can look at these keys. Your role does not let you create or change them.",
    /// To someone whose plan or standing lets them create none.
    no_new_notice = "No keys can be created now: your plan does not include API keys, or the account is suspended.",

    /// The name of the filters, for those who listen to the page.
    filters = "Filters",
    /// The label of the search.
    search = "Search",
    /// What can be searched for.
    search_hint = "Name, prefix, scope or tag",
    /// The column, filter and label.
    status = "Status",
    /// Every status but revoked and retired.
    status_current = "Current",
    /// Every status.
    status_all = "All",
    /// A key that works.
    status_active = "Active",
    /// A key in overlap with the one that replaces it.
    status_retiring = "Retiring",
    /// A key that is suspended.
    status_suspended = "Suspended",
    /// A key that has expired.
    status_expired = "Expired",
    /// A key whose overlap is over.
    status_retired = "Retired",
    /// A key that was revoked.
    status_revoked = "Revoked",
    /// The filter and label.
    environment = "Environment",
    /// No environment in particular.
    environment_any = "Any",
    /// The filter by owner.
    whose = "Whose",
    /// One's own keys.
    whose_own = "Mine",
    /// Everybody's keys.
    whose_all = "Everyone’s",
    /// The filter by use.
    unused_filter = "Unused",
    /// Does not filter by use.
    unused_any = "Show all",
    /// Keys that were not used for so many days.
    unused_only = "Only unused for {n} days",
    /// Applies the filters.
    apply = "Apply",
    /// Takes the filters away.
    clear = "Clear",

    /// A column and a label.
    name = "Name",
    /// A column and a label.
    scopes = "Scopes",
    /// A key that may do nothing.
    scopes_none = "None",
    /// How many scopes are not shown.
    scopes_more = "{n} more",
    /// A column and a label.
    created = "Created",
    /// Stands before who it was.
    by = "by",
    /// A column and a label.
    last_used = "Last used",
    /// A key that was never used.
    never_used = "Never",
    /// A column and a label.
    expires = "Expires",
    /// A key that does not expire.
    never_expires = "Never",
    /// The column of what can be done.
    actions = "Actions",
    /// A key that nobody has used for so many days.
    unused = "Unused for {n} days",
    /// What to do about it.
    unused_text = "Nobody has used this key for {n} days. If it is not needed, revoke it.",
    /// The next page.
    older = "Older keys",
    /// The first page.
    newest = "Newest keys",
    /// The name of the links between pages, for those who listen to the page.
    pages = "Pages",

    /// Heading of the form for a new key.
    create_title = "Create an API key",
    /// What a name is good for.
    name_hint = "Where it is used, for instance “CI” or “Laptop of Ada”.",
    /// The label of the expiries.
    expiry = "Expires after",
    /// So many days.
    for_days = "{n} days",
    /// One day.
    for_day = "1 day",
    /// So many hours.
    for_hours = "{n} hours",
    /// One hour.
    for_hour = "1 hour",
    /// So many minutes.
    for_minutes = "{n} minutes",
    /// One year.
    for_year = "1 year",
    /// So many years.
    for_years = "{n} years",
    /// Without an end.
    for_ever = "Never",
    /// The label of what a key may do.
    access = "What it may do",
    /// The scopes that only read.
    access_read = "Read only",
    /// All scopes that its maker holds.
    access_all = "Everything you may do",
    /// Scopes one by one.
    access_chosen = "Only what you choose",
    /// Where the policy fixes the scopes.
    access_fixed = "The key may do what your role may do:",
    /// Where its maker holds no scope.
    access_none = "Your role has no scopes, so the key will have none.",
    /// Makes the key.
    create_now = "Create key",

    /// Heading of the page that shows a secret.
    reveal_title = "Save your key now",
    /// The same, after a rotation.
    reveal_rotated_title = "Save the new key now",
    /// Why.
    reveal_text = "This is the only time that it is shown. We keep no copy.",
    /// After a rotation with an overlap; stands before the time.
    reveal_overlap = "The old key works until",
    /// After a rotation without one.
    reveal_no_overlap = "The old key does not work any more.",
    /// The label of the secret.
    secret = "Your key",
    /// Copies it.
    copy = "Copy",
    /// It was copied.
    copied = "Copied",
    /// It could not be copied.
    copy_failed = "Select it and copy it yourself",
    /// The label of the curl line.
    try_it = "Try it",
    /// Leads on.
    saved = "I have saved it",

    /// Asks for a rotation.
    rotate = "Rotate",
    /// Heading of the question.
    rotate_title = "Rotate this key?",
    /// What will happen.
    rotate_text = "A new key with the same name and rights takes its place.",
    /// The label of the overlaps.
    overlap = "The old key works for another",
    /// Without an overlap.
    overlap_none = "No time: it ends at once",
    /// Does it.
    rotate_now = "Rotate key",
    /// Asks for undoing a rotation.
    undo = "Undo rotation",
    /// Heading of the question.
    undo_title = "Undo this rotation?",
    /// What will happen.
    undo_text = "This key stays. The new one is revoked: programs that use it already are refused.",
    /// Asks for a revocation.
    revoke = "Revoke",
    /// Heading of the question.
    revoke_title = "Revoke this key?",
    /// What will happen.
    revoke_text = "Requests with it are refused at once, and for good. This cannot be undone.",
    /// Where the key is in overlap with another.
    revoke_both = "The key is being rotated: the old and the new one are revoked together.",
    /// Leaves the other.
    revoke_only = "Revoke only this one",
    /// Does it.
    revoke_now = "Revoke key",
    /// Suspends a key.
    suspend = "Suspend",
    /// Ends the suspension.
    resume = "Resume",

    /// It is done.
    done_revoked = "The key was revoked.",
    /// It is done.
    done_suspended = "The key was suspended. It is refused until it is resumed.",
    /// It is done.
    done_resumed = "The key was resumed.",
    /// It is done.
    done_undone = "The rotation was undone. The old key stays, the new one was revoked.",

    /// Heading of what is known of a key.
    details = "Details",
    /// A label.
    id = "Id",
    /// A label.
    owner = "Owner",
    /// A label.
    description = "Description",
    /// A label.
    tags = "Tags",
    /// A label.
    networks = "Networks",
    /// A label.
    limits = "Limits",
    /// A limit: so many requests in that time.
    limit = "{n} requests in",
    /// A label.
    replaces = "Replaces",
    /// A label.
    replaced_by = "Replaced by",
    /// A label: the end of an overlap.
    works_until = "Works until",
    /// The key before or after this one.
    that_key = "another key",

    /// Heading of the audit log.
    history = "History",
    /// There is nothing in it.
    history_empty = "Nothing is written down about this key.",
    /// What was done by the operator or by the service itself.
    by_service = "the service",
    /// A value that was not there.
    nothing = "nothing",
    /// In the audit log.
    did_issue = "Created",
    /// In the audit log.
    did_import = "Imported",
    /// In the audit log.
    did_update = "Changed",
    /// In the audit log.
    did_rotate = "Rotated",
    /// In the audit log.
    did_undo = "Rotation undone",
    /// In the audit log.
    did_suspend = "Suspended",
    /// In the audit log.
    did_resume = "Resumed",
    /// In the audit log.
    did_revoke = "Revoked",
    /// In the audit log.
    did_purge = "Deleted",
    /// In the audit log.
    did_rehash = "Kept in a newer way",
    /// In the audit log.
    did_refuse = "Refused",
    /// In the audit log.
    did_use_late = "Used shortly before its end",
    /// In the audit log.
    did_use_retired = "Used after it was replaced",
    /// In the audit log.
    did_near_end = "Expires soon",
    /// In the audit log.
    did_other = "Changed",

    /// Heading of every failure.
    failed_title = "That did not work",
    /// There is no such key.
    not_found = "There is no such key, or you may not see it.",
    /// There is no such page.
    no_page = "There is no such page.",
    /// The role does not allow it.
    forbidden = "You may not do this.",
    /// The request came from another site.
    other_site = "This request came from another site and was not carried out. Open this page itself and try again.",
    /// The method is wrong.
    wrong_method = "That is not done this way.",
    /// The form is none.
    bad_form = "The form could not be read.",
    /// The form is too large.
    too_large = "The form is too large.",
    /// The form was made long ago.
    old_form = "This form is too old. Nothing was created; please fill it in again.",
    /// The form was sent twice.
    already_made = "This key was created already. Its secret was shown then, once, and is kept nowhere. If you did not save it, rotate or revoke the key.",
    /// The key was rotated twice.
    already_rotated = "This key was rotated already. The secret of the new one was shown then, once.",
    /// The key has come to an end.
    wrong_status = "The key stands otherwise by now, so this cannot be done.",
    /// There is no rotation to undo.
    nothing_to_undo = "There is no rotation that could be undone.",
    /// There are too many keys.
    too_many = "There are {n} keys already, which is the most.",
    /// The name cannot be.
    bad_name = "A name has 1 to 100 visible characters.",
    /// The name is a key.
    name_is_key = "This looks like a key. It would be visible to others; give it another name.",
    /// A choice is none of those that were offered.
    bad_choice = "Please choose one of what is offered.",
    /// Something else about the key cannot be.
    bad_other = "The key cannot be like that.",
    /// The store cannot answer.
    unavailable = "The keys cannot be reached now. Nothing was changed; please try again.",
    /// Nobody knows whether the store did it.
    unknown_outcome = "The connection broke meanwhile. Look at the list before you try again: it may have been done.",
    /// The service is not set up for it.
    internal = "Something is wrong with this service.",
    /// Leads to the key.
    to_key = "Show the key",

    /// Less than a minute ago, or from now.
    now = "just now",
    /// A time past.
    minute_ago = "1 minute ago",
    /// A time past.
    minutes_ago = "{n} minutes ago",
    /// A time past.
    hour_ago = "1 hour ago",
    /// A time past.
    hours_ago = "{n} hours ago",
    /// A time past.
    day_ago = "1 day ago",
    /// A time past.
    days_ago = "{n} days ago",
    /// A time past.
    months_ago = "{n} months ago",
    /// A time past.
    year_ago = "1 year ago",
    /// A time past.
    years_ago = "{n} years ago",
    /// A time to come.
    soon = "in less than a minute",
    /// A time to come.
    in_minute = "in 1 minute",
    /// A time to come.
    in_minutes = "in {n} minutes",
    /// A time to come.
    in_hour = "in 1 hour",
    /// A time to come.
    in_hours = "in {n} hours",
    /// A time to come.
    in_day = "in 1 day",
    /// A time to come.
    in_days = "in {n} days",
    /// A time to come.
    in_months = "in {n} months",
    /// A time to come.
    in_year = "in 1 year",
    /// A time to come.
    in_years = "in {n} years",
}
