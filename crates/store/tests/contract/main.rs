//! The contract that every store keeps, whichever database is behind it. A test is a generic function over the
//! [`harness::Home`] of a database; the list below names it once, and a function that the list forgets is dead code,
//! which the compiler reports.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail in any of its helpers")]

mod access;
mod account;
mod app_calls;
mod attachment;
mod attempt;
mod attribute;
mod audit;
mod begun;
mod cancel;
mod churn;
mod confirmation;
mod dead_letter;
mod delivery;
mod equal;
mod explain;
mod fan_out;
mod filter;
mod glance;
mod harness;
mod health;
mod idempotency;
mod lane;
mod lane_index;
mod logtank;
mod message;
mod migrate_beside;
mod name;
mod office;
mod office_callback;
mod office_merge;
mod office_missed;
mod office_token;
mod open;
mod opened;
mod overflow;
mod person;
mod plans;
#[expect(dead_code, reason = "it is shared with other tests")]
mod postgres;
mod purge;
mod resend;
mod retention;
mod rotation;
mod session;
mod shard;
mod signing;
mod subscription;
mod subscription_user;
mod tag;
mod tally;
mod template;
mod topic;
mod topic_messages;
mod traces;

macro_rules! tests {
    ($home:ty; $($noun:ident: $($test:ident)+;)+) => {
        $(mod $noun {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                Box::pin(crate::$noun::$test::<$home>()).await;
            })+
        })+
    };
}

macro_rules! contract {
    ($store:ident, $home:ty) => {
        mod $store {
            tests! { $home;
                account:
                    install_happens_once
                    many_at_once_install_once
                    an_installation_is_found_by_each_of_its_names
                    a_preset_token_has_no_end
                    a_token_ends_at_its_millisecond
                    adding_a_token_forgets_those_that_ended
                    a_token_is_added_once_and_for_what_is_there
                    neither_secret_nor_token_is_readable_at_rest
                    secrets_open_again_after_a_restart;
                office_callback:
                    what_proves_events_is_sealed_and_goes_for_good
                    a_change_is_read_once_a_minute_later
                    a_chat_is_called_what_it_was_renamed_to;
                office_missed:
                    who_is_gone_and_still_named_is_told_once
                    a_department_whose_people_were_named_before_is_not_empty;
                app_calls:
                    calls_add_up_by_app_and_month
                    a_limit_holds_back_what_is_not_urgent
                    what_holds_a_delivery_back_is_told
                    a_connection_tells_whom_it_is_told_to_once_a_day;
                access:
                    an_account_has_a_role_in_each_of_its_projects
                    accounts_are_added_once_and_listed_by_name
                    the_last_administrator_stays
                    a_removed_account_takes_its_access_along
                    a_new_password_ends_what_was_signed_in
                    a_credential_has_its_own_role_beside_the_accounts
                    keys_and_tokens_are_listed_and_taken_away
                    signing_in_again_and_again_ends_the_oldest
                    an_account_has_not_too_many_keys
                    projects_are_made_listed_and_removed
                    a_key_that_was_taken_away_leaves_no_byte;
                attachment:
                    bytes_come_back_whole_and_once
                    what_no_message_needs_is_forgotten_in_pieces
                    a_project_keeps_its_own_and_not_too_much;
                attempt:
                    deliveries_are_listed_by_number_behind_a_cursor
                    each_delivery_has_its_own_attempts
                    a_delivery_and_its_attempts_are_read_as_one
                    every_outcome_and_reason_reads_back
                    a_delivery_is_found_only_by_its_own_id;
                attribute:
                    attributes_are_set_and_taken_away
                    attributes_belong_to_a_topic_of_the_project;
                audit:
                    a_line_is_written_with_its_change_only
                    several_things_have_a_line_each
                    lines_are_listed_newest_first_and_filtered
                    old_lines_are_forgotten
                    a_message_knows_its_publisher;
                begun:
                    what_had_begun_at_a_crash_is_unknown_and_waits_again
                    what_was_cancelled_while_it_was_sent_stays_so
                    what_was_no_attempt_after_all_is_none_after_a_crash
                    a_row_is_written_anew_when_all_of_it_has_ended
                    each_server_that_takes_over_makes_known_what_began_in_its_lanes
                    a_server_that_is_there_keeps_its_row;
                cancel:
                    what_waits_is_cancelled_and_not_opened
                    one_resent_after_its_cancel_is_opened_in_its_new_place_only
                    one_without_its_subscription_has_no_target
                    many_are_looked_at_together
                    only_what_waits_is_cancelled
                    a_cancel_filter_goes_in_portions
                    an_attempt_that_had_begun_is_counted;
                churn:
                    leaves_no_byte_behind_1
                    leaves_no_byte_behind_2;
                confirmation:
                    asking_makes_a_message_with_one_delivery
                    a_crash_loses_neither_the_question_nor_its_link
                    following_the_link_puts_it_into_force
                    a_link_ends_after_48_hours
                    what_is_in_force_is_not_asked
                    asking_is_throttled_for_an_address_even_after_a_delete
                    confirming_begins_the_count_anew
                    ending_cancels_what_waits_and_says_farewell
                    only_what_was_asked_can_be_ended
                    a_message_opens_only_what_it_is_meant_for
                    an_ending_link_fits_its_own_subscription_only
                    a_deleted_subscription_takes_its_links_along
                    no_token_is_readable_at_rest;
                delivery:
                    a_lane_is_taken_in_order_and_in_portions
                    urgent_ones_are_taken_first
                    the_latest_start_is_remembered
                    a_lane_holds_only_what_is_not_final
                    a_first_success_costs_no_row_and_is_shown
                    a_postponed_one_waits_with_all_it_knows
                    a_second_success_has_both_attempts
                    an_end_without_an_attempt_leaves_none
                    a_cancelled_one_stays_so_unless_it_arrived
                    one_under_way_ends_when_its_subscription_is_gone
                    settling_twice_is_harmless
                    settling_an_earlier_attempt_again_is_harmless
                    a_place_that_is_not_there_changes_nothing
                    starts_and_settlements_go_together
                    an_interrupted_attempt_goes_on_where_it_was
                    what_was_under_way_waits_again_after_a_start
                    recovery_keeps_the_order_and_leaves_the_rest;
                dead_letter:
                    what_did_not_arrive_is_listed_newest_first
                    a_filter_narrows_dead_letters
                    a_page_looks_at_so_many_and_says_where_to_go_on;
                explain:
                    a_delivery_is_found_by_its_subscription
                    deliveries_are_counted_by_state
                    what_waits_before_a_delivery_is_counted_in_its_lane;
                fan_out:
                    a_message_to_many_is_written_down_in_portions
                    what_is_accepted_behind_waits_its_turn
                    what_is_published_together_behind_waits_its_turn
                    who_left_meanwhile_gets_a_cancelled_delivery
                    who_leaves_a_list_that_is_known_gets_a_cancelled_delivery
                    whoever_asks_sees_everything_that_was_accepted
                    a_crash_goes_on_where_it_was
                    a_list_serves_every_message_of_its_topic
                    what_waits_to_be_written_down_is_not_forgotten
                    order_holds_whatever_comes_between;
                health:
                    what_is_noted_of_an_endpoint_outlives_a_restart
                    nothing_is_noted_of_an_endpoint_that_is_gone
                    endpoints_are_listed_for_whom_they_belong_to
                    resuming_and_subscribing_again_release_a_lane
                    a_lane_is_released_though_old_bytes_are_left
                    owners_are_told_of_a_pause_once
                    holds_are_kept_until_they_end;
                idempotency:
                    the_same_key_publishes_once
                    another_content_under_the_same_key_is_told
                    a_key_is_its_projects_own
                    a_key_is_honoured_for_its_life
                    old_keys_are_forgotten_in_batches
                    no_key_is_readable_at_rest
                    many_at_once_with_one_key_publish_one_message;
                equal:
                    the_first_goes_through_and_equal_ones_are_recorded
                    what_says_something_else_goes_through
                    a_first_that_reached_nobody_counts_for_nothing
                    the_window_begins_with_what_was_sent
                    a_key_gives_the_first_answer_of_what_was_left_out_too
                    many_at_once_send_one
                    it_is_set_for_a_topic_and_known_with_its_recipients
                    contents_are_forgotten_in_batches;
                filter:
                    policies_come_with_recipients_and_lists
                    policies_go_with_their_subscription
                    only_ones_own_are_changed;
                lane:
                    large_messages_are_read_as_far_as_there_is_room
                    lanes_that_read_the_same_message_share_it;
                lane_index:
                    what_is_over_soon_is_never_entered
                    what_was_forgotten_behind_the_mark_holds_nothing_up
                    whoever_asks_by_lane_finds_what_was_just_accepted
                    a_crash_before_something_was_entered_hides_nothing
                    a_long_lane_is_read_in_its_order_and_leaves_nothing
                    what_somebody_else_entered_first_is_entered_once
                    what_is_over_without_being_read_is_taken_out_of_the_index
                    many_that_are_sent_again_are_found_by_lane;
                message:
                    is_there_with_its_deliveries_after_the_answer
                    to_nobody_is_kept_too
                    to_ten_thousand_is_one_piece
                    more_than_the_wake_holds_is_flagged
                    what_is_published_at_once_shares_a_commit
                    many_at_once_are_handed_over_in_the_order_of_their_lanes
                    a_caller_who_went_away_loses_nothing
                    a_failed_publish_leaves_nothing_behind
                    one_bad_publish_among_many_fails_alone
                    list_is_newest_first_from_a_cursor
                    another_project_sees_nothing
                    the_largest_text_comes_back_whole;
                name:
                    things_are_named_by_their_ids;
                person:
                    people_are_found_by_whatever_they_are_known_by
                    somebody_who_is_another_one_now_is_followed
                    deliveries_are_found_and_named_by_whom_they_go_to
                    a_push_is_named_by_its_people;
                plans:
                    nothing_that_happens_often_reads_a_whole_table
                    a_backlog_that_was_not_counted_yet_is_not_read
                    a_list_reads_little_more_than_it_shows
                    publishing_goes_on_while_much_is_forgotten;
                office_token:
                    one_fetches_and_all_use_it
                    a_server_that_does_not_fetch_is_given_up;
                office:
                    credentials_are_sealed_and_gone_with_their_connection
                    an_update_is_committed_as_a_whole
                    what_would_change_is_listed_while_it_asks
                    too_many_gone_asks_and_a_crash_commits_nothing
                    everyone_is_reached_once
                    a_notice_reaches_people_whom_a_topic_names
                    a_push_opens_with_its_connection;
                office_merge:
                    who_came_back_under_a_new_id_gets_what_the_old_one_got
                    contacts_lead_to_members
                    what_was_sent_is_listed_and_noted_as_taken_back;
                open:
                    everything_survives_a_restart
                    what_was_answered_survives_a_crash
                    what_was_handed_in_is_written_when_the_store_closes
                    places_go_on_behind_the_last_after_a_restart
                    an_open_store_can_write
                    a_newer_version_is_refused
                    a_newer_version_that_can_be_served_is_served
                    a_look_tells_what_would_be_done
                    an_examination_tells_whose_key_file_it_is
                    an_edited_migration_is_refused;
                overflow:
                    what_a_subscription_wants_goes_with_its_deliveries
                    the_oldest_are_dropped_and_say_so;
                purge:
                    a_deleted_subscription_leaves_no_byte
                    a_replaced_target_leaves_no_byte
                    a_deleted_topic_leaves_no_byte_of_its_subscriptions
                    a_lane_leaves_no_byte_when_its_last_subscription_goes
                    a_deleter_who_went_away_leaves_no_byte
                    a_start_takes_out_what_a_crash_left
                    a_row_that_moved_leaves_no_copy
                    what_a_reader_kept_goes_when_it_lets_go;
                resend:
                    a_failed_one_waits_again_at_the_end_of_its_lane
                    a_resent_one_keeps_its_attempts_and_what_arrived
                    only_what_ended_undelivered_is_resent
                    a_resend_gives_a_fresh_life_and_never_a_shorter_one
                    one_whose_subscription_is_gone_is_not_resent
                    a_resend_filter_takes_what_fits_all_of_it
                    portions_come_to_an_end_whatever_happens_between
                    of_many_resent_the_lanes_are_named
                    a_resent_one_is_recovered_after_a_crash;
                retention:
                    what_is_old_and_ended_is_forgotten
                    what_waits_or_is_sent_keeps_its_message
                    what_was_resent_lately_is_kept
                    forgetting_goes_in_bounded_batches;
                session:
                    a_session_is_found_until_it_ends
                    a_session_ends_by_itself_when_it_is_not_used
                    another_password_ends_every_session
                    no_session_is_readable_at_rest;
                shard:
                    what_is_taken_over_waits_again
                    what_was_written_since_a_place_is_told
                    what_a_lane_sent_is_told
                    servers_are_listed_with_their_shares
                    a_clock_that_is_set_takes_no_lane_away
                    a_server_that_starts_again_where_it_was_takes_its_lanes_back_at_once;
                signing:
                    the_first_key_stays
                    a_key_opens_again_after_a_restart
                    a_private_key_is_not_readable_at_rest;
                subscription:
                    is_found_as_it_was_added
                    topic_protocol_and_address_are_its_key
                    adding_again_replaces_what_goes_with_it
                    one_address_is_one_lane
                    a_lane_ends_with_its_last_subscription
                    list_is_oldest_first_and_paged
                    list_filters
                    list_finds_an_address_whatever_app_reaches_it
                    remark_changes_only_its_own
                    delete_takes_only_what_belongs_to_the_topic
                    delete_cancels_what_waits_for_it_alone
                    a_target_opens_exactly_as_it_was_given
                    only_those_in_force_receive
                    no_topic_and_a_full_topic_are_told
                    another_project_sees_nothing;
                tag:
                    tags_are_put_and_taken_off
                    a_topic_has_not_too_many
                    tags_belong_to_a_topic_of_the_project
                    topics_are_listed_with_all_that_hangs_on_them;
                tally:
                    numbers_add_up_by_slot_channel_and_outcome
                    a_message_is_counted_once
                    old_numbers_are_forgotten;
                glance:
                    topics_are_told_in_the_order_asked_for
                    no_more_messages_are_counted_than_needed;
                template:
                    is_found_as_it_was_made
                    list_is_oldest_first_and_filtered
                    rewrite_and_delete_change_one
                    a_project_has_its_own_and_not_too_many;
                logtank:
                    tanks_belong_to_their_topic
                    only_deliveries_of_topics_with_tanks_are_logged;
                rotation:
                    everything_is_sealed_anew_and_the_old_key_can_go
                    a_rotation_that_was_cut_short_goes_on
                    only_a_server_that_is_alone_makes_the_new_key;
                subscription_user:
                    users_are_kept_listed_and_changed_in_part
                    a_project_has_its_own_users_and_not_too_many
                    what_reaches_a_user_is_sealed_and_leaves_no_byte
                    an_address_stands_as_its_subscriptions_do;
                topic_messages:
                    a_topic_lists_its_own_newest_first
                    a_crash_loses_none_of_them
                    a_clock_that_was_set_back_hides_nothing
                    many_are_entered_at_once_and_forgotten_with_their_messages;
                topic:
                    create_keeps_the_first_of_a_name
                    create_stops_at_the_most_a_project_may_have
                    list_is_newest_first
                    list_of_one_moment_has_a_fixed_order
                    list_counts_all_and_shows_a_page
                    list_filters
                    list_takes_a_part_of_a_display_name_literally
                    another_project_sees_nothing
                    rename_changes_the_display_name_and_the_time
                    delete_takes_subscriptions_and_cancels_what_waits
                    one_bad_write_among_many_fails_alone
                    many_at_once_make_one_topic_of_a_name;
            }
        }
    };
}

contract!(on_sqlite, crate::harness::Sqlite);
contract!(on_postgres, crate::harness::Postgres);

/// What a number means is the same on both databases.
#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let dir = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        entries.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// The names of the store's own methods that are awaited.
fn methods(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside = line == "impl Store {" || (inside && line != "}");
        if inside && let Some(rest) = line.trim_start().strip_prefix("pub async fn ") {
            names.extend(rest.split(['(', '<']).next().map(str::to_owned));
        }
    }
    names
}

/// Every Rust file of a directory of this crate, one after the other.
fn sources(dir: &str) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(format!("{}/{dir}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn every_method_of_the_store_is_called() {
    let methods = methods(&sources("src"));
    assert!(methods.len() > 25, "they are not found where they were: {methods:?}");
    let tests = sources("tests/contract");
    let forgotten: Vec<_> = methods.iter().filter(|name| !tests.contains(&format!(".{name}("))).collect();
    assert!(forgotten.is_empty(), "no test calls {forgotten:?}");
}
