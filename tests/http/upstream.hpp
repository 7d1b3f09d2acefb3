#pragma once

#include "http/outbound.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace connectord::web::testing {

using boost::asio::ip::tcp;
using std::chrono::steady_clock;

/// A certificate that vouches for itself, in files that go with it.
class certificate {
 public:
  explicit certificate(const std::string& names, long lifetime = 3600) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> x{X509_new(), &X509_free};
    X509_set_version(x.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), lifetime);
    X509_set_pubkey(x.get(), key.get());
    auto* subject = X509_get_subject_name(x.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("a test"),
                               -1, -1, 0);
    X509_set_issuer_name(x.get(), subject);
    auto* san = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(x.get(), san, -1);
    X509_EXTENSION_free(san);
    X509_sign(x.get(), key.get(), EVP_sha256());

    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("connectord-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".pem");
    auto* file = std::fopen(path_.c_str(), "w");
    REQUIRE(file != nullptr);
    PEM_write_X509(file, x.get());
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~certificate() { std::filesystem::remove(path_); }
  certificate(const certificate&) = delete;
  certificate& operator=(const certificate&) = delete;

  std::string file() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// One thread for the client and for what it meets on loopback.
class net {
 public:
  asio::io_context io{1};

  http_response send(outbound_client& client, http_request r, milliseconds patience = seconds{20}) {
    std::optional<http_response> out;
    client.start(std::move(r), steady_clock::now() + patience, [&](http_response got) {
      out = std::move(got);
      io.stop();
    });
    io.restart();
    io.run();
    return *out;
  }
};

/// What the other side does with a request, or instead of taking one.
enum class habit { answers, drips, pours, says_nothing, hangs_up, does_not_shake_hands };

class upstream {
 public:
  upstream(net& n, std::vector<std::string> answers, const certificate* identity = nullptr)
      : net_(n), answers_(std::move(answers)) {
    if (identity != nullptr) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_file(identity->file(), asio::ssl::context::pem);
      tls_->use_private_key_file(identity->file(), asio::ssl::context::pem);
    }
    asio::co_spawn(net_.io, accept(), asio::detached);
  }
  upstream(net& n, std::string answer, const certificate* identity = nullptr)
      : upstream(n, std::vector{std::move(answer)}, identity) {}

  habit does = habit::answers;
  bool stays = false;  ///< open after an answer
  int connected = 0, asked = 0;
  std::string seen;   ///< the last request
  std::string named;  ///< by the client, in TLS

  std::string at(const std::string& host = "127.0.0.1", const std::string& path = "/keys") const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port()) + path;
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void answer_with(std::string text) { answers_ = {std::move(text)}; }

  http_response get(const outbound_settings& settings, const std::string& url,
                    milliseconds patience = seconds{20}) {
    outbound_client client{net_.io, settings};
    http_request r;
    r.url = url;
    return net_.send(client, std::move(r), patience);
  }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      socket.set_option(tcp::no_delay{true});
      ++connected;
      asio::co_spawn(net_.io, converse(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> converse(tcp::socket socket) {
    if (does == habit::does_not_shake_hands) co_await forever();
    if (!tls_) co_return co_await serve(socket, socket);
    asio::ssl::stream<tcp::socket&> stream{socket, *tls_};
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    const auto* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    named = name == nullptr ? "" : name;
    co_await serve(stream, socket);
  }
  template <class Stream>
  asio::awaitable<void> serve(Stream& stream, tcp::socket& socket) {
    do {
      co_await read_request(stream);
      const auto& text = answers_[std::min<std::size_t>(asked, answers_.size() - 1)];
      ++asked;
      if (does == habit::says_nothing) co_await forever();
      if (does == habit::hangs_up) {
        socket.set_option(asio::socket_base::linger{true, 0});
        co_return;
      }
      if (does == habit::drips) co_await drip(stream, text);
      do co_await asio::async_write(stream, asio::buffer(text), asio::use_awaitable);
      while (does == habit::pours);
    } while (stays);
  }
  template <class Stream>
  asio::awaitable<void> read_request(Stream& stream) {
    std::string text;
    const auto head =
        co_await asio::async_read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", asio::use_awaitable);
    std::size_t length = 0;
    if (const auto field = text.find("Content-Length: "); field < head)
      std::from_chars(text.data() + field + 16, text.data() + head, length);
    if (text.size() < head + length)
      co_await asio::async_read(stream, asio::dynamic_buffer(text),
                                asio::transfer_exactly(head + length - text.size()), asio::use_awaitable);
    seen = std::move(text);
  }
  template <class Stream>
  asio::awaitable<void> drip(Stream& stream, const std::string& text) {
    asio::steady_timer timer{net_.io};
    for (std::size_t i = 0;; ++i) {
      co_await asio::async_write(stream, asio::buffer(&text[std::min(i, text.size() - 1)], 1),
                                 asio::use_awaitable);
      timer.expires_after(milliseconds{2});
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
  asio::awaitable<void> forever() {
    asio::steady_timer timer{net_.io, steady_time::max()};
    co_await timer.async_wait(asio::use_awaitable);
  }

  net& net_;
  tcp::acceptor acceptor_{net_.io, {asio::ip::address_v4::loopback(), 0}};
  std::optional<asio::ssl::context> tls_;
  std::vector<std::string> answers_;
};

}  // namespace connectord::web::testing
