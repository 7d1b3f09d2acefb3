#include "actors/tracker/route.hpp"

#include "storage/tracker/bindings.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/resources.hpp"

#include <utility>

namespace connectord::tracker {
namespace {

class router {
 public:
  router(change& c, const snapshot_route& r) : c_(c), r_(r) {}

  result<landing> run() {
    if (r_.resource) {
      if (auto done = by_resource(); !done || done->has_value()) return unwrapped(std::move(done));
      out_.fallback_used = true;
    }
    if (r_.project_uuid)
      if (auto done = by_project(); !done || done->has_value()) return unwrapped(std::move(done));
    return by_workspace();
  }

 private:
  using attempt = result<std::optional<landing>>;

  static result<landing> unwrapped(attempt a) {
    if (!a) return a.error();
    return std::move(**a);
  }

  landing queued(queue_reason why) {
    out_.reason = why;
    return std::move(out_);
  }
  landing hit(matched_by how, stored_binding b) {
    if (b.state == binding_state::disabled) return queued(queue_reason::binding_disabled);
    out_.how = how;
    out_.binding = std::move(b);
    return std::move(out_);
  }

  attempt by_resource() {
    const auto mapped = storage::find_active_resource(c_.db, c_.tenant, r_.provider, r_.workspace,
                                                      r_.resource->type, r_.resource->id);
    if (!mapped) return mapped.error();
    if (!*mapped) return std::optional<landing>{};
    auto b = storage::find_binding(c_.db, c_.tenant, (*mapped)->binding);
    if (!b) return b.error();
    return std::optional{hit(matched_by::resource, std::move(b->value()))};
  }

  attempt by_project() {
    auto known = storage::find_project_by_uuid(c_.db, c_.tenant, *r_.project_uuid);
    if (!known) return known.error();
    if (!*known) return std::optional<landing>{};
    auto b = storage::find_binding_of(c_.db, c_.tenant, (*known)->id, r_.provider, r_.workspace);
    if (!b) return b.error();
    if (*b && !(*b)->live()) return std::optional{queued(queue_reason::binding_deleted)};
    if (*b) return std::optional{hit(matched_by::project, std::move(**b))};
    out_.how = matched_by::project;
    out_.owner = std::move(**known);
    return std::optional{std::move(out_)};
  }

  result<landing> by_workspace() {
    auto live = storage::bindings_of_workspace(c_.db, c_.tenant, r_.provider, r_.workspace);
    if (!live) return live.error();
    if (live->size() == 1) {
      const auto suits = suits_project(live->front());
      if (!suits) return suits.error();
      if (*suits) return hit(matched_by::workspace, std::move(live->front()));
    }
    if (r_.project_uuid) return queued(queue_reason::unknown_project);
    if (r_.project_uuid_text) return queued(queue_reason::invalid_project_uuid);
    return queued(live->size() > 1 ? queue_reason::ambiguous_workspace : queue_reason::no_project);
  }

  /// An explicit project is never re-targeted to one that says it is another.
  result<bool> suits_project(const stored_binding& b) {
    if (!r_.project_uuid_text) return true;
    const auto owner = storage::find_project(c_.db, c_.tenant, b.project.value());
    if (!owner) return owner.error();
    return !owner->value().project_uuid;
  }

  change& c_;
  const snapshot_route& r_;
  landing out_;
};

}  // namespace

result<landing> route(change& c, const snapshot_route& r) { return router{c, r}.run(); }

}  // namespace connectord::tracker
