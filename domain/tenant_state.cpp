#include "domain/tenant_state.hpp"

#include "base/json.hpp"

#include <boost/json/serialize.hpp>

namespace connectord {
namespace {

/// `sync` of the metadata belongs to the service, but for one member that a user may set.
result<json::object> merged_sync(json::object current, const json::value& wanted, seconds longest) {
  const auto* changes = wanted.if_object();
  if (changes == nullptr) return invalid("metadata.sync", "must be an object");
  for (const auto& [name, value] : *changes) {
    if (name != "interval_seconds") return invalid("metadata.sync", "only interval_seconds can be set");
    const auto* interval = value.if_int64();
    if (value.is_null()) {
      current.erase(name);
    } else if (interval == nullptr || *interval < 60 || *interval > longest.count()) {
      return invalid("metadata.sync", "interval_seconds is out of range");
    } else {
      current[name] = *interval;
    }
  }
  return current;
}

result<std::string> merged(std::string_view current, std::string_view patch, seconds longest) {
  auto into = parse_json_object(current).value();
  const auto changes = parse_json_object(patch);
  if (!changes) return invalid("metadata", "must be an object");
  for (const auto& [name, value] : *changes) {
    if (value.is_null()) {
      into.erase(name);
    } else if (name == "sync") {
      const auto* had = into.if_contains("sync");
      auto sync = merged_sync(had && had->is_object() ? had->as_object() : json::object{}, value, longest);
      if (!sync) return sync.error();
      into["sync"] = std::move(*sync);
    } else {
      into[name] = value;
    }
  }
  return json::serialize(into);
}

}  // namespace

tenant_state::tenant_state(tenant row, std::vector<connection> connections) : row_(std::move(row)) {
  for (auto& c : connections) put(std::move(c));
}

const connection* tenant_state::find(const connection_id& id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

const connection* tenant_state::find(std::string_view provider, std::string_view external_id) const {
  for (const auto& [id, c] : connections_)
    if (c.provider == provider && c.external_id == external_id) return &c;
  return nullptr;
}

void tenant_state::unindex(const connection& c) {
  for (const auto& i : c.identities) {
    const auto at = by_identity_.find({c.provider, i.kind, i.value});
    if (at == by_identity_.end()) continue;
    at->second.erase(c.id);
    if (at->second.empty()) by_identity_.erase(at);
  }
}

void tenant_state::put(connection c) {
  if (const auto* before = find(c.id)) unindex(*before);
  for (const auto& i : c.identities) by_identity_[{c.provider, i.kind, i.value}].insert(c.id);
  const auto id = c.id;
  connections_.insert_or_assign(id, std::move(c));
}

tenant_state::match tenant_state::resolve(std::string_view provider,
                                          const std::vector<identity>& candidates) const {
  for (const auto& [kind, value] : candidates) {
    const auto at = by_identity_.find({std::string{provider}, kind, value});
    if (at == by_identity_.end()) continue;
    if (at->second.size() > 1) return {};
    const auto* named = find(*at->second.begin());
    if (named->usable()) return {named, false};
  }
  const connection* only = nullptr;
  for (const auto& [id, c] : connections_) {
    if (c.provider != provider || c.status != connection_status::active) continue;
    if (only != nullptr) return {};
    only = &c;
  }
  return {only, only != nullptr};
}

std::vector<const connection*> tenant_state::with_own_secret(std::string_view provider) const {
  std::vector<const connection*> found;
  for (const auto& [id, c] : connections_)
    if (c.provider == provider && c.usable() && c.has_own_secret()) found.push_back(&c);
  return found;
}

std::string secret_scope(const tenant_id& t, std::string_view provider, const connection_id& c) {
  return t.str() + "|" + std::string{provider} + "|" + c.str();
}

connection_change decide_connection(const tenant_state& s, const new_connection& wanted, timestamp now) {
  connection_change change;
  if (const auto* existing = s.find(wanted.provider, wanted.external_id)) {
    change.row = *existing;
    // A connection that was revoked comes back to life; one in error keeps its tokens' verdict.
    if (!change.row.usable()) {
      change.row.status = connection_status::active;
      change.row.status_reason.reset();
    }
  } else {
    change.created = true;
    change.row.id = connection_id::make();
    change.row.provider = wanted.provider;
    change.row.external_id = wanted.external_id;
    change.row.created_at = now;
  }
  if (wanted.display_name) change.row.display_name = wanted.display_name;
  if (wanted.metadata) change.row.metadata = *wanted.metadata;
  change.row.updated_at = now;
  return change;
}

result<connection> decide_patch(const tenant_state& s, const connection_id& id, const connection_patch& p,
                                seconds longest_interval, timestamp now) {
  const auto* current = s.find(id);
  if (current == nullptr) return error{errc::not_found};
  auto row = *current;
  if (p.metadata) {
    auto metadata = merged(row.metadata, *p.metadata, longest_interval);
    if (!metadata) return metadata.error();
    row.metadata = std::move(*metadata);
  }
  if (p.activate && row.status != connection_status::active) {
    if (!row.usable() || !row.access_ciphertext)
      return error{errc::conflict, "The connection has no usable token."}.with("field", "status");
    row.status = connection_status::active;
    row.status_reason.reset();
  }
  if (p.names_display_name) row.display_name = p.display_name;
  row.updated_at = now;
  return row;
}

connection revoked(connection c, timestamp now) {
  c.status = connection_status::revoked;
  c.status_reason.reset();
  c.access_ciphertext.reset();
  c.refresh_ciphertext.reset();
  c.previous_refresh.reset();
  c.webhook_secret.reset();
  c.previous_webhook_secret.reset();
  c.identities.clear();
  c.expires_at.reset();
  c.next_run_at.reset();
  c.updated_at = now;
  return c;
}

}  // namespace connectord
