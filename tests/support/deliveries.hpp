#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/services.hpp"
#include "base/crypto.hpp"
#include "config/provider_loader.hpp"

#include <string>

namespace connectord {

inline constexpr std::string_view test_secret = "a secret of the whole app";

inline const provider::catalog& shipped_catalog() {
  static const auto all = config::load_catalog(std::nullopt, true).value();
  return all;
}

/// The provider `example` alone: services of its own for each of many histories are cheap then.
inline const provider::catalog& example_catalog() {
  static const provider::catalog one{{*shipped_catalog().find("example")}};
  return one;
}

/// With an app-wide secret for the provider `example`.
inline std::shared_ptr<services> test_services(metrics& m, const provider::catalog& c = shipped_catalog()) {
  auto made = std::make_shared<services>(services{c, m, keyring{{{"k1", secret{std::string(32, 'k')}}}}, {}});
  provider::proof_settings proofs;
  proofs.app_secret = secret{std::string{test_secret}};
  made->webhooks.proofs.emplace("example", proofs);
  return made;
}

/// A signed delivery of the provider `example`; equal numbers make equal deliveries.
inline ingest_webhook test_delivery(int number, std::string_view key = test_secret) {
  ingest_webhook d;
  d.provider = "example";
  d.body = R"({"action":"created","id":")" + std::to_string(number) + R"("})";
  d.headers = {{"content-type", "application/json"},
               {"x-example-delivery", "delivery-" + std::to_string(number)},
               {"x-example-signature", "sha256=" + to_hex(bytes_of(hmac_sha256(key, d.body)))}};
  d.now = from_millis(1'760'000'000'000);
  return d;
}

inline tenant_command as_command(mutation m, std::uint64_t fingerprint = 0, bool provision = false) {
  tenant_command c{
      request_meta{"trace", std::chrono::steady_clock::now() + std::chrono::hours{1}, fingerprint, {}},
      std::move(m)};
  c.provision = provision;
  return c;
}

inline create_connection test_connection(std::string external_id) {
  create_connection c;
  c.wanted.provider = "example";
  c.wanted.external_id = std::move(external_id);
  c.now = from_millis(1'760'000'000'000);
  return c;
}

}  // namespace connectord
