#include "actors/tracker/queue.hpp"

#include "actors/tracker/bindings.hpp"
#include "actors/tracker/ingest.hpp"
#include "actors/tracker/reading.hpp"
#include "actors/tracker/route.hpp"
#include "base/compression.hpp"
#include "base/json.hpp"
#include "domain/tracker/document.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/receipts.hpp"

#include <limits>
#include <utility>

namespace connectord::tracker {
namespace {

/// Its body, read once more. The limits may be lower than when it was taken in.
result<parsed_snapshot> read_again(change& c, const queue_item& item, const receipt& r) {
  auto bytes = storage::find_body(c.db, c.tenant, item.receipt);
  if (!bytes) return bytes.error();
  if (*bytes && is_compressed(**bytes)) *bytes = decompress(**bytes, document::max_size);
  if (!*bytes) return error{errc::internal, "A waiting snapshot has no body."};
  auto limits = c.rules;
  limits.max_issues = limits.max_mappings = std::numeric_limits<int>::max();
  auto read = read_snapshot(std::make_shared<const std::string>(std::move(**bytes)), r.raw_sha256, limits);
  if (auto* parsed = std::get_if<parsed_snapshot>(&read)) return std::move(*parsed);
  return error{errc::internal, "A waiting snapshot cannot be read."};
}

result<receipt> apply_item(binding_change& b, queue_item& item) {
  auto& c = b.c;
  auto waiting = storage::find_receipt(c.db, c.tenant, item.receipt);
  if (!waiting) return waiting.error();
  auto row = std::move(waiting->value());
  const auto parsed = read_again(c, item, row);
  if (!parsed) return parsed.error();
  row.matched = matched_by::manual;
  row.binding_created = b.made;
  auto landed = land(
      b, {.snapshot = *parsed, .row = std::move(row), .cause = run_trigger::manual_mapping, .stored = true});
  if (!landed) return landed.error();
  item.state = queue_state::resolved;
  item.resolved_at = c.now;
  if (const auto ok = storage::update_queue_item(c.db, c.tenant, item); !ok) return ok.error();
  return landed;
}

result<queue_item> pending(change& c, const queue_id& id) {
  auto item = storage::find_queue_item(c.db, c.tenant, id);
  if (!item) return item.error();
  if (!*item) return error{errc::not_found};
  if ((*item)->state != queue_state::pending)
    return error{errc::queue_item_closed}.with("state", json::string{name_of((*item)->state)});
  return std::move(**item);
}

}  // namespace

result<> apply_pending(change& c, const binding_id& to) {
  const auto target = storage::find_binding(c.db, c.tenant, to);
  if (!target) return target.error();
  const auto& row = target->value();
  auto waiting = storage::pending_of_workspace(c.db, c.tenant, row.provider, row.workspace);
  if (!waiting) return waiting.error();
  for (auto& item : *waiting) {
    auto found = route(c, item.route);
    if (!found) return found.error();
    if (!found->binding || found->binding->id != to) continue;
    auto b = open_binding(c, std::move(*found->binding));
    if (!b) return b.error();
    if (const auto applied = apply_item(*b, item); !applied) return applied.error();
  }
  return {};
}

result<queue_resolution> resolve(change& c, const resolve_queue_item& asked) {
  auto item = pending(c, asked.id);
  if (!item) return item.error();
  const auto owner = project_of(c, asked.project);
  if (!owner) return owner.error();
  auto b = bind(c, *owner, item->route.provider, item->route.workspace, binding_origin::queue);
  if (!b) return b.error();
  if (asked.create_resource && item->route.resource)
    if (const auto mapped = map_resource(*b, *item->route.resource); !mapped) return mapped.error();
  auto landed = apply_item(*b, *item);
  if (!landed) return landed.error();
  if (const auto ok = apply_pending(c, b->row.id); !ok) return ok.error();
  auto view = storage::view_binding(c.db, c.tenant, b->row.id);
  if (!view) return view.error();
  return queue_resolution{std::move(*item), std::move(*view), std::move(*landed)};
}

result<queue_item> dismiss(change& c, const dismiss_queue_item& asked) {
  auto item = pending(c, asked.id);
  if (!item) return item;
  item->state = queue_state::dismissed;
  item->resolved_at = c.now;
  if (const auto ok = storage::update_queue_item(c.db, c.tenant, *item); !ok) return ok.error();
  auto waiting = storage::find_receipt(c.db, c.tenant, item->receipt);
  if (!waiting) return waiting.error();
  (*waiting)->state = receipt_state::discarded;
  if (const auto ok = storage::update_receipt(c.db, c.tenant, **waiting); !ok) return ok.error();
  if (const auto ok = storage::drop_body(c.db, c.tenant, item->receipt); !ok) return ok.error();
  return item;
}

}  // namespace connectord::tracker
