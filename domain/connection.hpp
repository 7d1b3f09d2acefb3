#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace connectord {

enum class connection_status { active, error, revoked };

/// A secret of one connection, sealed; `valid_until` is set on the previous one of its kind.
struct sealed_secret {
  std::string ciphertext;
  std::optional<timestamp> valid_until;

  friend bool operator==(const sealed_secret&, const sealed_secret&) = default;
};

/// How a payload names a connection: (kind, value) is looked up in the unique index.
struct identity {
  std::string kind;
  std::string value;

  friend auto operator<=>(const identity&, const identity&) = default;
};

struct connection {
  connection_id id;
  std::string provider;  ///< slug
  std::string external_id;
  std::optional<std::string> display_name;
  connection_status status = connection_status::active;
  std::optional<std::string> status_reason;
  std::optional<std::string> access_ciphertext, refresh_ciphertext;
  std::optional<sealed_secret> previous_refresh;  ///< until the new access token worked once
  std::int64_t token_epoch = 0;
  std::optional<timestamp> expires_at;
  std::vector<std::string> scopes;
  std::string metadata = "{}";  ///< a JSON object, as text
  std::optional<sealed_secret> webhook_secret, previous_webhook_secret;
  std::vector<identity> identities;
  std::optional<timestamp> next_run_at;
  timestamp created_at{}, updated_at{};

  friend bool operator==(const connection&, const connection&) = default;
  bool usable() const noexcept { return status != connection_status::revoked; }
  bool has_own_secret() const noexcept { return webhook_secret.has_value(); }
};

}  // namespace connectord
