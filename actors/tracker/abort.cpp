#include "actors/tracker/abort.hpp"

#include <csignal>

namespace connectord::tracker {

void abort_at(const policy& rules, std::string_view point) {
  if (rules.abort_at == point) std::raise(SIGKILL);
}

}  // namespace connectord::tracker
