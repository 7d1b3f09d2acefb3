#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// Logs are events with fields: a stable event name first, ids always under the same keys
/// (trace_id, tenant_id, provider, connection_id, job_id, delivery_id, actor). One JSON object a
/// line, or pretty text; both obey the same redaction. A `secret` does not convert to a field, and an
/// empty text is left out.
namespace connectord::log {

enum class level { trace, debug, info, warn, error };
enum class format { json, pretty };

struct field {
  field(std::string_view k, std::string_view v) : key(k), value(v) {}
  field(std::string_view k, const std::string& v) : key(k), value(std::string_view{v}) {}
  field(std::string_view k, const char* v) : key(k), value(std::string_view{v}) {}
  field(std::string_view k, bool v) : key(k), value(v) {}
  field(std::string_view k, double v) : key(k), value(v) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <class Tag>
  field(std::string_view k, const strong_id<Tag>& v) : key(k), value(v.text()) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};
using fields = std::initializer_list<field>;

void configure(level least, format shape);
bool enabled(level l) noexcept;

/// `message` defaults to the event's name with its dots as spaces.
void write(level l, std::string_view event, fields f = {}, std::string_view message = {});
inline void trace(std::string_view event, fields f = {}) { write(level::trace, event, f); }
inline void debug(std::string_view event, fields f = {}) { write(level::debug, event, f); }
inline void info(std::string_view event, fields f = {}) { write(level::info, event, f); }
inline void warn(std::string_view event, fields f = {}) { write(level::warn, event, f); }
inline void error(std::string_view event, fields f = {}) { write(level::error, event, f); }

/// Always one JSON line whatever the format, and flushed: for the lines that tools read.
void announce(std::string_view event, fields f);
/// Lines below `warn` are written within a second; this writes them now.
void flush();

}  // namespace connectord::log
