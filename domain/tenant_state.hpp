#pragma once

#include "base/result.hpp"
#include "domain/connection.hpp"
#include "domain/tenant.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace connectord {

/// What a tenant actor keeps in memory: a cache of the tenant's row and its connections. The rows
/// are the truth; `put` is the only way to change it, after COMMIT.
class tenant_state {
 public:
  tenant_state() = default;
  tenant_state(tenant row, std::vector<connection> connections);

  const tenant& row() const noexcept { return row_; }
  const std::map<connection_id, connection>& connections() const noexcept { return connections_; }
  const connection* find(const connection_id& id) const;
  const connection* find(std::string_view provider, std::string_view external_id) const;

  void put(connection c);

  struct match {
    const connection* row = nullptr;
    bool by_default = false;  ///< no candidate named it: it is the provider's only active one
  };
  /// The usable connection that a payload names: candidates in order, then the only active one of
  /// the provider. Nothing when none, or more than one, answers to a candidate.
  match resolve(std::string_view provider, const std::vector<identity>& candidates) const;
  /// Connections of the provider that have a webhook secret of their own, oldest first.
  std::vector<const connection*> with_own_secret(std::string_view provider) const;

 private:
  using identity_key = std::tuple<std::string, std::string, std::string>;  // provider, kind, value

  void unindex(const connection& c);

  tenant row_;
  std::map<connection_id, connection> connections_;
  std::map<identity_key, std::set<connection_id>> by_identity_;
};

/// The scope of an AEAD: `<tenant>|<provider>|<connection>`.
std::string secret_scope(const tenant_id& t, std::string_view provider, const connection_id& c);

struct new_connection {
  std::string provider, external_id;
  std::optional<std::string> display_name;
  std::optional<std::string> metadata;  ///< JSON object text
};

/// Creates a webhook-only connection, or updates the one of the same account. `created` tells
/// which. Identities are the caller's to fill in: they depend on the provider's definition.
struct connection_change {
  connection row;
  bool created = false;
};
connection_change decide_connection(const tenant_state& s, const new_connection& wanted, timestamp now);

struct connection_patch {
  bool names_display_name = false;
  std::optional<std::string> display_name;  ///< absent with `names_display_name` clears it
  std::optional<std::string> metadata;      ///< JSON object text, merged by top-level key; null removes
  bool activate = false;
};
/// NOT_FOUND; CONFLICT when `activate` meets a connection without a usable token that is not
/// webhook-only, or a revoked one; VALIDATION_FAILED for a `metadata.sync` that is not allowed.
result<connection> decide_patch(const tenant_state& s, const connection_id& id, const connection_patch& p,
                                seconds longest_interval, timestamp now);

/// The connection as it is after DELETE: revoked, without secrets, tokens and identities.
connection revoked(connection c, timestamp now);

}  // namespace connectord
