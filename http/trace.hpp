#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace connectord::web {

/// The trace-id of a valid W3C traceparent.
std::optional<std::string_view> trace_id_of(std::string_view traceparent) noexcept;
/// `[A-Za-z0-9._:-]{1,128}`
bool is_request_id(std::string_view text) noexcept;
/// A new UUIDv4 as text. Names a request and nothing else, so its randomness comes in blocks.
std::string new_trace_id();

}  // namespace connectord::web
