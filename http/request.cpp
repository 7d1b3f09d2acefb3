#include "http/request.hpp"

#include "http/inflate.hpp"
#include "http/router.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

std::string lower_case(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

bool is_json(std::string_view content_type, bool relatives_too) {
  const auto essence = lower_case(trimmed(content_type.substr(0, content_type.find(';'))));
  if (essence == "application/json") return true;
  return relatives_too && essence.ends_with("+json") && essence.find('/') != essence.npos;
}

}  // namespace

std::string_view request::param(std::string_view name) const noexcept {
  if (route == nullptr) return {};
  std::size_t at = 0;
  for (const auto segment : template_segments(route->path)) {
    if (segment.size() == name.size() + 2 && segment.front() == '{' && segment.substr(1, name.size()) == name)
      return path[at];
    ++at;
  }
  return {};
}

header_list request::all_headers() const {
  header_list out;
  out.reserve(head.fields.size());
  for (const auto& f : head.fields) out.emplace_back(lower_case(f.name), std::string{f.value});
  return out;
}

result<> request::limit_body(std::size_t bytes) {
  body_limit_ = bytes;
  if (head.content_length.value_or(0) <= bytes) return {};
  return error{errc::payload_too_large}.with("limit_bytes", static_cast<std::int64_t>(bytes));
}

result<std::string_view> request::json_text() {
  const auto type = header("content-type");
  const bool connectors = dialect == web::dialect::connectors;
  if (!type || !is_json(*type, connectors)) return error{errc::unsupported_media_type};
  const auto coding = connectors ? std::nullopt : header("content-encoding");
  if (!coding || equals_ignoring_case(*coding, "identity")) return std::string_view{body};
  if (!equals_ignoring_case(*coding, "gzip") || head.count("content-encoding") != 1)
    return error{errc::unsupported_media_type};
  auto plain = gunzip(body, body_limit_);
  if (!plain) return plain.error();
  body = std::move(*plain);
  return std::string_view{body};
}

result<json::object> request::json_body() {
  const auto text = json_text();
  if (!text) return text.error();
  return parse_json_object(*text);
}

result<json::object> request::optional_json_body() {
  if (body.empty() && !header("content-type")) return json::object{};
  return json_body();
}

void request::reset() {
  // Field by field: head and body keep their memory for the next request of the connection.
  head.fields.clear();
  query = {};
  body.clear();
  traceparent.reset();
  route = nullptr;
  dialect = web::dialect::connectors;
  who.reset();
  body_limit_ = 0;
}

}  // namespace connectord::web
