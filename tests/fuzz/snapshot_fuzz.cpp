#include "domain/snapshot.hpp"

#include <cstdint>
#include <cstdlib>

using namespace connectord;

/// Damage is noticed or harmless: what is read at all is rows that could have been written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rows = read_snapshot({reinterpret_cast<const char*>(data), size});
  if (!rows) return 0;
  for (const auto& c : *rows)
    if (c.status != connection_status::active && c.status != connection_status::error &&
        c.status != connection_status::revoked)
      std::abort();
  if (read_snapshot(write_snapshot(*rows)) != rows) std::abort();
  return 0;
}
