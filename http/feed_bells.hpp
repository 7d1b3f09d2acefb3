#pragma once

#include "domain/ids.hpp"
#include "http/stream.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace connectord::web {

/// The open streams of every tenant: of its feed, and of its pages. A copy is the same set; on the thread of
/// its io_context.
class feed_bells {
  struct listener {
    explicit listener(asio::io_context& io, bool p) : bell(io), rest(io), of_pages(p) {}
    web::bell bell, rest;
    bool of_pages, page_changed = false;
  };
  struct table {
    explicit table(asio::io_context& i) : io(i) {}
    asio::io_context& io;
    std::map<tenant_id, std::set<listener*>> open;
  };

 public:
  static constexpr std::size_t most_of_a_tenant = 100;

  explicit feed_bells(asio::io_context& io) : table_(std::make_shared<table>(io)) {}

  /// One stream, from its admission to its end.
  class seat {
   public:
    seat(std::shared_ptr<table> at, const tenant_id& t, bool of_pages);
    seat(seat&&) noexcept = default;
    seat& operator=(seat&&) = delete;
    ~seat();
    web::bell& bell() const { return listener_->bell; }
    /// Never rings: for whoever waits for time alone.
    web::bell& rest() const { return listener_->rest; }
    /// Whether a page changed since it was asked last.
    bool page_changed() const { return std::exchange(listener_->page_changed, false); }

   private:
    std::shared_ptr<table> table_;
    tenant_id tenant_;
    std::unique_ptr<listener> listener_;
  };
  /// Nothing when the tenant has all that it may have.
  std::optional<seat> take(const tenant_id& t, bool of_pages = false);
  /// There may be new rows.
  void ring(const tenant_id& t);
  /// Pages show something else now, of which the feed does not tell.
  void ring_pages(const tenant_id& t);

 private:
  std::shared_ptr<table> table_;
};

}  // namespace connectord::web
