#include "base/compression.hpp"

#include <zstd.h>

#include <stdexcept>

namespace connectord {

std::string compress(std::string_view bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const auto size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), 1);
  if (ZSTD_isError(size) != 0) throw std::runtime_error{ZSTD_getErrorName(size)};  // only without memory
  frame.resize(size);
  frame.shrink_to_fit();
  return frame;
}

bool is_compressed(std::string_view bytes) noexcept { return bytes.starts_with("\x28\xB5\x2F\xFD"); }

std::optional<std::string> decompress(std::string_view frame, std::size_t limit) {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > limit) return std::nullopt;
  std::string bytes(size, '\0');
  if (ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size()) != size) return std::nullopt;
  return bytes;
}

}  // namespace connectord
