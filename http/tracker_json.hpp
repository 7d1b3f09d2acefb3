#pragma once

#include "actors/protocol/tracker.hpp"
#include "base/json.hpp"
#include "http/response.hpp"

/// The shapes of bindings and what snapshots bring (tracker-api, 3.2 to 3.6 and 5), written straight into the
/// answer.
namespace connectord::web {

/// `status` is what a POST answers with; else it is the receipt's state.
void write(json_writer& w, const tracker::receipt& r, std::string_view status = {});
void write(json_writer& w, const tracker::binding_view& b);
void write(json_writer& w, const tracker::resource& r);
void write(json_writer& w, const tracker::issue_view& i);
void write(json_writer& w, const tracker::queue_item& q);
void write(json_writer& w, const tracker::sync_run& run);
void write(json_writer& w, const binding_health::answer& h, const tracker::policy& rules);
void write(json_writer& w, const queue_resolution& r);

/// `{kind: count}` of what is open.
void write_kinds(json_writer& w, const tracker::drift_by_kind& open);

}  // namespace connectord::web
