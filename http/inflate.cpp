#include "http/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace connectord::web {
namespace {

class inflater {
 public:
  inflater() {
    constexpr int gzip_only = 16;
    if (inflateInit2(&z_, gzip_only + MAX_WBITS) != Z_OK) throw std::bad_alloc{};
  }
  ~inflater() { inflateEnd(&z_); }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  z_stream* operator->() { return &z_; }
  int step() { return inflate(&z_, Z_NO_FLUSH); }
  bool next_member() { return inflateReset(&z_) == Z_OK; }

 private:
  z_stream z_{};
};

error too_large(std::size_t limit) {
  return error{errc::payload_too_large}.with("limit_bytes", static_cast<std::int64_t>(limit));
}

}  // namespace

result<std::string> gunzip(std::string_view packed, std::size_t limit) {
  constexpr std::size_t block = 64 * 1024;
  inflater z;
  z->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z->avail_in = static_cast<uInt>(packed.size());
  std::string out;
  for (;;) {
    const auto have = out.size();
    if (have > limit) return too_large(limit);
    out.resize(std::min(limit + 1, std::max(2 * have, block)));
    z->next_out = reinterpret_cast<Bytef*>(out.data() + have);
    z->avail_out = static_cast<uInt>(out.size() - have);
    int state = Z_OK;
    while (z->avail_out > 0 && state == Z_OK) {
      state = z.step();
      if (state == Z_STREAM_END && z->avail_in > 0 && z.next_member()) state = Z_OK;
    }
    out.resize(out.size() - z->avail_out);
    if (state == Z_STREAM_END) break;
    if (state != Z_OK) return error{errc::invalid_body};
  }
  if (out.size() > limit) return too_large(limit);
  return out;
}

}  // namespace connectord::web
