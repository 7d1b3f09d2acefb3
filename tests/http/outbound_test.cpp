#include "http/outbound.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

using namespace connectord;
using namespace connectord::web;

namespace {

using boost::asio::ip::tcp;
using std::chrono::steady_clock;

/// A certificate that vouches for itself, in files that go with it.
class certificate {
 public:
  explicit certificate(const std::string& names) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> x{X509_new(), &X509_free};
    X509_set_version(x.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
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

/// What a client meets on loopback; both run on one thread.
class upstream {
 public:
  explicit upstream(std::string answer, const certificate* identity = nullptr) : answer_(std::move(answer)) {
    if (identity != nullptr) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_file(identity->file(), asio::ssl::context::pem);
      tls_->use_private_key_file(identity->file(), asio::ssl::context::pem);
    }
    asio::co_spawn(io_, accept(), asio::detached);
  }

  bool silent = false;  ///< takes a request and says nothing
  bool mute = false;    ///< does not even shake hands
  int connected = 0, asked = 0;
  std::string seen, named;

  std::string at(const std::string& host, const std::string& path = "/keys") const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port()) + path;
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  result<http_answer> get(const outbound_settings& settings, const std::string& url,
                          milliseconds patience = seconds{20}) {
    outbound_client client{io_, settings};
    std::optional<result<http_answer>> out;
    asio::co_spawn(io_, client.get(url, steady_clock::now() + patience),
                   [&](std::exception_ptr crash, result<http_answer> got) {
                     CHECK_FALSE(crash);
                     out = std::move(got);
                     io_.stop();
                   });
    io_.restart();
    io_.run();
    return *out;
  }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      ++connected;
      asio::co_spawn(io_, converse(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> converse(tcp::socket socket) {
    if (mute) co_await never();
    if (!tls_) co_return co_await answer(socket);
    asio::ssl::stream<tcp::socket&> stream{socket, *tls_};
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    const auto* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    named = name == nullptr ? "" : name;
    co_await answer(stream);
  }
  template <class Stream>
  asio::awaitable<void> answer(Stream& stream) {
    seen.clear();
    co_await asio::async_read_until(stream, asio::dynamic_buffer(seen), "\r\n\r\n", asio::use_awaitable);
    ++asked;
    if (silent) co_await never();
    co_await asio::async_write(stream, asio::buffer(answer_), asio::use_awaitable);
  }
  asio::awaitable<void> never() {
    asio::steady_timer timer{io_, steady_time::max()};
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::optional<asio::ssl::context> tls_;
  std::string answer_;
};

const std::string fine =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=60\r\nX-Odd: a\r\n\r\n{}";

outbound_settings relaxed() {
  outbound_settings s;
  s.relaxed = true;
  return s;
}

std::string reason(const result<http_answer>& r) {
  if (r) return "answered";
  const error e = r.error();
  CHECK(e.code() == errc::provider_error);
  return std::string{e.details().at("provider").at("error").as_string()};
}
int status(const result<http_answer>& r) {
  if (r) return r->status;
  const error e = r.error();
  return static_cast<int>(e.details().at("provider").at("status").as_int64());
}

}  // namespace

TEST_CASE("only public unicast addresses are public") {
  for (const auto* text : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
                           "192.0.3.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"}) {
    CAPTURE(text);
    CHECK(is_public(parse_ip(text).value()));
  }
  for (const auto* text : {"0.0.0.0",      "10.1.2.3",        "100.64.0.1",
                           "127.0.0.1",    "127.255.0.1",     "169.254.169.254",
                           "172.16.0.1",   "172.31.255.255",  "192.0.0.8",
                           "192.0.2.1",    "192.168.1.1",     "198.18.0.1",
                           "198.51.100.7", "203.0.113.9",     "224.0.0.1",
                           "240.0.0.1",    "255.255.255.255", "::",
                           "::1",          "::ffff:10.0.0.1", "::ffff:169.254.169.254",
                           "::127.0.0.1",  "64:ff9b::a00:1",  "100::1",
                           "2001:db8::1",  "2001::1",         "2002:a00:1::1",
                           "3fff::1",      "fc00::1",         "fd12::1",
                           "fe80::1",      "fec0::1",         "ff02::1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_public(parse_ip(text).value()));
  }
}

TEST_CASE("an answer comes back whole, and the request names its host") {
  upstream server{fine};
  const auto got = server.get(relaxed(), server.at("127.0.0.1", "/keys?v=3"));
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK(got->body == "{}");
  CHECK(got->header("cache-control") == "max-age=60");
  CHECK(got->header("x-odd") == "a");
  CHECK_FALSE(got->header("etag"));
  CHECK(server.seen.starts_with("GET /keys?v=3 HTTP/1.1\r\n"));
  CHECK(server.seen.find("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n") !=
        std::string::npos);
}

TEST_CASE("a private address is not even connected to, by whatever name it goes") {
  upstream server{fine};
  outbound_settings strict;
  for (const auto* host : {"127.0.0.1", "localhost", "LOCALHOST", "127.1", "2130706433", "[::1]",
                           "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    CAPTURE(host);
    CHECK(reason(server.get(strict, server.at(host))) == "network_error");
    CHECK(reason(server.get(strict, "https://" + std::string{host} + ":" + std::to_string(server.port()))) ==
          "network_error");
  }
  // Relaxed profiles may reach loopback, and nothing else that is private.
  CHECK(reason(server.get(relaxed(), server.at("169.254.169.254"), milliseconds{500})) == "network_error");
  CHECK(reason(server.get(relaxed(), "https://10.0.0.1/", milliseconds{500})) == "network_error");
  // The list lets addresses in; it does not take TLS away.
  strict.allowed_networks = {parse_network("127.0.0.0/8").value()};
  strict.allowed_hosts = {"localhost"};
  CHECK(reason(server.get(strict, server.at("127.0.0.1"))) == "network_error");
  CHECK(server.connected == 0);
}

TEST_CASE("what is allowed by network or by name is reached over TLS, and the name is sent along") {
  const certificate identity{"DNS:localhost,IP:127.0.0.1"};
  upstream server{fine, &identity};
  outbound_settings strict;
  strict.authorities = identity.file();
  CHECK(reason(server.get(strict, server.at("localhost"))) == "network_error");
  CHECK(server.connected == 0);

  strict.allowed_hosts = {"localhost"};
  CHECK(status(server.get(strict, server.at("localHost"))) == 200);
  CHECK(server.named == "localhost");
  CHECK(reason(server.get(strict, server.at("127.0.0.1"))) == "network_error");
  strict.allowed_networks = {parse_network("127.0.0.0/8").value()};
  CHECK(status(server.get(strict, server.at("127.0.0.1"))) == 200);
  CHECK(server.named == "");
}

TEST_CASE("a certificate must come from a known authority and name the host") {
  const certificate identity{"DNS:localhost"}, stranger{"DNS:localhost"}, elsewhere{"DNS:other.example"};
  auto settings = relaxed();
  settings.authorities = identity.file();
  upstream good{fine, &identity}, unknown{fine, &stranger}, misnamed{fine, &elsewhere};
  CHECK(reason(good.get(settings, good.at("localhost"))) == "answered");
  CHECK(reason(good.get(settings, good.at("127.0.0.1"))) == "network_error");
  CHECK(reason(unknown.get(settings, unknown.at("localhost"))) == "network_error");
  settings.authorities = elsewhere.file();
  CHECK(reason(misnamed.get(settings, misnamed.at("localhost"))) == "network_error");
  CHECK(unknown.connected + misnamed.connected == 2);
  CHECK(unknown.asked + misnamed.asked == 0);
  settings.authorities.clear();  // those of the system know none of ours
  CHECK(reason(good.get(settings, good.at("localhost"))) == "network_error");
}

TEST_CASE("redirects are not followed and other refusals keep their status") {
  upstream server{fine};
  upstream away{"HTTP/1.1 302 Found\r\nLocation: " + server.at("127.0.0.1") +
                "\r\nContent-Length: 0\r\n\r\n"};
  const auto got = away.get(relaxed(), away.at("127.0.0.1"));
  CHECK(reason(got) == "http_error");
  CHECK(status(got) == 302);
  CHECK(away.asked == 1);
  upstream broken{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nsecret"};
  CHECK(status(broken.get(relaxed(), broken.at("127.0.0.1"))) == 503);
}

TEST_CASE("an answer over the cap is cut off, declared or not") {
  auto settings = relaxed();
  settings.most_bytes = 1000;
  upstream declared{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"};
  CHECK(reason(declared.get(settings, declared.at("127.0.0.1"))) == "malformed_response");
  upstream endless{"HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x')};
  CHECK(reason(endless.get(settings, endless.at("127.0.0.1"))) == "malformed_response");
  upstream chunked{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(0x800, 'x')};
  CHECK(reason(chunked.get(settings, chunked.at("127.0.0.1"))) == "malformed_response");
  upstream heady{"HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"};
  CHECK(reason(heady.get(settings, heady.at("127.0.0.1"))) == "malformed_response");
  upstream exact{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')};
  CHECK(reason(exact.get(settings, exact.at("127.0.0.1"))) == "answered");
}

TEST_CASE("nobody waits beyond the deadline") {
  const auto late = milliseconds{50};
  upstream silent{fine};
  silent.silent = true;
  CHECK(reason(silent.get(relaxed(), silent.at("127.0.0.1"), late)) == "timeout");
  CHECK(silent.asked == 1);
  upstream endless{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123"};
  endless.silent = true;
  auto settings = relaxed();
  settings.total_timeout = late;
  CHECK(reason(endless.get(settings, endless.at("127.0.0.1"))) == "timeout");

  const certificate identity{"DNS:localhost"};
  upstream mute{fine, &identity};
  mute.mute = true;
  settings = relaxed();
  settings.connect_timeout = late;
  CHECK(reason(mute.get(settings, mute.at("localhost"))) == "timeout");
  CHECK(mute.connected == 1);
  upstream any{fine};
  CHECK(reason(any.get(relaxed(), any.at("localhost"), milliseconds{-1})) == "timeout");
}

TEST_CASE("what is no HTTP is malformed, and a connection that breaks is a network error") {
  const auto outcome = [](const std::string& answer) {
    upstream server{answer};
    return reason(server.get(relaxed(), server.at("127.0.0.1")));
  };
  CHECK(outcome("SSH-2.0-OpenSSH_9.2\r\n\r\n") == "malformed_response");
  CHECK(outcome("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n") == "malformed_response");
  CHECK(outcome("") == "network_error");
  CHECK(outcome("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123") == "network_error");
  std::string refused;
  {
    upstream gone{fine};
    refused = gone.at("127.0.0.1");
  }
  upstream other{fine};
  CHECK(reason(other.get(relaxed(), refused)) == "network_error");
}

TEST_CASE("a URL with credentials, without a host or of another kind is refused") {
  upstream server{fine};
  const auto port = std::to_string(server.port());
  for (const auto& url : {"http://user:pw@127.0.0.1:" + port + "/", "ftp://127.0.0.1:" + port + "/",
                          "//127.0.0.1:" + port + "/", std::string{"http:///keys"}, std::string{"keys"},
                          std::string{}, "http://127.0.0.1:" + port + "/a b"}) {
    CAPTURE(url);
    CHECK(reason(server.get(relaxed(), url)) == "network_error");
  }
  CHECK(server.connected == 0);
}
