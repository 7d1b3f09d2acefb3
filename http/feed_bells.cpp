#include "http/feed_bells.hpp"

namespace connectord::web {

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
  const auto open = table_->open.find(t);
  if (open == table_->open.end()) return;
  for (auto* l : open->second) {
    if (!l->of_pages) continue;
    l->page_changed = true;
    l->bell.ring();
  }
}

}  // namespace connectord::web
