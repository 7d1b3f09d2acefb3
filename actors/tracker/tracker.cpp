#include "actors/tracker/tracker.hpp"

#include "actors/tracker/abort.hpp"
#include "actors/tracker/bindings.hpp"
#include "actors/tracker/family.hpp"
#include "actors/tracker/ingest.hpp"
#include "actors/tracker/links.hpp"
#include "actors/tracker/queue.hpp"

#include <algorithm>
#include <utility>

namespace connectord {
namespace {

using tracker::change;

/// Of a command that answers nothing.
result<std::monostate> bare(const result<>& done) {
  if (!done) return done.error();
  return std::monostate{};
}

/// One function a command.
struct runner {
  change& c;
  timestamp received;

  auto operator()(const ingest_snapshot& x) const { return ingest(c, x, received); }
  auto operator()(const note_rejected& x) const { return bare(note_rejection(c, x)); }
  auto operator()(const resolve_queue_item& x) const { return resolve(c, x); }
  auto operator()(const dismiss_queue_item& x) const { return dismiss(c, x); }
  auto operator()(const check_bindings&) const { return bare(tracker::check(c)); }
  template <class Command>
    requires requires(const Command& x) { create(std::declval<change&>(), x); }
  auto operator()(const Command& x) const {
    return create(c, x);
  }
  template <class Command>
    requires requires(const Command& x) { patch(std::declval<change&>(), x); }
  auto operator()(const Command& x) const {
    return patch(c, x);
  }
  template <class Command>
    requires requires(const Command& x) { remove(std::declval<change&>(), x); }
  auto operator()(const Command& x) const {
    return bare(remove(c, x));
  }
};

/// Of the row that an audit row names.
std::string object_of(const tracker_command& command) {
  return std::visit(
      [](const auto& x) {
        if constexpr (requires { x.id; })
          return x.id.str();
        else
          return std::string{};
      },
      command);
}

/// Something new was committed, not found.
bool ingested(const outcome& o) {
  const auto* done = std::get_if<tracker_outcome>(&o);
  const auto* snapshot = done ? std::get_if<snapshot_outcome>(done) : nullptr;
  return snapshot && !snapshot->replayed;
}

}  // namespace

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_tracker& c) {
  const auto* snapshot = std::get_if<ingest_snapshot>(&c.what);
  if (snapshot && s->now() > snapshot->turn_by) return error{errc::service_unavailable}.retry_in(1);
  // Claims and sequences go by the turn, not by when a request was read.
  const auto run = [s](change& at, const auto& command) {
    const auto received = std::exchange(at.now, std::max(at.now, s->now()));
    return runner{at, received}(command);
  };
  auto p = tracker_plan<tracker_outcome>(s, state.row().id, c, object_of(c.what), run);
  if (snapshot)
    p.committed = [s](const outcome& o) {
      if (ingested(o)) tracker::abort_at(s->tracker, tracker::abort_after_commit);
    };
  return p;
}

}  // namespace connectord
