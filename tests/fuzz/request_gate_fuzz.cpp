#include "http/chunked.hpp"
#include "http/path.hpp"
#include "http/query.hpp"
#include "http/request_gate.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace connectord::web;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Whatever gets in has one framing, and every view points into the text.
void check_head(std::string_view text) {
  head h;
  if (!parse_head(text, h)) return;
  require(!(h.chunked && h.content_length));
  require(h.count("content-length") <= 1 && h.count("transfer-encoding") <= 1 && h.count("host") <= 1);
  require(!h.http_1_1 || h.count("host") == 1);
  require(h.fields.size() <= max_fields && h.target.size() <= max_target);
  for (const auto& f : h.fields) {
    require(within(f.name, text) && within(f.value, text));
    require(f.value.find_first_of("\r\n") == f.value.npos && f.value.find('\0') == f.value.npos);
  }
  const auto mark = h.target.find('?');
  path p;
  if (p.parse(h.target.substr(0, mark)))
    for (std::size_t i = 0; i < p.size(); ++i)
      require(!p[i].empty() && p[i].find('/') == std::string_view::npos);
  if (mark != h.target.npos) {
    query_reader q{h.target.substr(mark + 1)};
    q.limit();
    q.text("cursor");
    q.time("received_after");
    (void)q.finish();
  }
}

/// The outcome does not depend on where the bytes were cut.
void check_chunks(std::string_view text, std::size_t step) {
  constexpr std::size_t limit = 4096;
  chunked_decoder whole{limit}, pieces{limit};
  std::string all, joined;
  const auto used = whole.feed(text, all);
  std::size_t at = 0;
  bool failed = false;
  while (!failed && !pieces.done() && at < text.size()) {
    const auto n = pieces.feed(text.substr(at, step), joined);
    failed = !n;
    if (n) at += *n;
  }
  require(failed == !used && all == joined && all.size() <= limit);
  if (used) require(at == *used && whole.done() == pieces.done());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto end = find_head_end(text);
  const auto later = find_head_end(text, size / 2);
  // A later look may start behind an offence that the first look saw; it never sees another end.
  if (end && later && *end != 0 && *later != 0) require(*end <= *later);
  if (end && *end != 0) check_head(text.substr(0, *end));
  check_head(text);
  if (size > 1) check_chunks(text.substr(1), 1 + data[0] % 16);
  return 0;
}
