#include "http/feed_bells.hpp"

namespace connectord::web {

feed_bells::seat::seat(std::shared_ptr<table> at, const tenant_id& t)
    : table_(std::move(at)), tenant_(t), bell_(std::make_unique<web::bell>(table_->io)) {
  table_->open[t].insert(bell_.get());
}

feed_bells::seat::~seat() {
  if (!bell_) return;
  const auto place = table_->open.find(tenant_);
  place->second.erase(bell_.get());
  if (place->second.empty()) table_->open.erase(place);
}

std::optional<feed_bells::seat> feed_bells::take(const tenant_id& t) {
  const auto open = table_->open.find(t);
  if (open != table_->open.end() && open->second.size() >= most_of_a_tenant) return std::nullopt;
  return std::optional<seat>{std::in_place, table_, t};
}

void feed_bells::ring(const tenant_id& t) {
  const auto open = table_->open.find(t);
  if (open == table_->open.end()) return;
  for (auto* b : open->second) b->ring();
}

}  // namespace connectord::web
