#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// A JSON object as a tree that knows what digests and complaints need: numbers as they were written, members
/// sorted, and where in the text everything stood.
namespace connectord::tracker {

struct member;

/// Sixteen bytes, since a body of a few megabytes may hold millions of them. Views live as long as the
/// document.
class node {
 public:
  enum class kind : std::uint8_t { null, boolean, integer, fraction, string, array, object };

  node() = default;
  node(kind k, std::size_t at, std::string_view text)
      : data_(text.data()),
        size_(static_cast<std::uint32_t>(text.size())),
        kind_(static_cast<unsigned>(k)),
        at_(static_cast<std::uint32_t>(at)) {}
  node(kind k, std::size_t at, const void* children, std::size_t count)
      : data_(children),
        size_(static_cast<std::uint32_t>(count)),
        kind_(static_cast<unsigned>(k)),
        at_(static_cast<std::uint32_t>(at)) {}

  kind type() const { return static_cast<kind>(kind_); }
  bool is(kind k) const { return type() == k; }
  /// Offset in the text.
  std::size_t at() const { return at_; }
  /// A string without its quotes and escapes; any other scalar as it was written.
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }
  std::span<const node> items() const { return {static_cast<const node*>(data_), size_}; }
  /// Sorted by name, bytewise (which is by code point); of duplicates only the last one.
  std::span<const member> members() const;
  /// The member of that name, or nullptr.
  const node* find(std::string_view name) const;

 private:
  const void* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t kind_ : 3 = 0;
  std::uint32_t at_ : 29 = 0;
};

struct member {
  std::string_view name;
  node value;
};

inline std::span<const member> node::members() const { return {static_cast<const member*>(data_), size_}; }

class document {
 public:
  /// Texts of this size and more are refused: a node has 29 bits for its place.
  static constexpr std::size_t max_size = std::size_t{1} << 29;

  /// Nothing for what is no UTF-8, no JSON, no object, or nested deeper than max_json_depth.
  static std::optional<document> parse(std::string_view text);

  document(document&&) noexcept;
  document& operator=(document&&) noexcept;
  ~document();

  const node& root() const { return root_; }

 private:
  struct storage;

  document();

  std::unique_ptr<storage> storage_;
  node root_;
};

/// The form that digests are made of: members sorted, no white space, shortest escapes, integers as written,
/// other numbers the shortest way that reads back the same (with a `.0` where they look like an integer).
void append_canonical(std::string& out, const node& value);

}  // namespace connectord::tracker
