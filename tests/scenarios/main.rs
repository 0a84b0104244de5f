//! What real use breaks, played against the built binary: one line below for each situation.
//!
//! `cargo test --test scenarios` plays all of them, `cargo test --test scenarios 06` some. The same executable plays the
//! scripted stdio backend when its first argument is `scripted-backend`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a situation fails by panicking, like every test, and writes `json!` where it calls"
)]

mod any_message;
mod asked;
mod asked_outside;
mod bad_config;
mod bad_input;
mod bad_modern_input;
mod bounded;
mod breaker;
mod capability;
mod capability_calls;
mod capability_failures;
mod capability_serving;
mod catalogue;
mod changed_set;
mod circuits;
mod dying;
mod fair;
mod first_minute;
mod first_revision;
mod forgetful;
mod guard;
mod hanging;
mod header_params;
mod heard;
mod hostile;
mod identity;
mod imported;
mod levels;
mod live_page;
mod log_lines;
mod logging;
mod modern;
mod modern_backend;
mod objectives;
mod overlong;
mod own_cost;
mod own_line_heard;
mod own_session;
mod parked;
mod reload;
mod reread;
mod resumed;
mod scripts;
mod shares;
mod sse_client;
mod stale;
mod stdio_client;
mod stopping;
mod support;
mod tasks;
mod traced;
mod truth;
mod uris;
mod words;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Pairs of a name and the function that plays it.
macro_rules! contents {
    ($($name:literal => $situation:path,)*) => { &[$(($name, $situation as fn()),)*] };
}

const CONTENTS: &[(&str, fn())] = contents! {
    // The scripted backends themselves
    "00 the scripted stdio backend follows its script" => scripts::stdio,
    "00 the scripted stdio backend writes down what reached it" => scripts::journal,
    "00 the scripted HTTP backend follows its script" => scripts::http,
    "00 the scripted HTTP backend closes and comes back on its port" => scripts::port,

    // What a person sees first
    "first minute: the curl without a session" => first_minute::curl_without_session,
    "first minute: the demo tools" => first_minute::demo_tools,
    "first minute: one request id everywhere" => first_minute::one_request_id_everywhere,
    "first minute: a closed circuit is traced" => first_minute::closed_circuit_traced,
    "first minute: the log as JSON" => first_minute::json_log,
    "first minute: the health pages" => first_minute::pages,
    "first minute: the Prometheus page" => first_minute::prometheus,
    "first minute: names people already have" => first_minute::names_people_already_have,
    "first minute: kill and revive" => first_minute::kill_and_revive,
    "first minute: all tools with prefixes" => first_minute::federated_names,

    // Traces
    "traced: from a client to a stdio backend's `_meta`" => traced::to_a_stdio_backend,
    "traced: from a client to an HTTP backend's headers" => traced::to_an_http_backend,
    "traced: through a meta-tool" => traced::through_invoke,
    "traced: to a backend of 2026-07-28" => traced::a_modern_call,
    "traced: told over gRPC" => traced::over_grpc,
    "traced: by the standard's variables, the last spans at the end" => traced::by_the_standard_variables,
    "traced: one decision for all" => traced::one_decision,
    "traced: off unless asked for" => traced::off_unless_asked_for,
    "traced: a collector that refuses touches no request" => traced::a_collector_that_is_not_there,
    "traced: failures say why" => traced::failures_say_why,

    // Backends that die, hang and come back
    "01 a stdio child exits in the middle of a call" => dying::exit_in_the_middle,
    "01 a child closes its stdout and lives on" => dying::silent_survivor,
    "02 a command that does not exist" => dying::no_such_command,
    "02 a command that does not exist works once it is mended" => reload::mended_command,
    "03 a child in a crash loop" => dying::crash_loop,
    "03 a child that fails to start once" => dying::crash_once,
    "07 breaker open because the child is dead: the probe starts it" => dying::probe_respawns,
    "07 breaker open because the server is gone: the probe opens a session" => dying::probe_reinitialises,
    "07 a server is killed, refused, and recovers" => dying::killed_refused_recovered,
    "04 a backend that never answers: the deadline frees the place" => hanging::deadline_frees_the_place,
    "04 a backend that never answers: the deadline frees the probe" => hanging::deadline_frees_the_probe,
    "04 a child that never answers at all" => hanging::mute_from_the_start,
    "04 a slow tool does not take the others with it" => hanging::slow_tool_alone,
    "05 the client cancels and the backend that holds the call is told" => hanging::cancelled_by_frame,
    "05 a client with a session hangs up: the call goes on" => hanging::gone_without_a_word,
    "05 a client without a session hangs up: the call ends" => hanging::gone_without_a_session,
    "05 somebody else cancels the same id and nobody is told" => hanging::cancelled_by_somebody_else,
    "06 an HTTP backend has forgotten its session: 404" => forgetful::not_found,
    "06 an HTTP backend has forgotten its session: 404 in words of its own" => forgetful::in_own_words,
    "06 an HTTP backend has forgotten its session: an error inside a 200" => forgetful::error_inside,
    "06 a forgotten session under load is opened once" => forgetful::under_load,
    "06 a call that may have run is not sent again" => forgetful::may_have_run,
    "08 200 callers at the instant of half-open" => breaker::stampede,
    "09 a call admitted before the trip returns after recovery" => breaker::late_result,
    "10 after a million good calls a dead backend opens as soon" => breaker::long_good_past,
    "10 a good past counts for nothing at the endpoint either" => breaker::good_past_outside,
    "11 the wall clock jumps while the breaker is open" => breaker::wall_clock_jumps,
    "12 a busy serial backend is not killed by a health probe" => catalogue::busy_is_alive,
    "12 a backend that knows no ping is alive" => catalogue::no_ping_is_alive,
    "13 one of many backends hangs in a list" => catalogue::one_of_many_hangs,
    "13 what a dead backend listed stays, marked, for a grace time, and comes back with it" => stale::dead,
    "13 what a hung backend listed stays, marked, and delays no list" => stale::hung,
    "a server that is not ready after its restart does not lose its resources" => stale::not_ready,
    "14 tools that appear later" => catalogue::late_tools,
    "14 other tools after a restart" => catalogue::other_tools_after_a_restart,
    "a tool that the configuration leaves out is not on /mcp" => catalogue::left_out,
    "what is shown of a backend changes while the backend goes on" => catalogue::shown_anew,
    "15 a list in three pages" => catalogue::pages,
    "15 a cursor that repeats itself for ever" => catalogue::endless_pages,
    "16 SIGKILL leaves no child and no grandchild" => stopping::killed,
    "16 SIGKILL in the middle of a call" => stopping::killed_in_the_middle,
    "16 SIGTERM lets calls finish and closes streams" => stopping::asked_to_stop,
    "16 a child deaf to SIGTERM ends all the same" => stopping::deaf_child,
    "16 the port is taken" => stopping::port_taken,

    // Whose circuit opens, and why
    "circuit: a failing tool opens alone" => circuits::failing_tool_opens_alone,
    "circuit: a tool's words are short and hold no secret" => circuits::a_tool_s_words,
    "circuit: a slow tool opens alone" => circuits::slow_tool_opens_alone,
    "circuit: a dead backend opens whole" => circuits::dead_backend_opens_whole,
    "circuit: tools without circuits of their own" => circuits::tools_without_circuits,
    "circuit: a rate over a window of time" => circuits::rate_over_time,
    "circuit: a backend that asks for a pause is not probed before" => circuits::asked_for_a_pause,
    "circuit: a shadow decides, reports and refuses nothing" => circuits::shadow,
    "circuit: an operator decides in the configuration" => circuits::forced,
    "circuit: why it is open" => circuits::why,
    "circuit: why, asked from the shell" => circuits::why_from_the_shell,

    // Truth of what passes through
    "17 results pass byte for byte" => truth::results,
    "17 arguments pass byte for byte" => truth::arguments,
    "17 unknown fields of a request pass" => truth::unknown_fields_of_a_request,
    "17 any request and its answer pass byte for byte: HTTP" => any_message::http,
    "17 any request and its answer pass byte for byte: stdio" => any_message::stdio,
    "18 every framing of an event stream" => truth::event_streams,
    "18 progress arrives while the call is open" => truth::progress_in_time,
    "18 progress arrives before the result" => truth::progress_before_the_result,
    "18 a stream that is cut short" => truth::stream_cut_short,
    "19 a server of the first revision works with its address alone" => first_revision::url_alone,
    "19 answers on one event stream find their callers" => first_revision::answers_in_any_order,
    "19 an event stream that ended is opened again" => first_revision::comes_back,
    "19 nothing is posted to another server" => first_revision::posts_to_nobody_else,
    "20 two clients use the same request id" => identity::same_id_of_two_clients,
    "20 a backend asks with the id of a pending call" => identity::same_id_of_the_backend,
    "20 answers to nobody" => identity::strays,
    "a log level is known to the backend before the client has its answer" => levels::before_the_client_has_its_answer,
    "26 the session of somebody else" => identity::session_of_somebody_else,
    "26 notifications of two users stay apart" => identity::notifications_stay_apart,
    "22 a line of 100 MB from a child" => hostile::line_of_100_mb,
    "22 half a frame, then the end" => hostile::half_a_frame,
    "22 invalid UTF-8 from a child" => hostile::invalid_utf8,
    "22 a JSON bomb from a child" => hostile::json_bomb_of_a_backend,
    "22 noise on standard output and much on standard error" => hostile::noise_on_stdout,
    "22 a child that never stops talking" => hostile::babble,
    "22 HTTP answers that are none" => hostile::odd_http_answers,
    "22 an event too long from a server of the first revision" => overlong::of_the_first_revision,
    "22 an event too long outside of calls" => overlong::outside_of_calls,
    "22 a JSON bomb from a client" => hostile::bomb_of_a_client,
    "22 requests that are no HTTP" => hostile::requests_that_are_none,
    "22 clients that hang up halfway" => hostile::hung_up_halfway,

    // Fairness, safety, isolation
    "23 a call without hints is never sent twice: HTTP" => fair::never_twice_http,
    "23 a call without hints is never sent twice: stdio" => fair::never_twice_stdio,
    "23 a call that says it may be repeated is" => fair::hinted_is_repeated,
    "24 429 is throttled, not broken" => fair::throttled,
    "24 429 for a moment" => fair::throttled_for_a_moment,
    "24 errors of a tool trip nothing of its backend" => fair::tool_errors_trip_nothing,
    "24 401 says which credential" => fair::which_credential,
    "25 the limit of a backend is its own refusal" => fair::limit_of_a_backend,
    "25 the gateway's own lists spend no limit of a backend" => fair::lists_are_free,
    "25 a call in several rounds spends a limit once" => fair::one_call_in_rounds_pays_once,
    "25 an answer to what was asked spends no limit of its caller" => fair::answers_are_free,
    "25 a full queue is its own refusal" => fair::full_queue,
    "25 one caller floods" => fair::flood_of_one_caller,
    "25 one caller floods with sessions that can be asked" => shares::one_caller_floods,
    "27 a foreign Origin or Host" => guard::foreign_origin_and_host,
    "27 no key, no answer" => guard::no_key_no_answer,
    "27 the rights of a key" => guard::rights_of_a_key,
    "27 an open address needs authentication" => guard::open_door_needs_a_lock,
    "27 a token made at start" => guard::token_made_at_start,
    // The live page
    "live page: its files ask nobody else and hold no data" => live_page::files,
    "live page: it shows what goes on" => live_page::what_goes_on,
    "live page: objectives, and what the gateway adds" => live_page::objectives_and_own_cost,
    "live page: no more watch than may, and all see the same" => live_page::viewers_are_bounded,
    "live page: a key sees and does what it may" => live_page::rights,
    "live page: only the page itself may act" => live_page::only_from_the_page,
    "live page: actions do what they say" => live_page::actions,

    "28 two reloads at once" => reload::two_at_once,
    "28 a reload during calls" => reload::during_calls,
    "28 a call that does not end is cut, and no child is left" => reload::cut_calls,
    "28 a stop while a backend is taken out leaves no child" => reload::stopped_meanwhile,
    "28 the child that a client has for itself goes with its backend" => reload::own_children,
    "28 who has subscribed to a resource goes on to hear of it" => reload::subscriptions,
    "28 a broken file changes nothing and says why" => reread::broken_file,
    "28 an unchanged backend keeps its child and its statistics" => reload::unchanged,
    "28 clients hear of what changes for them" => reload::clients_are_told,
    "28 a session at a backend that changes stays, at one that goes it ends" => reload::sessions_at_backends,
    "28 SIGHUP" => reread::hangup,
    "28 SIGHUP because the terminal is closed" => reread::terminal_closed,
    "28 a file that is written anew is read" => reread::watched_file,
    "28 an env file is read again" => reread::env_file,
    "28 a configuration that appears takes the place of the demo" => reread::file_appears,
    "28 keys come and go" => reload::keys,
    "28 what takes effect at the next start is named" => reread::needs_restart,
    "28 limits and ways of showing change" => reread::settings_of_the_whole,
    "29 random names leave the metrics bounded" => bounded::random_names,
    "29 a hundred thousand random names leave metrics and memory as they were" => bounded::hundred_thousand_names,
    "29 sessions opened and dropped leave nothing" => bounded::sessions_opened_and_dropped,
    "29 an idle session ends" => bounded::idle_session,
    "30 all views of a breaker agree" => bounded::all_views_agree,

    // What backends are held to
    "objectives: how fast the room for errors burns" => objectives::burn_rates,
    "objectives: the webhook is told" => objectives::told_to_the_webhook,
    "objectives: a webhook that takes nothing harms nobody" => objectives::a_webhook_that_takes_nothing,

    // What the gateway itself costs
    "own cost: an answer says where its time went" => own_cost::where_the_time_went,
    "own cost: what takes longer than the budget is counted" => own_cost::over_the_budget,
    "own cost: the program measures itself" => own_cost::measured_by_itself,
    "own cost: a measurement that is stopped leaves nothing" => own_cost::stopped_by_ctrl_c,
    "own cost: a measurement is bounded" => own_cost::within_bounds,

    // Backends that ask their clients
    "asked: an elicitation reaches exactly the client whose call it is" => asked::exactly_the_client_whose_call_it_is,
    "asked: the client's refusal reaches the backend" => asked::the_client_refuses,
    "asked: two backends ask one client with one id" => asked::two_backends_with_one_id,
    "asked: an answer in a batch" => asked::an_answer_in_a_batch,
    "asked: a person takes longer than the timeout of the backend" => asked::a_person_takes_longer_than_the_timeout,
    "asked: a client that declared nothing is not asked, and shares" => asked::a_client_that_declared_nothing,
    "asked: only for what the client declared" => asked::only_what_the_client_declared,
    "asked: the client leaves while it is asked" => asked::the_client_leaves,
    "asked: the client leaves before it is asked" => asked::the_client_leaves_before_it_is_asked,
    "asked: the client cancels while it is asked" => asked::the_client_cancels,
    "asked: the call ends meanwhile" => asked::the_call_ends_meanwhile,
    "asked: the backend dies meanwhile" => asked::the_backend_dies_meanwhile,
    "asked: the client cancels while it is asked in a round" => asked::cancelled_in_a_round,
    "asked: how far the client is with its answer" => asked::how_far_the_client_is,
    "asked: another call of the client ends meanwhile" => asked::another_call_of_the_client_ends_meanwhile,

    "own session: it ends with the session of its client" => own_session::ends_with_its_session,
    "own session: a hundred clients leave nothing" => own_session::a_hundred_leave_nothing,
    "own session: twenty children leave nothing" => own_session::twenty_children_leave_nothing,
    "own session: no more than may be" => own_session::no_more_than_may_be,
    "own session: one that rests makes room" => shares::one_that_rests_makes_room,
    "own session: one whose call waits makes none" => shares::one_whose_call_waits_makes_none,
    "own session: roots are asked for at the start" => own_session::roots_are_asked_for_at_the_start,
    "own session: asked outside of calls" => own_session::asked_outside_of_calls,
    "own session: asked outside of calls, and cancelled" => own_session::asked_outside_of_calls_and_cancelled,
    "own session: asked outside of calls, and not answered in time" => asked_outside::and_not_answered_in_time,
    "own session: asked outside of calls, more than may be open" => asked_outside::more_than_may_be_open,
    "own session: asked outside of calls by a child that dies" => asked_outside::by_a_child_that_dies,
    "own session: asked outside of a modern client's call, during it" => asked_outside::during_a_call_of_a_modern_client,
    "own session: asked outside of a modern client's call, without one" => asked_outside::of_a_modern_client_that_calls_nothing,
    "own session: asked where nobody hears" => own_session::asked_where_nobody_hears,
    "own session: after an operator's stop" => own_session::after_an_operator_s_stop,

    // Backends of revision 2026-07-28
    "modern backend: a legacy client is introduced to it" => modern_backend::a_legacy_client_is_introduced,
    "modern backend: headers say what the body says" => modern_backend::headers_say_what_the_body_says,
    "modern backend: asks a legacy client in rounds" => modern_backend::asks_a_legacy_client_in_rounds,
    "modern backend: asks for several things at once" => modern_backend::asks_for_several_things_at_once,
    "modern backend: asks without end" => modern_backend::asks_without_end,
    "modern backend: asks a client that cannot be asked" => modern_backend::asks_who_cannot_be_asked,
    "modern backend: the client refuses in a round" => modern_backend::the_client_refuses_in_a_round,
    "modern backend: log lines by level" => modern_backend::log_lines_by_level,
    "modern backend: a legacy client cancels" => modern_backend::a_legacy_client_cancels,
    "modern backend: a modern client passes byte for byte" => modern_backend::a_modern_client_passes_byte_for_byte,
    "modern backend: a modern client answers on every way" => modern_backend::a_modern_client_answers_through_the_meta_tool,
    "modern backend: errors keep their status" => modern_backend::errors_keep_their_status,
    "modern backend: replaced by one of the other era" => modern_backend::replaced_by_one_of_the_other_era,
    "modern backend: a child of one era alone" => modern_backend::a_child_of_one_era_alone,

    // Older backends that ask modern clients
    "parked: until it is sent again with the answers" => parked::until_it_is_sent_again,
    "parked: beside those that need no answer" => parked::beside_those_that_need_no_answer,
    "parked: sent again with a state that is not its own" => parked::with_a_state_that_is_not_its_own,
    "parked: sent again with a part of the answers" => parked::with_a_part_of_the_answers,
    "parked: not where the client cannot be asked" => parked::of_a_client_that_cannot_be_asked,
    "parked: no longer than the gateway runs" => parked::until_the_gateway_ends,

    // What backends say outside of calls
    "resumed: the stream of what belongs to no call" => resumed::what_belongs_to_no_call,
    "resumed: the stream of a call, after which its answer comes" => resumed::the_stream_of_a_call,
    "resumed: the stream of a call that is not kept" => resumed::a_call_whose_stream_is_not_kept,
    "heard: by the client whose session it is" => heard::by_the_client_whose_session_it_is,
    "heard: a changed list during a call, on its stream" => heard::during_a_call,
    "heard: by those who have subscribed" => heard::by_those_who_have_subscribed,
    "heard: from the backend that has the resource" => heard::from_the_backend_that_has_it,
    "heard: by modern clients as they filter" => heard::by_modern_clients_as_they_filter,
    "heard: again after the stream broke" => heard::again_after_the_stream_broke,
    "heard: once, in the session of its own" => own_line_heard::once,
    "heard: in the session of its own, until it unsubscribes" => own_line_heard::until_it_unsubscribes,
    "heard: in the session of its own, again after an operator's stop" => own_line_heard::again_after_an_operator_s_stop,
    "heard: of what all share, though its own child changes" => own_line_heard::of_what_all_share,
    "heard: while another set is asked for, over HTTP" => changed_set::over_http,
    "heard: while another set is asked for, on standard streams" => changed_set::on_standard_streams,
    "heard: several resources at an older backend, side by side" => changed_set::several_at_an_older_backend,
    "heard: while another set is refused" => changed_set::that_is_refused,
    "heard: again after the subscription broke" => heard::again_after_the_subscription_broke,
    "heard: again after a child was started again" => heard::again_after_a_restart,
    "heard: nothing where there is no stream" => heard::where_there_is_no_stream,
    "heard: nothing where the stream never opens" => heard::where_the_stream_never_opens,

    // Arguments that are repeated in headers
    "header params: a tool that says wrongly which is left out" => header_params::left_out,
    "header params: a definition that has changed is read again" => header_params::changed,

    // Tasks
    "tasks: an older client and an older backend" => tasks::of_older_revisions,
    "tasks: a client and a backend of 2026-07-28" => tasks::of_the_newest_revision,
    "tasks: not from one era to the other, and not on /mcp" => tasks::nowhere_else,
    "tasks: of a shared session none are listed" => tasks::of_others,

    // Two backends with the same URIs on /mcp
    "uris: two backends with one URI are both listed" => uris::both_are_listed,
    "uris: two backends with one URI can both be read" => uris::both_can_be_read,
    "uris: what a tool links to is read where it is" => uris::links_lead_to_their_backend,
    "uris: the backend with the closest template" => uris::the_closest_template,
    "uris: two backends with one URI are both heard" => uris::both_are_heard,
    "uris: a modern client hears of both too" => uris::heard_by_a_modern_client,

    // Bad input
    // Clients of revision 2026-07-28
    "modern client: no session is needed and none is opened" => modern::no_session,
    "modern client: prompts keep their names where names are plain" => modern::plain_prompts,
    "modern client: discovery" => modern::discover,
    "modern client: requests that do not say all of themselves" => modern::incomplete,
    "modern client: a revision that is not spoken" => modern::unknown_revision,
    "modern client: no batches" => modern::no_batches,
    "modern client: a resource that is not there" => modern::resource_that_is_not_there,
    "modern client: progress comes before the answer" => modern::progress_before_the_answer,
    "modern client: a subscription hears what it asked for" => modern::listening,
    "modern client: a subscription to resources is bounded, and taken back" => modern::listening_to_resources,
    "modern client: a subscription to a backend that changes is opened again" => modern::listening_to_what_changes,
    "modern client: leaving before the backend has answered" => modern::leaving_before_the_answer,
    "modern client: odd requests" => modern::odd_requests,
    "modern client: a subscription ends with its client" => modern::listening_no_more,

    // A client that knows the first revision and nothing else
    "sse client: all backends behind one stream, and one alone" => sse_client::all_and_one,
    "sse client: calls go on side by side and can be cancelled" => sse_client::side_by_side,
    "sse client: a notification that is not taken keeps nothing waiting" => sse_client::a_notification_that_is_not_taken,
    "sse client: progress comes before the answer" => sse_client::progress,
    "sse client: what the backend asks is answered by a POST" => sse_client::asked,
    "sse client: changes that belong to no call" => sse_client::changes,
    "sse client: hanging up cancels what is in flight" => sse_client::hung_up,
    "sse client: a stream is its caller's alone" => sse_client::wrong_session,
    "sse client: SIGTERM while the client is asked" => sse_client::stopped_while_asked,
    "sse client: SIGTERM lets calls finish and ends the stream" => sse_client::stopped,

    // A client that starts the gateway itself
    "stdio client: the gateway ends with its client" => stdio_client::ends_with_its_client,
    "stdio client: calls go on side by side and can be cancelled" => stdio_client::side_by_side,
    "stdio client: progress comes before the answer" => stdio_client::progress,
    "stdio client: it is asked, and answers" => stdio_client::asked,
    "stdio client: changes that belong to no call" => stdio_client::changes,
    "stdio client: revision 2026-07-28" => stdio_client::modern_client,
    "stdio client: a subscription that opens at the end" => stdio_client::a_subscription_at_the_end,
    "stdio client: a last line without an end" => stdio_client::a_last_line_without_an_end,
    "stdio client: an id that is in use" => stdio_client::an_id_in_use,
    "stdio client: a signal after the end of the input" => stdio_client::a_signal_after_the_end,
    "stdio client: more calls than may be open" => stdio_client::too_many_calls,
    "stdio client: a line that is too long" => stdio_client::a_line_that_is_too_long,
    "stdio client: another configuration" => stdio_client::another_configuration,

    "bad input: malformed JSON" => bad_input::malformed_json,
    "bad input: no JSON-RPC" => bad_input::not_json_rpc,
    "bad input: unknown method" => bad_input::unknown_method,
    "bad input: unknown backend or tool" => bad_input::unknown_backend_or_tool,
    "bad input: wrong params" => bad_input::wrong_params,
    "bad input: a cursor that is none of ours" => bad_input::foreign_cursors,
    "bad input: oversized body" => bad_input::oversized_body,
    "bad input: wrong Accept or Content-Type" => bad_input::wrong_headers,
    "bad input: unknown session" => bad_input::wrong_session,
    "bad input: wrong path or method" => bad_input::wrong_place,
    "bad input: batches" => bad_input::batches,
    "bad input of a modern client: what it must say of itself" => bad_modern_input::incomplete,
    "bad input of a modern client: headers" => bad_modern_input::mismatched,
    "bad input of a modern client: a revision that is not spoken" => bad_modern_input::unknown_revision,
    "bad input of a modern client: methods that are none, or no more" => bad_modern_input::unknown_methods,
    "bad input of a modern client: no request" => bad_modern_input::no_request,
    "bad input of a modern client: a resource that is not there" => bad_modern_input::no_such_resource,
    "bad input of a modern client: a capability that is missing" => bad_modern_input::missing_capability,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("scripted-backend") {
        return support::scripted_stdio::main(arguments);
    }
    let mut arguments = Arguments::from_args();
    // Situations wait far more than they compute.
    arguments.test_threads.get_or_insert(8);
    libtest_mimic::run(&arguments, situations()).exit_code()
}

fn situations() -> Vec<Trial> {
    CONTENTS
        .iter()
        .chain(capability::CONTENTS)
        .chain(words::CONTENTS)
        .map(|&(name, play)| situation(name, play))
        .collect()
}

fn situation(name: &str, play: fn()) -> Trial {
    Trial::test(name, move || {
        play();
        Ok(())
    })
}
