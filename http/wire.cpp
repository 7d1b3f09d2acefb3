#include "http/wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace connectord::web {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

void append_number(std::string& out, std::size_t n) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

/// IMF-fixdate, made once a second.
std::string_view http_date(timestamp now) {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t size = 0;
  const auto second = static_cast<std::time_t>(std::chrono::floor<seconds>(now).time_since_epoch().count());
  if (second != made_for) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_for = second;
  }
  return {text.data(), size};
}

/// A value that came from outside cannot start a header of its own.
void append_header(std::string& out, std::string_view name, std::string_view value) {
  ((out += name) += ": ");
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  out += "\r\n";
}

}  // namespace

cors::cors(std::vector<std::string> origins)
    : origins_(std::move(origins)),
      any_(std::find(origins_.begin(), origins_.end(), "*") != origins_.end()) {}

void cors::append(std::string& out, const request& r) const {
  const auto origin = r.header("origin");
  if (any_ && origin) {
    out += "Access-Control-Allow-Origin: *\r\n";
  } else if (!any_) {
    out += "Vary: Origin\r\n";
    if (!origin || std::find(origins_.begin(), origins_.end(), *origin) == origins_.end()) return;
    append_header(out, "Access-Control-Allow-Origin", *origin);
  }
  if (origin)
    out += "Access-Control-Expose-Headers: x-trace-id, Retry-After, Location, Idempotency-Replayed\r\n";
}

response cors::preflight(std::string allow) const {
  return response::empty(204)
      .with("Allow", std::move(allow))
      .with("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
      .with("Access-Control-Allow-Headers",
            "Content-Type, Authorization, X-Tenant-Id, X-Connection-Id, Idempotency-Key, traceparent, "
            "X-Request-Id")
      .with("Access-Control-Max-Age", "600");
}

void append_answer(std::string& out, const response& answer, const request& r, const cors& origins,
                   bool keep_alive) {
  out.reserve(out.size() + 640 + answer.body.size());
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(answer.status));
  (out += ' ') += reason_of(answer.status);
  (out += "\r\nDate: ") += http_date(r.received_at);
  out += "\r\n";
  if (answer.status != 204) {
    if (!answer.content_type.empty()) ((out += "Content-Type: ") += answer.content_type) += "\r\n";
    if (!answer.rest) {
      out += "Content-Length: ";
      append_number(out, answer.body.size());
      out += "\r\n";
    }
  }
  append_header(out, "x-trace-id", r.trace_id);
  ((out += "Content-Security-Policy: ") += answer.content_security_policy) += "\r\n";
  ((out += "Cache-Control: ") += answer.cache_control) += "\r\n";
  out +=
      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
      "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n";
  origins.append(out, r);
  for (const auto& [name, value] : answer.headers) append_header(out, name, value);
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  if (r.method != verb::head && answer.status != 204) out += answer.body;
}

}  // namespace connectord::web
