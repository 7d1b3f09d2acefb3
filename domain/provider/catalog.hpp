#pragma once

#include "domain/provider/definition.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::provider {

/// Every registered provider; unchanging once made.
class catalog {
 public:
  /// Slugs are unique.
  explicit catalog(std::vector<definition> definitions);

  const definition* find(std::string_view slug) const;
  /// Sorted by slug.
  const std::vector<definition>& all() const noexcept { return definitions_; }
  /// Changes when any definition does; receipts name it.
  std::string_view version() const noexcept { return version_; }
  /// Some provider proves its deliveries with that header (lower case): it is not stored.
  bool is_proof_header(std::string_view name) const { return proof_headers_.contains(name); }

 private:
  std::vector<definition> definitions_;
  std::string version_;
  std::set<std::string, std::less<>> proof_headers_;
};

}  // namespace connectord::provider
