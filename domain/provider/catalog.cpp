#include "domain/provider/catalog.hpp"

#include "base/crypto.hpp"

#include <algorithm>

namespace connectord::provider {

catalog::catalog(std::vector<definition> definitions) : definitions_(std::move(definitions)) {
  std::ranges::sort(definitions_, {}, &definition::slug);
  std::string all;
  for (const auto& d : definitions_) (all += d.slug) += d.digest;
  for (const auto& d : definitions_) {
    for (const auto& p : d.webhook.proofs) {
      proof_headers_.insert(p.header);
      if (p.timestamp && p.timestamp->time.from.root == lookup_root::header)
        proof_headers_.insert(p.timestamp->time.from.header);
    }
  }
  version_ = to_hex(bytes_of(sha256(all))).substr(0, 12);
}

const definition* catalog::find(std::string_view slug) const {
  const auto at = std::ranges::lower_bound(definitions_, slug, {}, &definition::slug);
  return at != definitions_.end() && at->slug == slug ? &*at : nullptr;
}

}  // namespace connectord::provider
