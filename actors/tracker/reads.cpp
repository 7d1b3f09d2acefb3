#include "actors/rows.hpp"
#include "actors/tracker/binding_change.hpp"
#include "actors/tracker/tracker.hpp"
#include "base/crypto.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/receipts.hpp"
#include "storage/tracker/resources.hpp"
#include "storage/tracker/runs.hpp"
#include "storage/tracker/sightings.hpp"

namespace connectord {
namespace {

template <class T>
result<job_value> whole(result<T> value) {
  if (!value) return value.error();
  return job_value::of(std::move(*value));
}

/// One function a query.
struct reader {
  storage::session& db;
  const tenant_id& t;
  const tracker::policy& rules;
  timestamp now;

  /// A list whose filter names projects, by id or project_uuid. Where none of them is known nothing fits.
  template <class List, class Find>
  result<job_value> of_projects(const List& q, Find find) const {
    auto filter = q.filter;
    if (!filter.projects.empty()) {
      std::vector<uuid> named;
      for (const auto& text : filter.projects) named.push_back(uuid::parse(text).value());
      const auto known = storage::projects_named(db, t, named);
      if (!known) return known.error();
      if (known->empty()) return job_value::of(typename List::answer{});
      filter.projects.clear();
      for (const auto& p : *known) filter.projects.push_back(p.str());
    }
    return paged(find(filter), q.at.limit);
  }

  result<job_value> operator()(const find_seen& q) const {
    find_seen::answer out{to_hex(bytes_of(sha256(*q.bytes))), {}};
    auto known = storage::find_receipt_of_bytes(db, t, q.key, out.raw_sha256);
    if (!known) return known.error();
    out.receipt = std::move(*known);
    return job_value::of(std::move(out));
  }
  result<job_value> operator()(const list_receipts& q) const {
    return paged(storage::list_receipts(db, t, q.filter, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const get_receipt& q) const {
    return found(storage::find_receipt(db, t, q.id), errc::receipt_not_found);
  }

  result<job_value> operator()(const list_bindings& q) const {
    return of_projects(
        q, [&](const auto& f) { return storage::list_bindings(db, t, f, q.at.after, q.at.limit + 1); });
  }
  result<tracker::binding_view> live(const tracker::binding_id& id) const {
    auto b = storage::view_binding(db, t, id);
    if (!b && b.error().code() == errc::not_found) return error{errc::binding_not_found};
    return b;
  }
  result<job_value> operator()(const get_binding& q) const { return whole(live(q.id)); }
  result<job_value> operator()(const binding_health& q) const {
    auto b = live(q.id);
    if (!b) return b.error();
    auto runs = storage::list_runs(db, t, q.id, std::nullopt, 1);
    if (!runs) return runs.error();
    auto report = tracker::health_of(b->row, rules, now);
    binding_health::answer out{std::move(*b), std::move(report), {}, now};
    if (!runs->empty()) out.last_run = std::move(runs->front());
    const auto disagreeing = storage::count_disagreeing(db, t, q.id);
    if (!disagreeing) return disagreeing.error();
    out.disagreeing = *disagreeing;
    return job_value::of(std::move(out));
  }
  result<job_value> operator()(const list_runs& q) const {
    if (const auto b = live(q.binding); !b) return b.error();
    return paged(storage::list_runs(db, t, q.binding, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const list_resources& q) const {
    if (const auto b = live(q.binding); !b) return b.error();
    return paged(storage::list_resources(db, t, q.binding, q.at.after, q.at.limit + 1), q.at.limit);
  }

  result<job_value> operator()(const list_links& q) const {
    return of_projects(
        q, [&](const auto& f) { return storage::list_links(db, t, f, q.at.after, q.at.limit + 1); });
  }
  result<job_value> operator()(const get_link& q) const { return whole(storage::view_link(db, t, q.id)); }
  result<job_value> operator()(const list_drift& q) const {
    return of_projects(
        q, [&](const auto& f) { return storage::list_drift(db, t, f, q.at.after, q.at.limit + 1); });
  }
  result<job_value> operator()(const get_drift& q) const { return found(storage::find_drift(db, t, q.id)); }
  result<job_value> operator()(const list_queue& q) const {
    return paged(storage::list_queue(db, t, q.filter, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const get_queue_item& q) const {
    return found(storage::find_queue_item(db, t, q.id));
  }
  result<job_value> operator()(const list_issues& q) const {
    return of_projects(q, [&](const auto& f) {
      return storage::list_issues(db, t, f, q.at.after, q.at.limit + 1, q.with_body);
    });
  }
  result<job_value> operator()(const get_issue& q) const { return whole(storage::view_issue(db, t, q.id)); }
};

}  // namespace

result<job_value> read_tracker(storage::session& db, const tenant_id& t, const tracker_query& q) {
  return std::visit(reader{db, t, q.rules, q.now}, q.what);
}

}  // namespace connectord
