// A bounded load on a server of this machine: closed loop, or paced with --rate (latency then counts from the
// moment at which a request was due, so that a stall is not hidden by the wait that it causes).
//
//   bench_load --port N --path P --secret S    POST signed deliveries of 8 KB, each with a change of its own
//   bench_load --port N --path P --token T     GET
//
// Options: --connections 64, --seconds 3 (0: as many requests as there are tenants), --rate 0, --bytes 8069,
// --tenants FILE: the requests go to its lines in turn, a POST at the end of its path, a GET in a header.
//
// Prints `rate p50 p99 errors` with the latencies in microseconds.

#include "tools/bench_options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

/// HMAC-SHA256 of one long prefix and many short tails: the prefix is digested once.
class signer {
 public:
  signer(const std::string& secret, const std::string& prefix) {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    start_.reset(EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);
    std::string digest = "SHA256";
    const std::array parameters{OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                                OSSL_PARAM_construct_end()};
    const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
    if (EVP_MAC_init(start_.get(), key, secret.size(), parameters.data()) != 1 ||
        EVP_MAC_update(start_.get(), reinterpret_cast<const unsigned char*>(prefix.data()), prefix.size()) !=
            1)
      throw std::runtime_error{"HMAC"};
  }

  std::string hex(const std::string& tail) const {
    const context copy{EVP_MAC_CTX_dup(start_.get())};
    std::array<unsigned char, 32> digest{};
    std::size_t size = 0;
    EVP_MAC_update(copy.get(), reinterpret_cast<const unsigned char*>(tail.data()), tail.size());
    EVP_MAC_final(copy.get(), digest.data(), &size, digest.size());
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const auto byte : digest) {
      text += digits[byte >> 4];
      text += digits[byte & 15];
    }
    return text;
  }

 private:
  struct free_context {
    void operator()(EVP_MAC_CTX* c) const { EVP_MAC_CTX_free(c); }
  };
  using context = std::unique_ptr<EVP_MAC_CTX, free_context>;
  context start_;
};

/// The part of every delivery that is the same: a repository with labels enough to fill it up.
std::string common_part(std::size_t bytes) {
  std::string text =
      R"({"action":"opened","sender":{"id":5,"login":"ada"},"repository":{"id":77,"full_name":"acme/widgets",)"
      R"("owner":{"id":4001,"login":"acme"},"labels":[)";
  for (int i = 0; text.size() + 400 < bytes; ++i) {
    if (i != 0) text += ',';
    text += R"({"id":)" + std::to_string(208045946 + i) + R"(,"name":"label-)" + std::to_string(i) +
            R"(","color":"d73a4a","default":true,"description":"Something is not working as it should"})";
  }
  return text + "]},";
}

struct load {
  explicit load(const options& given)
      : port(static_cast<unsigned short>(given.number("port", 0))),
        path(given.text("path", "/")),
        token(given.text("token")),
        common(common_part(static_cast<std::size_t>(given.number("bytes", 8069)))),
        proof(given.text("secret", "none"), common),
        rate(static_cast<double>(given.number("rate", 0))),
        first(steady::now().time_since_epoch().count()) {
    std::ifstream file{given.text("tenants")};
    for (std::string line; std::getline(file, line);) tenants.push_back(line);
    started = steady::now();
    const auto seconds = given.number("seconds", 3);
    ending = seconds == 0 ? steady::time_point::max() : started + std::chrono::seconds{seconds};
    most = seconds == 0 ? static_cast<long>(tenants.size()) : 100'000'000;
  }

  bool done() const { return sent >= most || steady::now() >= ending; }

  /// When the next request is due; closed loop: now.
  steady::time_point due() const {
    if (rate <= 0) return steady::now();
    const auto offset = std::chrono::duration<double>{static_cast<double>(sent) / rate};
    return started + std::chrono::duration_cast<steady::duration>(offset);
  }

  /// Head and tail of request `number`; a delivery has the common part between them.
  std::pair<std::string, std::string> next(long number) const {
    const auto tenant =
        tenants.empty() ? std::string{} : tenants[static_cast<std::size_t>(number) % tenants.size()];
    if (!token.empty()) {
      std::string head =
          "GET " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token + "\r\n";
      if (!tenant.empty()) head += "X-Tenant-Id: " + tenant + "\r\n";
      return {head + "\r\n", {}};
    }
    const auto id = std::to_string(first / 1'000 + number);  // new in every run
    std::string tail =
        R"("issue":{"id":)" + id + R"(,"number":)" + id +
        R"(,"title":"Measured","updated_at":"2025-03-04T05:06:07Z","user":{"id":5,"login":"ada"}}})";
    std::string head =
        "POST " + path + tenant +
        " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: issues\r\n";
    head += "X-GitHub-Delivery: " + std::to_string(first) + "-" + id +
            "\r\nX-Hub-Signature-256: sha256=" + proof.hex(tail);
    head += "\r\nContent-Length: " + std::to_string(common.size() + tail.size()) + "\r\n\r\n";
    return {std::move(head), std::move(tail)};
  }

  unsigned short port;
  std::string path, token, common;
  signer proof;
  double rate;
  long long first;  ///< makes the delivery ids of this run its own
  std::vector<std::string> tenants;
  steady::time_point started, ending;
  long most = 0, sent = 0, errors = 0;
  std::vector<double> latencies;  ///< microseconds
};

/// Reads one answer; true for a 2xx. `received` keeps what has not been used.
asio::awaitable<bool> answered(tcp::socket& socket, std::string& received) {
  std::array<char, 65536> part;
  std::size_t whole = 0;
  while (whole == 0 || received.size() < whole) {
    if (whole == 0) {
      const auto head = received.find("\r\n\r\n");
      if (head != std::string::npos) {
        auto at = received.find("Content-Length: ");
        if (at == std::string::npos || at > head) at = received.find("content-length: ");
        if (at == std::string::npos || at > head) throw std::runtime_error{"an answer without a length"};
        whole = head + 4 + std::strtoul(received.c_str() + at + 16, nullptr, 10);
        continue;
      }
    }
    const auto got = co_await socket.async_read_some(asio::buffer(part), use_awaitable);
    received.append(part.data(), got);
  }
  const bool good = received.compare(9, 1, "2") == 0;
  received.erase(0, whole);
  co_return good;
}

asio::awaitable<void> client(load& work) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket{executor};
  asio::steady_timer timer{executor};
  const tcp::endpoint server{asio::ip::address_v4::loopback(), work.port};
  co_await socket.async_connect(server, use_awaitable);
  socket.set_option(tcp::no_delay{true});
  std::string received;
  while (!work.done()) {
    const auto due = work.due();
    const auto number = ++work.sent;
    if (due > steady::now()) {
      timer.expires_at(due);
      co_await timer.async_wait(use_awaitable);
    }
    const auto [head, tail] = work.next(number);
    const std::array<asio::const_buffer, 3> parts{
        asio::buffer(head), asio::buffer(work.token.empty() ? work.common : tail), asio::buffer(tail)};
    co_await asio::async_write(socket, parts, use_awaitable);
    if (!co_await answered(socket, received)) ++work.errors;
    work.latencies.push_back(std::chrono::duration<double, std::micro>(steady::now() - due).count());
  }
}

asio::awaitable<void> guarded(load& work) {
  try {
    co_await client(work);
  } catch (const std::exception& e) {
    ++work.errors;
    std::fprintf(stderr, "%s\n", e.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const options given{argc, argv};
  load work{given};
  asio::io_context context{1};
  for (long i = 0; i < given.number("connections", 64); ++i)
    asio::co_spawn(context, guarded(work), asio::detached);
  context.run();

  auto& all = work.latencies;
  const auto took = std::chrono::duration<double>(steady::now() - work.started).count();
  std::sort(all.begin(), all.end());
  const auto at = [&](double share) {
    return all.empty() ? 0.0 : all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
  };
  std::printf("%.0f %.0f %.0f %ld\n", static_cast<double>(all.size()) / took, at(0.5), at(0.99), work.errors);
  return work.errors == 0 ? 0 : 1;
}
