#pragma once

#include "storage/session.hpp"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <utility>

#include <doctest/doctest.h>

namespace connectord {

/// What happened, in its order, as one number: two histories with equal traces are one history. Ids are made
/// anew in each, so they are no part of it.
class event_trace {
 public:
  explicit event_trace(storage::session& db) {
    note_changes(db);
    sum_ = events_ = 0;
  }
  template <class... Parts>
  void note(const Parts&... parts) {
    (add(std::hash<Parts>{}(parts)), ...);
    ++events_;
  }
  /// How many rows were changed since the last time.
  void note_changes(storage::session& db) {
    std::int64_t rows = 0;
    const auto asked = db.query("SELECT total_changes()", {}, [&](const auto& r) { rows = r.integer(0); });
    if (!asked) return note(-1);
    note(rows - std::exchange(changes_, rows));
  }
  std::size_t events() const { return events_; }
  bool operator==(const event_trace& other) const { return sum_ == other.sum_ && events_ == other.events_; }

 private:
  void add(std::size_t value) { sum_ = (std::rotl(sum_, 5) ^ value) * 0x9e3779b97f4a7c15; }

  std::uint64_t sum_ = 0;
  std::size_t events_ = 0;
  std::int64_t changes_ = 0;  ///< since the session began
};

/// CONNECTORD_SEEDS says how many simulated histories, CONNECTORD_FIRST_SEED where they begin.
struct seed_range {
  unsigned first, last;  ///< both are run

  explicit seed_range(unsigned usual) {
    const auto setting = [](const char* name, unsigned otherwise) {
      const char* wanted = std::getenv(name);
      return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : otherwise;
    };
    first = setting("CONNECTORD_FIRST_SEED", 1);
    last = first + setting("CONNECTORD_SEEDS", usual) - 1;
  }
};

/// A seed is a whole history: `told` twice of one seed is the same, and of another is not.
template <class Tell>
void check_replay(std::size_t least_events, const Tell& told) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const event_trace trace = told(seed);
    CHECK(trace.events() > least_events);
    CHECK(trace == told(seed));
    CHECK_FALSE(trace == told(seed + 1'000));
  }
}

}  // namespace connectord
