#include "http/chunked.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

constexpr std::size_t max_trailer = 4 * 1024;
constexpr std::size_t framing_allowance = 64 * 1024;

error broken() { return error{errc::bad_request}.with("reason", "chunk"); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool printable(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

result<std::size_t> chunked_decoder::feed(std::string_view input, std::string& body) {
  std::size_t used = 0;
  while (used < input.size() && !done()) {
    if (state_ == state::data) {
      const auto n = std::min(left_, input.size() - used);
      body.append(input.substr(used, n));
      used += n;
      received_ += n;
      if ((left_ -= n) == 0) state_ = state::data_cr;
      continue;
    }
    if (auto ok = step(input[used++]); !ok) return ok.error();
    if (++framing_ > framing_allowance + received_) return broken();
  }
  return used;
}

result<> chunked_decoder::step(char c) {
  const auto expect = [&](char wanted, state next) -> result<> {
    if (c != wanted) return broken();
    state_ = next;
    return {};
  };
  switch (state_) {
    case state::size:
      if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > 8) return broken();
        left_ = left_ * 16 + static_cast<std::size_t>(digit);
        return {};
      }
      if (digits_ == 0) return broken();
      if (c == ';') {
        state_ = state::extension;
        return {};
      }
      return expect('\r', state::size_lf);
    case state::extension:
      if (c == '\r')
        state_ = state::size_lf;
      else if (!printable(c))
        return broken();
      return {};
    case state::size_lf: return size_line_end(c);
    case state::data_cr: return expect('\r', state::data_lf);
    case state::data_lf: return expect('\n', state::size);
    case state::trailer_start:
      if (c == '\r')
        state_ = state::last_lf;
      else if (c == ' ' || c == '\t' || !printable(c))
        return broken();
      else
        state_ = state::trailer;
      return {};
    case state::trailer:
      if (++trailer_ > max_trailer) return error{errc::headers_too_large};
      if (c == '\r')
        state_ = state::trailer_lf;
      else if (!printable(c))
        return broken();
      return {};
    case state::trailer_lf: return expect('\n', state::trailer_start);
    case state::last_lf: return expect('\n', state::done);
    case state::data:
    case state::done: break;
  }
  return {};
}

result<> chunked_decoder::size_line_end(char c) {
  if (c != '\n') return broken();
  digits_ = 0;
  if (left_ > limit_ - received_)
    return error{errc::payload_too_large}.with("limit_bytes", static_cast<std::int64_t>(limit_));
  state_ = left_ == 0 ? state::trailer_start : state::data;
  return {};
}

}  // namespace connectord::web
