#pragma once

#include "http/stream.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord::web {

inline constexpr std::string_view json_type = "application/json; charset=utf-8";
/// As the tracker's published clients compare it.
inline constexpr std::string_view plain_json_type = "application/json";
/// No answer of ours is a page unless it says so.
inline constexpr std::string_view api_policy = "default-src 'none'; frame-ancestors 'none'";

struct response {
  int status = 200;
  std::string_view content_type{};  ///< a literal; empty without body
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string_view content_security_policy = api_policy;  ///< a literal
  std::string_view cache_control = "no-store";            ///< a literal
  producer rest{};                                        ///< writes the body, after the head
  std::string_view rejected_for{};                        ///< a literal: rejection_of() its error

  static response json(int status, std::string body) { return {status, json_type, std::move(body)}; }
  static response text(std::string_view type, std::string body) { return {200, type, std::move(body)}; }
  static response empty(int status = 204) { return {status}; }
  static response streamed(std::string_view type, producer rest) {
    response out{200, type};
    out.rest = std::move(rest);
    return out;
  }

  response with(std::string name, std::string value) && {
    headers.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
};

inline response tracker_json(int status, std::string body) {
  return {status, plain_json_type, std::move(body)};
}

}  // namespace connectord::web
