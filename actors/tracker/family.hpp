#pragma once

#include "actors/plan.hpp"
#include "actors/services.hpp"
#include "actors/tracker/evaluate.hpp"

/// What the families of tracker commands share.
namespace connectord {

/// A plan that runs one command of a family in the tenant's transaction: `run(change, command)` gives the
/// command's reply. `Outcome` is the family's; readers of the feed are told after COMMIT.
template <class Outcome, class Family, class Run>
plan tracker_plan(const services_ptr& s, const tenant_id& t, const Family& c, std::string object, Run run) {
  plan p{[s, t, c, run](storage::session& db) -> result<effect> {
    tracker::change at{db, t, c.now, s->tracker, c.by};
    return std::visit(
        [&](const auto& command) -> result<effect> {
          auto done = run(at, command);
          if (!done) return done.error();
          return effect{outcome{Outcome{std::move(*done)}}};
        },
        c.what);
  }};
  p.object = std::move(object);
  p.feeds = true;
  return p;
}

}  // namespace connectord
