#pragma once

#include "base/time.hpp"
#include "domain/http.hpp"
#include "domain/ids.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord {

enum class delivery_status { received, processed, ignored, unmatched, failed, quarantined };

constexpr std::string_view name_of(delivery_status s) {
  constexpr std::array names{"received", "processed", "ignored", "unmatched", "failed", "quarantined"};
  return names[static_cast<std::size_t>(s)];
}

struct delivery {
  delivery_id id;
  receipt_id receipt;
  std::string provider;
  std::optional<connection_id> connection;
  std::string dedupe_id;
  delivery_status status = delivery_status::received;
  std::optional<std::string> event_type, provider_delivery_id;
  header_list headers;      ///< without credentials
  std::string body;         ///< raw bytes
  std::string body_sha256;  ///< hex
  std::int64_t body_bytes = 0;
  std::int64_t duplicates = 0, attempts = 0;
  timestamp received_at{};
  std::optional<timestamp> processed_at;
  std::optional<std::string> error;
};

}  // namespace connectord
