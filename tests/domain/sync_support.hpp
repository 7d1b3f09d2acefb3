#pragma once

#include "domain/provider/sync.hpp"
#include "domain/provider/url.hpp"
#include "tests/domain/provider_support.hpp"

#include <functional>
#include <string>
#include <variant>
#include <vector>

/// A provider that is a function, and the loop that an actor runs.
namespace connectord::provider::testing {

using answering = std::function<http_response(const http_request&)>;

inline http_response answer(std::string body, header_list headers = {}, int status = 200) {
  return {status, std::move(headers), std::move(body), call_failure::none};
}

struct ran {
  std::vector<http_request> calls;
  std::vector<sync_page> pages;
  std::optional<sync_failure> failure;
  bool without_progress = false;

  std::string cursor() const { return pages.empty() ? "{}" : pages.back().cursor; }
  std::vector<draft_signal> signals() const {
    std::vector<draft_signal> out;
    for (const auto& page : pages) out.insert(out.end(), page.signals.begin(), page.signals.end());
    return out;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& s : signals()) out.push_back(s.dedupe_key);
    return out;
  }
};

/// Runs to the end, to a failure, or to the page edge behind `most_pages` pages.
inline ran run_sync(const definition& d, sync_context context, std::string_view cursor,
                    const answering& provider, timestamp now = at("2026-01-01T00:00:00Z"),
                    std::size_t most_pages = 1000, sync_limits limits = {}) {
  ran out;
  sync_run run{d, std::move(context), cursor, limits, now};
  while (out.pages.size() < most_pages && out.calls.size() < 10'000) {
    auto request = run.next();
    if (auto* failure = std::get_if<sync_failure>(&request)) {
      out.failure = std::move(*failure);
      break;
    }
    out.calls.push_back(std::get<http_request>(request));
    auto step = run.take(provider(out.calls.back()), now);
    if (auto* failure = std::get_if<sync_failure>(&step)) {
      out.failure = std::move(*failure);
      break;
    }
    auto* page = std::get_if<sync_page>(&step);
    if (page == nullptr) continue;
    out.pages.push_back(std::move(*page));
    if (!out.pages.back().more || out.pages.back().limit_reached) break;
  }
  out.without_progress = run.without_progress();
  return out;
}

/// The run of one page after the other, each as a process of its own that knows nothing but the cursor.
inline ran resume_at_every_edge(const definition& d, const sync_context& context, std::string cursor,
                                const answering& provider) {
  ran out;
  for (bool more = true; more && out.pages.size() < 1000;) {
    auto one = run_sync(d, context, cursor, provider, at("2026-01-01T00:00:00Z"), 1);
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
