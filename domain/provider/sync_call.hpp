#pragma once

#include "base/json.hpp"
#include "domain/http.hpp"
#include "domain/provider/sync_facts.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Only for the sources of this folder: the calls of a sync run.
namespace connectord::provider {

struct call_scope {
  const json::object& values;  ///< what the templates look up
  std::string_view item;       ///< JSON text behind `data:`; empty: there is none
  const std::optional<std::string>& origin;
  const text_pairs& headers;
};

/// VALIDATION_FAILED when the URL has a lookup without a value.
result<http_request> build_call(const request_facts& facts, const call_scope& scope);

/// Text of a template over these values.
std::optional<std::string> render_over(const choice& any, const json::object& values);

/// Target of `Link: <…>; rel="next"`.
std::optional<std::string> next_link(const http_response& answer);

/// A time as a request names it. `offset` is that of the account's zone; without one, local times
/// are early enough for every zone.
std::string since_text(since_format format, timestamp since, std::optional<seconds> offset);

}  // namespace connectord::provider
