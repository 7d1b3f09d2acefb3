#pragma once

#include "domain/provider/replay.hpp"
#include "domain/provider/url.hpp"
#include "tests/domain/provider_support.hpp"

#include <string>
#include <vector>

/// A provider that is a function, and the loop that an actor runs.
namespace connectord::provider::testing {

inline http_response answer(std::string body, header_list headers = {}, int status = 200) {
  return {status, std::move(headers), std::move(body), call_failure::none};
}

inline std::vector<std::string> keys_of(const sync_trace& run) {
  std::vector<std::string> out;
  for (const auto& s : run.signals()) out.push_back(s.dedupe_key);
  return out;
}

/// In one go, on the first day of 2026.
inline sync_trace run_sync(const definition& d, sync_context context, std::string_view cursor,
                           const answering& provider) {
  return provider::run_sync(d, std::move(context), cursor, provider, at("2026-01-01T00:00:00Z"));
}

/// The run of one page after the other, each as a process of its own that knows nothing but the cursor.
inline sync_trace resume_at_every_edge(const definition& d, const sync_context& context, std::string cursor,
                                       const answering& provider) {
  sync_trace out;
  for (bool more = true; more && out.pages.size() < 1000;) {
    auto one = provider::run_sync(d, context, cursor, provider, at("2026-01-01T00:00:00Z"), 1);
    out.calls.insert(out.calls.end(), one.calls.begin(), one.calls.end());
    if (one.failure || one.pages.empty()) {
      out.failure = one.failure;
      break;
    }
    cursor = one.cursor();
    more = one.pages.back().more;
    out.pages.push_back(std::move(one.pages.back()));
  }
  return out;
}

inline std::string path_of(const http_request& r) {
  const auto rest = r.url.substr(r.url.find('/', 8));
  return rest.substr(0, rest.find('?'));
}

/// Value of a query parameter as it stands in the URL.
inline std::optional<std::string> parameter(const http_request& r, std::string_view name) {
  auto rest = std::string_view{r.url}.substr(std::min(r.url.find('?'), r.url.size()));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto pair = rest.substr(0, rest.find('&'));
    if (pair.starts_with(name) && pair.substr(name.size(), 1) == "=")
      return std::string{pair.substr(name.size() + 1)};
    rest.remove_prefix(pair.size());
  }
  return std::nullopt;
}

}  // namespace connectord::provider::testing
