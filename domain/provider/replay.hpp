#pragma once

#include "base/json.hpp"
#include "domain/provider/definition.hpp"
#include "domain/provider/sync.hpp"
#include "domain/provider/verify.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Recorded traffic of a provider, and what its definition makes of it. docs/providers.md has the format.
namespace connectord::provider {

/// A webhook as it came. With a secret it has to prove itself, as on the wire.
struct recorded_delivery {
  header_list headers;
  std::string body;
  timestamp received_at{};
  std::optional<secret> key;
  proof_settings proof;
};

/// The answers that a provider gave one after the other to a run from `cursor` on.
struct recorded_sync {
  sync_context context;
  std::string cursor;  ///< empty: none
  std::vector<http_response> answers;
  bool discovery = false;  ///< of what issues can belong to
};

/// VALIDATION_FAILED naming the members that are missing or of another type.
result<recorded_delivery> read_delivery(const json::object& fixture);
result<recorded_sync> read_sync(const json::object& fixture);

struct meaning {
  json::object shown;           ///< to be compared with `expect`; raw objects only by their size
  std::set<std::string> kinds;  ///< of the signals, and the names of other effects
  std::size_t issues = 0, resources = 0;
};

/// VALIDATION_FAILED when the delivery does not prove itself.
result<meaning> replay(const definition& provider, const recorded_delivery& delivery);
/// VALIDATION_FAILED when the run asks for more or for less than was recorded.
result<meaning> replay(const definition& provider, const recorded_sync& recorded);

using answering = std::function<http_response(const http_request&)>;

/// What a run did.
struct sync_trace {
  std::vector<http_request> calls;
  std::vector<sync_page> pages;
  std::optional<sync_failure> failure;
  bool without_progress = false;

  std::string cursor() const { return pages.empty() ? "{}" : pages.back().cursor; }
  std::vector<draft_signal> signals() const;
};

/// Goes with the run to its end, to a failure, or to the page edge behind `most_pages` pages.
sync_trace follow(sync_run run, const answering& answer, timestamp now, std::size_t most_pages = 1000);

/// Runs to the end, to a failure, or to the page edge behind `most_pages` pages.
sync_trace run_sync(const definition& provider, sync_context context, std::string_view cursor,
                    const answering& answer, timestamp now, std::size_t most_pages = 1000,
                    sync_limits limits = {});

}  // namespace connectord::provider
