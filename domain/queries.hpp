#pragma once

#include "base/time.hpp"
#include "domain/delivery.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/job.hpp"
#include "domain/tenant.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a listing may be asked for. Every member narrows; absent means "any". Times are inclusive.
namespace connectord {

/// Where a keyset page starts: after the row with this sort value and id.
struct position {
  std::int64_t sort = 0;  ///< milliseconds of the column that the listing is ordered by
  std::string id;
};

struct page {
  std::optional<position> after;
  int limit = 50;  ///< 1 to 100
};

/// Where a page of a team's list starts: behind the row with these values in the list's sort columns.
using sort_key = std::vector<std::variant<std::int64_t, std::string>>;
struct keyset {
  std::optional<sort_key> after;
  int limit = 50;  ///< 1 to 100
};

struct tenant_filter {
  std::optional<std::string> slug;
  std::optional<tenant_status> status;
};

/// What a list tells of each signal beside its kind, connection and times.
enum class signal_extra : std::uint8_t { none, payload, origin };  // origin: entity, delivery and job

struct signal_filter {
  std::optional<std::string> provider, kind;
  std::optional<connection_id> connection;
  std::optional<timestamp> occurred_after, occurred_before;
};

struct delivery_filter {
  std::optional<std::string> provider;
  std::optional<delivery_status> status;
  std::optional<connection_id> connection;
  std::optional<timestamp> received_after, received_before;
};

struct job_filter {
  std::optional<std::string> provider;
  std::optional<job_status> status;
  std::optional<job_type> type;
  std::optional<connection_id> connection;
  std::optional<timestamp> started_after, finished_after;
};

struct grounded_filter {
  std::optional<grounded_status> status;
  std::optional<double> min_score;
};

struct unrouted_filter {
  std::optional<std::string> provider;
  std::optional<timestamp> received_after;
};

/// Rows of one page; `more` says whether another row existed.
template <class Row>
struct rows_page {
  std::vector<Row> rows;
  bool more = false;
};

}  // namespace connectord
