#pragma once

#include "domain/oauth/client.hpp"
#include "tests/domain/provider_support.hpp"

#include "base/form.hpp"

/// Shared by the tests of OAuth.
namespace connectord::oauth::testing {

using provider::testing::at;
using provider::testing::definition_of;

inline const timestamp noon = at("2026-01-01T12:00:00Z");

inline client client_of(std::string_view slug) {
  const auto& d = definition_of(slug);
  return {.id = "our id",
          .key = secret{"our:key"},
          .scopes = d.default_scopes,
          .redirect_uri = "https://us.test/connect/" + d.slug + "/callback",
          .pkce = d.oauth->pkce,
          .oauth_base{},
          .api_base{},
          .region = d.oauth->regions.empty() ? "" : "us"};
}

inline http_response answer(int status, std::string body, header_list headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

inline std::string value_of(const form_fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return "(absent)";
}

inline std::string header_of(const http_request& r, std::string_view name) {
  return value_of(r.headers, name);
}

inline form_fields query_of(std::string_view url) {
  return form_decoded(url.substr(url.find('?') + 1)).value();
}

inline std::string text_at(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(name);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : "(absent)";
}

}  // namespace connectord::oauth::testing
