#include "actors/tracker/binding_change.hpp"
#include "actors/tracker/facade.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"

namespace connectord {
namespace {

using tracker::binding_view;
using tracker::routed;

tracker::any_of ids_of(const routed& at) {
  tracker::any_of ids;
  for (const auto& b : at.bindings) ids.push_back(b.row.id.str());
  return ids;
}

/// What is offered and pulled is there; without a binding there is nothing to offer.
tracker::issue_filter present_in(const routed& at, tracker::issue_filter f = {}) {
  f.bindings = ids_of(at);
  f.presences = {std::string{name_of(tracker::presence::present)}};
  return f;
}

/// One function a query; each answers what the protocol header says.
struct reader {
  storage::session& db;
  const tenant_id& t;
  const tracker::policy& rules;

  result<binding_standing> standing(const binding_view& b, timestamp now) const {
    const auto project = storage::find_project(db, t, b.row.project.value());
    if (!project) return project.error();
    return binding_standing{b, *project ? (*project)->name : std::string{},
                            health_of(b.row, rules, now).health};
  }

  result<job_value> operator()(const read_status& q) const {
    facade_status out;
    auto at = find_way(db, t, q.route);
    if (!at) return at.error();
    for (const auto& b : at->bindings) {
      auto one = standing(b, q.now);
      if (!one) return one.error();
      out.bindings.push_back(std::move(*one));
    }
    if (q.route.named()) {
      const auto queued = storage::waits_for_project(db, t, at->of->id);
      if (!queued) return queued.error();
      out.queued = *queued;
    } else {
      const auto known = tracker::attachables_of(db, t, q.route.provider);
      if (!known) return known.error();
      out.resources = static_cast<std::int64_t>(known->size());
    }
    out.at = std::move(*at);
    return job_value::of(std::move(out));
  }

  result<job_value> operator()(const read_links& q) const {
    routed_links out;
    auto at = find_way(db, t, q.route);
    if (!at) return at.error();
    if (!at->bindings.empty()) {
      auto links = storage::list_links(db, t, {.bindings = ids_of(*at)});
      if (!links) return links.error();
      out.links = std::move(*links);
    }
    out.at = std::move(*at);
    return job_value::of(std::move(out));
  }

  result<job_value> operator()(const pull_issues& q) const {
    pulled_issues out;
    auto at = find_way(db, t, q.route);
    if (!at) return at.error();
    if (at->bindings.empty()) return error{errc::no_mapping};
    auto issues = storage::issues_by_identity(db, t, present_in(*at, q.filter), q.after, q.limit + 1);
    if (!issues) return issues.error();
    out.more = issues->size() > static_cast<std::size_t>(q.limit);
    if (out.more) issues->pop_back();
    out.issues = std::move(*issues);
    out.at = std::move(*at);
    return job_value::of(std::move(out));
  }

  result<job_value> operator()(const search_issues& q) const {
    found_issues out;
    auto at = find_way(db, t, q.route);
    if (!at) return at.error();
    if (!at->bindings.empty()) {
      auto filter = present_in(*at);
      filter.named = q.key;
      if (q.key) {
        auto exact = storage::newest_issues(db, t, filter, q.limit);
        if (!exact) return exact.error();
        out.issues = std::move(*exact);
        out.exact = !out.issues.empty();
      }
      filter.named.reset();
      filter.text = q.text;
      if (!out.exact && (q.text || !q.key)) {
        auto similar = storage::newest_issues(db, t, filter, q.limit);
        if (!similar) return similar.error();
        out.issues = std::move(*similar);
      }
    }
    out.at = std::move(*at);
    return job_value::of(std::move(out));
  }

  result<job_value> operator()(const validate_binding& q) const {
    const auto id = storage::find_binding_id(db, t, q.binding_ref);
    if (!id) return id.error();
    std::optional<binding_view> view;
    if (*id) {
      auto found = storage::view_binding(db, t, **id);
      if (!found) return found.error();
      view = std::move(*found);
    }
    binding_verdict out;
    out.validity = tracker::validity_of(view ? &*view : nullptr, q.provider, q.project_uuid);
    if (out.validity == tracker::validity::valid) out.view = std::move(view);
    return job_value::of(std::move(out));
  }
};

}  // namespace

result<job_value> read_tracker(storage::session& db, const tenant_id& t, const facade_query& q) {
  return std::visit(reader{db, t, q.rules}, q.what);
}

}  // namespace connectord
