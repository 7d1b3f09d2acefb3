#pragma once

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "config/provider_loader.hpp"
#include "domain/provider/examine.hpp"

#include <doctest/doctest.h>

#include <string>

/// Shared by the tests of the provider engine.
namespace connectord::provider::testing {

inline const catalog& definitions() {
  static const catalog all = [] {
    auto loaded = config::load_catalog(std::nullopt, true);
    if (!loaded) FAIL(std::string{loaded.error().message()});
    return std::move(*loaded);
  }();
  return all;
}

inline const definition& definition_of(std::string_view slug) {
  const auto* found = definitions().find(slug);
  REQUIRE(found != nullptr);
  return *found;
}

inline timestamp at(std::string_view text) { return parse_rfc3339(text).value(); }

inline examination examine_text(const definition& d, std::string_view body, const header_list& headers = {},
                                timestamp received = at("2026-01-01T00:00:00Z")) {
  return examine(d, webhook_request{headers, body, received});
}

inline definition loaded(std::string_view yaml) {
  auto d = config::load_provider(yaml, "test.yaml");
  if (!d) FAIL(std::string{d.error().message()});
  return std::move(*d);
}

inline std::string reason_of(const result<>& r) {
  if (r) return "accepted";
  const auto refusal = r.error();  // by value: nothing may point into the temporary
  const auto* reason = refusal.details().if_contains("reason");
  return reason == nullptr ? "no reason" : std::string{reason->as_string()};
}

}  // namespace connectord::provider::testing
