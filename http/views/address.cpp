#include "http/views/address.hpp"

#include "http/list.hpp"

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

struct sentence {
  std::string_view code, text;
  bool of_tracker = false;
};
constexpr std::array sentences{
    sentence{"connected", "Connected. Its first sync has been queued."},
    sentence{"disconnected", "Disconnected. Its tokens and secrets are erased; its signals stay."},
    sentence{"refreshed", "It has new tokens."},
    sentence{"queued", "A sync has been queued."},
    sentence{"in-the-queue", "A sync was in the queue already."},
    sentence{"replayed", "The delivery was processed once more."},
    sentence{"bound", "Bound. Snapshots of that workspace land here from now on.", true},
    sentence{"bound-before", "That workspace is bound to the project already.", true},
    sentence{"joined", "The project is bound to that workspace already: now this leads there, too.", true},
    sentence{"changed", "Changed."},
    sentence{"unbound", "Unbound. Issues, links and receipts stay as history.", true},
    sentence{"mapped", "Mapped, and applied.", true},
    sentence{"issue-mapped", "The issue is mapped now.", true},
    sentence{"issue-mapped-before", "It was mapped like that already.", true},
    sentence{"issue-remapped", "Another issue is mapped now.", true},
    sentence{"issue-unmapped", "The issue is not mapped any more.", true},
    sentence{"issue-unmapped-before", "It was not mapped any more.", true},
    sentence{"discarded", "Discarded. Nothing of it was applied.", true},
};

}  // namespace

address::address(const request& r) : request_(r) {
  if (auto fields = form_decoded(r.query)) sent_ = std::move(*fields);
}

std::optional<std::string> address::value(std::string_view name) const {
  const auto found = std::ranges::find(sent_, name, &form_fields::value_type::first);
  if (found == sent_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<std::string> address::filter(std::string_view name) {
  auto text = value(name);
  if (text) filters_.emplace_back(name, *text);
  return text;
}

std::optional<std::string> address::filter(std::string_view name,
                                           std::initializer_list<std::string_view> allowed) {
  const auto text = value(name);
  if (!text || std::ranges::find(allowed, *text) == allowed.end()) return std::nullopt;
  return filter(name);
}

std::string address::bound(std::string_view cursor) const {
  return std::string{cursor} + "|" + std::string{request_.target().substr(0, request_.target().find('?'))} +
         "|" + form_encoded(filters_);
}

result<keyset> address::at(const app& a, std::string_view cursor, int limit) const {
  const auto sent = value(cursor);
  if (!sent) return keyset{std::nullopt, limit};
  return keyset_behind(a, request_, *sent, bound(cursor), limit);
}

std::string address::here() const {
  const auto path = std::string{request_.target().substr(0, request_.target().find('?'))};
  return filters_.empty() ? path : path + "?" + form_encoded(filters_);
}

std::string address::more(const app& a, std::string_view cursor, const sort_key& last) const {
  json::array key;
  for (const auto& column : last) std::visit([&](const auto& v) { key.emplace_back(v); }, column);
  const auto filters = bound(cursor);
  const auto text = a.cursors.encode(key, cursor_scope_of(request_, filters));
  return here() + (filters_.empty() ? "?" : "&") + std::string{cursor} + "=" + text;
}

std::string with_said(std::string_view path, std::string_view code) {
  return std::string{path} + (path.find('?') == path.npos ? "?" : "&") + "said=" + std::string{code};
}

std::string said(const address& at, bool tracker) {
  const auto code = at.value("said");
  const auto found = std::ranges::find(sentences, code.value_or(""), &sentence::code);
  return found == sentences.end() || (found->of_tracker && !tracker) ? "" : std::string{found->text};
}

}  // namespace connectord::web
