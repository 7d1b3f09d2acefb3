#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// The strict front door: no byte of a request reaches the router before its head went through here.
/// We parse heads ourselves because a lenient parser is how requests get smuggled past a proxy:
/// Beast 1.81 takes unknown transfer codings, folded lines, equal lengths and a missing Host.
namespace connectord::web {

enum class verb : std::uint8_t { get, head, post, put, patch, delete_, options, other };

std::string_view text_of(verb v) noexcept;

struct field {
  std::string_view name;  ///< as it was sent
  std::string_view value;
};

/// Views into the text that was parsed.
struct head {
  verb method = verb::other;
  std::string_view target;
  std::vector<field> fields;  ///< in order; names with `_` are left out, proxies disagree about them
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  bool coded = false;  ///< the body is compressed, or says so

  /// The first of that name; `lower` is in lower case.
  std::optional<std::string_view> find(std::string_view lower) const noexcept;
  std::size_t count(std::string_view lower) const noexcept;
  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

inline constexpr std::size_t max_target = 8 * 1024;
inline constexpr std::size_t max_header_block = 16 * 1024;
inline constexpr std::size_t max_fields = 100;
/// A request line and a header block at their limits; what is longer was refused.
inline constexpr std::size_t max_head = max_target + max_header_block + 64;

/// Length of the head including its empty line, once `received` holds it all; 0 before. `scanned`
/// is what an earlier call has seen. Refuses a bare LF and a head that is too long already.
result<std::size_t> find_head_end(std::string_view received, std::size_t scanned = 0);

/// `text` is what find_head_end measured. Every refusal closes the connection: after it nobody
/// knows where the next request starts.
result<> parse_head(std::string_view text, head& out);

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept;

}  // namespace connectord::web
