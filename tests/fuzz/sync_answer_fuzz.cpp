#include "base/json.hpp"
#include "config/provider_loader.hpp"
#include "domain/oauth/answer.hpp"
#include "domain/provider/replay.hpp"
#include "domain/signal.hpp"

#include <boost/json/parse.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>

// Input: a cursor on the first line, which may be empty; then answers, each a line with its status, header
// lines "name: value", an empty line and the body, up to a line "---". Every embedded definition syncs from
// them.
using namespace connectord;

namespace {

constexpr timestamp now{std::chrono::seconds{1'767'225'600}};

void must(bool ok) {
  if (!ok) std::abort();
}

std::string_view take_until(std::string_view& text, std::string_view end) {
  const auto at = text.find(end);
  const auto head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return head;
}

http_response answer_from(std::string_view text) {
  http_response out;
  const auto status = take_until(text, "\n");
  std::from_chars(status.data(), status.data() + status.size(), out.status);
  while (!text.empty()) {
    auto line = take_until(text, "\n");
    if (line.empty()) break;
    const auto name = take_until(line, ":");
    out.headers.emplace_back(provider::filtered(provider::text_filter::lower, name), trimmed(line));
  }
  out.body = text;
  return out;
}

void look(const provider::sync_page& page) {
  const auto cursor = json::parse(page.cursor);
  must(cursor.is_object());
  for (const auto& s : page.signals) {
    must(is_signal_kind(s.kind) && !s.entity.empty() && !s.dedupe_key.empty());
    must(is_utf8(s.payload) && s.payload.front() == '{' && s.payload.back() == '}');
  }
}

/// Whatever the provider says, the calls of a run and of the one after it stay at the provider's origin.
void sync(const provider::definition& d, std::string_view cursor, const std::vector<http_response>& answers) {
  provider::sync_context context;
  context.external_id = "account";
  context.client_id = "client";
  context.api_base = "https://api.fuzz.invalid";
  std::size_t given = 0;
  const auto answer = [&](const http_request& call) {
    const auto host = authority_of(call.url);
    must(call.url.starts_with("https://") && (host == "api.fuzz.invalid" || host == "api.fuzz.invalid:443"));
    if (given < answers.size()) return answers[given++];
    http_response none;
    none.failure = call_failure::timeout;
    return none;
  };
  const auto run = provider::run_sync(d, context, cursor, answer, now, answers.size() + 1);
  must(run.pages.size() <= answers.size());
  for (const auto& page : run.pages) look(page);
  given = 0;
  provider::run_sync(d, context, run.cursor(), answer, now, answers.size() + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto all = config::load_catalog(std::nullopt, true).value();
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto cursor = take_until(text, "\n");
  std::vector<http_response> answers;
  while (!text.empty() && answers.size() < 16) answers.push_back(answer_from(take_until(text, "\n---\n")));
  for (const auto& a : answers) {
    oauth::read_token_answer(a, now);
    oauth::failure_of(a, now);
  }
  for (const auto& d : all.all())
    if (d.sync) sync(d, cursor, answers);
  return 0;
}
