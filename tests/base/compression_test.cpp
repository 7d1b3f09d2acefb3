#include "base/compression.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace connectord;

namespace {

std::string noise(std::size_t size) {
  std::mt19937 random{20261128};
  std::string out;
  while (out.size() < size) out.push_back(static_cast<char>(random()));
  return out;
}

}  // namespace

TEST_CASE("what is compressed comes back byte for byte") {
  for (const auto& bytes : {std::string{}, std::string{"{}"}, std::string(1 << 20, 'a'), noise(1 << 20)}) {
    const auto frame = compress(bytes);
    CHECK(is_compressed(frame));
    CHECK(decompress(frame, bytes.size()) == bytes);
  }
  CHECK(compress(std::string(1 << 20, 'a')).size() < 1000);
}

TEST_CASE("a frame that is cut, altered, followed by more or larger than the limit gives nothing") {
  const auto frame = compress(noise(5000));
  for (std::size_t kept = 0; kept < frame.size(); kept += 100)
    CHECK(!decompress(frame.substr(0, kept), 5000));
  CHECK(!decompress(frame + "x", 5000));
  CHECK(!decompress(frame, 4999));
  CHECK(!decompress("{\"plain\": true}", 5000));
  CHECK(!is_compressed("{\"plain\": true}"));
}
