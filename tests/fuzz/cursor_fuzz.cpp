#include "http/cursor.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace connectord;
using namespace connectord::web;

/// No text that we did not make is a cursor, and what we make reads back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const keyring keys{{{"k1", secret{std::string(32, 'k')}}}};
  static const cursor_codec codec{keys};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto half = text.substr(0, size / 2);
  const cursor_scope scope{"/signals", "tenant", half};

  if (codec.decode(text, scope)) std::abort();
  if (codec.decode(to_base64url(std::string{'\x01'} + std::string{text}), scope)) std::abort();
  if (size <= 512 && is_utf8(text)) {
    const json::value position = json::string{text};
    const auto cursor = codec.encode(position, scope);
    const auto back = codec.decode(cursor, scope);
    // Too long for a cursor is the one excuse.
    if (back ? *back != position : cursor.size() <= 1000) std::abort();
  }
  return 0;
}
