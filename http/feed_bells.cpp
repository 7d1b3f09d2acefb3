#include "http/feed_bells.hpp"

#include <charconv>

namespace connectord::web {

std::optional<page_mark> page_mark::parse(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t n = 0;
    const auto* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, n);
    if (parsed.ec != std::errc{} || parsed.ptr != end || n < 0) return std::nullopt;
    return n;
  };
  const auto dot = text.find('.');
  const auto seq = number(text.substr(0, dot));
  const auto edition = dot == text.npos ? 0 : number(text.substr(dot + 1));
  if (!seq || !edition) return std::nullopt;
  return page_mark{*seq, *edition};
}

std::string page_mark::text() const { return std::to_string(seq) + "." + std::to_string(edition); }

feed_bells::seat::seat(std::shared_ptr<table> at, const tenant_id& t, bool of_pages)
    : table_(std::move(at)), tenant_(t), listener_(std::make_unique<listener>(table_->io, of_pages)) {
  table_->open[t].insert(listener_.get());
}

feed_bells::seat::~seat() {
  if (!listener_) return;
  const auto place = table_->open.find(tenant_);
  place->second.erase(listener_.get());
  if (place->second.empty()) table_->open.erase(place);
}

std::optional<feed_bells::seat> feed_bells::take(const tenant_id& t, bool of_pages) {
  const auto open = table_->open.find(t);
  if (open != table_->open.end() && open->second.size() >= most_of_a_tenant) return std::nullopt;
  return std::optional<seat>{std::in_place, table_, t, of_pages};
}

void feed_bells::ring(const tenant_id& t) {
  const auto open = table_->open.find(t);
  if (open == table_->open.end()) return;
  for (auto* l : open->second) l->bell.ring();
}

void feed_bells::ring_pages(const tenant_id& t) {
  if (table_->changed.size() >= most_remembered) {
    table_->changed.clear();
    table_->forgotten = table_->edition;
  }
  table_->changed[t] = ++table_->edition;
  const auto open = table_->open.find(t);
  if (open == table_->open.end()) return;
  for (auto* l : open->second)
    if (l->of_pages) l->bell.ring();
}

bool feed_bells::changed_after(const tenant_id& t, std::int64_t edition) const {
  const auto known = table_->changed.find(t);
  return edition < (known == table_->changed.end() ? table_->forgotten : known->second);
}

}  // namespace connectord::web
