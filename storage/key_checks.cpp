#include "storage/key_checks.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<std::vector<key_check>> load_key_checks(session& s) {
  return all_of(s, select{"SELECT key_id, ciphertext FROM key_checks ORDER BY key_id"}, [](const row& r) {
    return key_check{r.str(0), std::string{r.bytes(1)}};
  });
}

result<> store_key_check(session& s, const key_check& check) {
  return done(
      s.execute("INSERT INTO key_checks (key_id, ciphertext) VALUES ($1, $2)"
                " ON CONFLICT (key_id) DO NOTHING",
                {check.key_id, blob{check.ciphertext}}));
}

}  // namespace connectord::storage
