#pragma once

#include "domain/ids.hpp"
#include "storage/session.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// One sealed column of one connection, or of a gate: that one counts as a connection of the provider `gate`.
struct sealed_value {
  tenant_id tenant;
  connection_id connection;
  std::string provider;
  int column = 0;  ///< index into the sealed columns
  std::string ciphertext;
};

/// Where a walk over all sealed values goes on; empty texts start it.
struct sealed_cursor {
  std::string tenant, connection;
};
sealed_cursor position_of(const sealed_value& v);

/// The sealed values of at most `limit` connections behind `after`, by tenant and connection. Fewer
/// values than `limit` do not mean the end; none does.
result<std::vector<sealed_value>> sealed_values(session& s, const sealed_cursor& after, int limit);
/// Compare and set on the old bytes; false when somebody else wrote in between.
result<bool> swap_sealed_value(session& s, const sealed_value& old, std::string_view ciphertext);

/// The key ids that the stored ciphertexts name.
result<std::vector<std::string>> key_ids_in_use(session& s);

}  // namespace connectord::storage
