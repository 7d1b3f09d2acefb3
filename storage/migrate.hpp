#pragma once

#include "base/embedded.hpp"
#include "storage/session.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace connectord::storage {

struct migration_state {
  std::vector<std::string> applied, pending;  ///< file names without `.sql`, in order

  std::string current() const { return applied.empty() ? std::string{} : applied.back(); }
};

/// Called before each statement of a step; an error ends the step, for tests of half-way deaths.
using migration_failpoint = std::function<result<>(std::string_view version, std::size_t statement)>;

/// Reads only. CONFLICT when an applied step is unknown here or its file has changed since.
result<migration_state> state(session& s, std::span<const embedded::file> steps = embedded::migrations());

/// Applies what is pending, each step in one transaction with its row in `migrations`, and answers
/// what it applied. Two processes may start at once: the second one waits and finds nothing to do.
result<std::vector<std::string>> migrate_up(session& s, timestamp now,
                                            std::span<const embedded::file> steps = embedded::migrations(),
                                            const migration_failpoint& failpoint = {});

}  // namespace connectord::storage
