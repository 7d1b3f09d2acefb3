#pragma once

#include "domain/ids.hpp"
#include "http/stream.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>

namespace connectord::web {

/// The open streams of every tenant's feed. A copy is the same set; on the thread of its io_context.
class feed_bells {
  struct table {
    explicit table(asio::io_context& i) : io(i) {}
    asio::io_context& io;
    std::map<tenant_id, std::set<bell*>> open;
  };

 public:
  static constexpr std::size_t most_of_a_tenant = 100;

  explicit feed_bells(asio::io_context& io) : table_(std::make_shared<table>(io)) {}

  /// One stream, from its admission to its end.
  class seat {
   public:
    seat(std::shared_ptr<table> at, const tenant_id& t);
    seat(seat&&) noexcept = default;
    seat& operator=(seat&&) = delete;
    ~seat();
    web::bell& bell() const { return *bell_; }

   private:
    std::shared_ptr<table> table_;
    tenant_id tenant_;
    std::unique_ptr<web::bell> bell_;
  };
  /// Nothing when the tenant has all that it may have.
  std::optional<seat> take(const tenant_id& t);
  /// There may be new rows.
  void ring(const tenant_id& t);

 private:
  std::shared_ptr<table> table_;
};

}  // namespace connectord::web
