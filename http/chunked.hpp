#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace connectord::web {

/// Takes a chunked body apart (RFC 9112, 7.1), as strictly as the grammar allows. Extensions and
/// trailers are checked and dropped. Framing that outweighs its content is refused: a body sent
/// byte by byte costs us more than its sender.
class chunked_decoder {
 public:
  explicit chunked_decoder(std::size_t limit) : limit_(limit) {}

  /// Appends content to `body` and returns how much of `input` was used. BAD_REQUEST when the
  /// framing is broken, PAYLOAD_TOO_LARGE when the body grows over the limit.
  result<std::size_t> feed(std::string_view input, std::string& body);
  bool done() const noexcept { return state_ == state::done; }

 private:
  enum class state : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    last_lf,
    done
  };
  result<> step(char c);
  result<> size_line_end(char c);

  std::size_t limit_;
  std::size_t left_ = 0;      ///< of the current chunk
  std::size_t framing_ = 0;   ///< bytes that are not content
  std::size_t received_ = 0;  ///< bytes that are
  std::size_t trailer_ = 0;
  int digits_ = 0;
  state state_ = state::size;
};

}  // namespace connectord::web
