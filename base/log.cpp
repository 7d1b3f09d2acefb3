#include "base/log.hpp"

#include "base/json.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <mutex>

namespace connectord::log {
namespace {

/// Collects lines and hands them to stdout in blocks: a system call per request line would cost as
/// much as the request. Warnings go out at once, everything else within a second.
class block_sink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& m) override {
    block_.append(m.payload.data(), m.payload.size());
    block_.push_back('\n');
    if (block_.size() > std::size_t{64} * 1024) flush_();
  }
  void flush_() override {
    std::fwrite(block_.data(), 1, block_.size(), stdout);
    std::fflush(stdout);
    block_.clear();
  }

 private:
  std::string block_;
};

struct state {
  std::shared_ptr<spdlog::logger> out =
      std::make_shared<spdlog::logger>("connectord", std::make_shared<block_sink>());
  format shape = format::json;
};

state& here() {
  static state s;
  return s;
}

constexpr std::array names{"trace", "debug", "info", "warn", "error"};
spdlog::level::level_enum native(level l) {
  constexpr std::array table{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                             spdlog::level::warn, spdlog::level::err};
  return table[static_cast<std::size_t>(l)];
}

/// The type `secret` keeps secrets out by construction; this catches a name that promises one.
bool hidden(std::string_view key) {
  for (const std::string_view word : {"authorization", "cookie", "password", "secret", "token", "signature"})
    if (key.find(word) != std::string_view::npos) return true;
  return false;
}

bool absent(const field& f) {
  const auto* text = std::get_if<std::string_view>(&f.value);
  return text != nullptr && text->empty();
}

void put(json_writer& w, const field& f) {
  if (hidden(f.key)) {
    w.member(f.key, "[redacted]");
    return;
  }
  w.key(f.key);
  std::visit([&](const auto& v) { w.value(v); }, f.value);
}

std::string spoken(std::string_view event, std::string_view message) {
  std::string text{message.empty() ? event : message};
  if (message.empty())
    for (auto& c : text)
      if (c == '.' || c == '_') c = ' ';
  return text;
}

std::string as_json(level l, std::string_view event, fields list, std::string_view message) {
  std::string line;
  line.reserve(320);
  json_writer w{line};
  w.open().member("timestamp", now_utc()).member("level", names[static_cast<std::size_t>(l)]);
  w.member("event", event).member("message", spoken(event, message));
  for (const auto& f : list)
    if (!absent(f)) put(w, f);
  w.close();
  return line;
}

std::string as_text(level l, std::string_view event, fields list, std::string_view message) {
  std::string line = to_rfc3339(now_utc());
  line += ' ';
  line += names[static_cast<std::size_t>(l)];
  line += ' ';
  line += event;
  if (!message.empty()) (line += " – ") += message;
  for (const auto& f : list) {
    if (absent(f)) continue;
    std::string shown;
    json_writer w{shown};
    put(w, f);
    line += "  ";
    line += shown;
  }
  return line;
}

}  // namespace

void configure(level least, format shape) {
  auto& s = here();
  s.shape = shape;
  s.out->set_level(native(least));
  s.out->flush_on(spdlog::level::warn);
  spdlog::register_logger(s.out);
  spdlog::flush_every(std::chrono::seconds{1});
}

bool enabled(level l) noexcept { return here().out->should_log(native(l)); }

void write(level l, std::string_view event, fields list, std::string_view message) {
  auto& s = here();
  if (!s.out->should_log(native(l))) return;
  s.out->log(native(l),
             s.shape == format::json ? as_json(l, event, list, message) : as_text(l, event, list, message));
}

void announce(std::string_view event, fields list) {
  auto& s = here();
  s.out->log(spdlog::level::critical, as_json(level::info, event, list, {}));
  s.out->flush();
}

void flush() { here().out->flush(); }

}  // namespace connectord::log
