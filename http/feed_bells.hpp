#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"
#include "http/stream.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace connectord::web {

/// How far a page has been told of changes: an event's id, and what a page's stream goes on from.
struct page_mark {
  std::int64_t seq = 0;      ///< the feed's last row
  std::int64_t edition = 0;  ///< of what the feed does not tell of; 0: unknown, so older than any

  /// "12.1764345600000000"; the edition may be left out.
  static std::optional<page_mark> parse(std::string_view text);
  std::string text() const;
};

/// The open streams of every tenant: of its feed, and of its pages. A copy is the same set; on the thread of
/// its io_context.
///
/// Rows of the feed have numbers. What else a page shows changes without one, so each change of it has its
/// own: a page that was made, or whose stream was cut, before the change is still told of it.
class feed_bells {
  struct listener {
    explicit listener(asio::io_context& io, bool p) : bell(io), rest(io), of_pages(p) {}
    web::bell bell, rest;
    bool of_pages;
  };
  struct table {
    explicit table(asio::io_context& i, timestamp start)
        : io(i), edition(to_millis(start) * 1000), forgotten(edition) {}
    asio::io_context& io;
    std::map<tenant_id, std::set<listener*>> open;
    std::int64_t edition;    ///< of the last change, anyone's
    std::int64_t forgotten;  ///< changes up to here are nobody's: any tenant may have made them
    std::unordered_map<tenant_id, std::int64_t> changed;
  };

 public:
  static constexpr std::size_t most_of_a_tenant = 100;
  static constexpr std::size_t most_remembered = 10'000;  ///< tenants whose last change is known

  /// `start`: editions of this process are later than those of the one before.
  feed_bells(asio::io_context& io, timestamp start) : table_(std::make_shared<table>(io, start)) {}

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
  /// What a page that is read from now on has seen.
  std::int64_t edition() const { return table_->edition; }
  /// Whether pages of the tenant may have changed after that one.
  bool changed_after(const tenant_id& t, std::int64_t edition) const;

 private:
  std::shared_ptr<table> table_;
};

}  // namespace connectord::web
