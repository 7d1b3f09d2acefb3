#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Zstandard, for bytes that are kept and seldom read.
namespace connectord {

/// One frame, at the fastest level.
std::string compress(std::string_view bytes);

/// Whether they begin as a frame does. No JSON text does.
bool is_compressed(std::string_view bytes) noexcept;

/// Nothing for what is not one whole frame, or holds more than `limit` bytes: a frame says first how many.
std::optional<std::string> decompress(std::string_view frame, std::size_t limit);

}  // namespace connectord
