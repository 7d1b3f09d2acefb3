#include "actors/tracker/receipt_json.hpp"

#include "base/json.hpp"

namespace connectord::tracker {
namespace {

constexpr std::size_t most_named = 100;

/// `name`: the first of `rows`, and whether that was all.
template <class Rows, class Name>
void write_some(json_writer& w, std::string_view name, const Rows& rows, Name name_of_row, bool& cut) {
  w.key(name).open_array();
  for (std::size_t i = 0; i < std::min(rows.size(), most_named); ++i)
    w.value(std::string_view{name_of_row(rows[i])});
  w.close_array();
  cut = cut || rows.size() > most_named;
}

}  // namespace

std::string counts_json(const ingest_counts& n) {
  std::string out;
  json_writer w{out};
  w.open().member("issues", n.issues).member("issues_created", n.issues_created);
  w.member("issues_updated", n.issues_updated).member("issues_unchanged", n.issues_unchanged);
  w.member("issues_skipped_older", n.issues_skipped_older).member("issues_ignored", n.issues_ignored);
  w.member("mappings", n.mappings).member("mappings_ignored", n.mappings_ignored);
  w.member("links_created", n.links_created).member("links_updated", n.links_updated);
  w.member("links_unchanged", n.links_unchanged).member("drift_opened", n.drift_opened);
  w.member("drift_resolved", n.drift_resolved).member("drift_open", n.drift_open).close();
  return out;
}

std::string warnings_json(std::span<const snapshot_warning> warnings) {
  std::string out;
  json_writer w{out};
  w.open_array();
  for (const auto& x : warnings)
    w.open()
        .member("code", x.code)
        .member("message", x.message)
        .member("path", x.path)
        .raw_member("details", x.details)
        .close();
  w.close_array();
  return out;
}

std::string effects_json(const applied& did, const binding_change& b) {
  const auto itself = [](const std::string& s) { return std::string_view{s}; };
  const auto text = [](const auto& id) { return id.text(); };
  const auto id_of = [](const drift_record& d) { return d.id.text(); };
  bool cut = false;
  std::string out;
  json_writer w{out};
  w.open().key("issues").open();
  write_some(w, "created", did.issues_created, itself, cut);
  write_some(w, "updated", did.issues_updated, itself, cut);
  write_some(w, "absent", did.issues_absent, itself, cut);
  w.close().key("links").open();
  write_some(w, "created", did.links_created, text, cut);
  write_some(w, "updated", did.links_updated, text, cut);
  w.close().key("drift").open();
  write_some(w, "opened", b.opened, id_of, cut);
  write_some(w, "resolved", b.resolved, id_of, cut);
  w.close().key("feed").open();
  w.member("from_seq", b.feed.front().seq).member("to_seq", b.feed.back().seq).close();
  w.member("truncated", cut).close();
  return out;
}

}  // namespace connectord::tracker
