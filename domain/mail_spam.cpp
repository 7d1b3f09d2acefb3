#include "domain/mail_spam.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

namespace connectord {
namespace {

using words = std::initializer_list<std::string_view>;

constexpr words blocked_labels{"spam", "junk", "trash", "bulk"};
constexpr words category_labels{"promotions", "social", "updates", "forums"};
constexpr words urgency{"urgent", "asap", "act now", "last chance", "final notice", "expires today"};
constexpr words money{"lottery", "jackpot", "prize", "cash", "inheritance", "refund"};
constexpr words phishing{"verify your",     "password",     "suspended",
                         "unusual sign-in", "confirm your", "click here"};
constexpr words executables{"exe", "bat", "com", "pif", "scr", "vbs", "js",  "jar",
                            "msi", "reg", "dll", "app", "dmg", "pkg", "deb", "rpm"};
constexpr words archives{"zip", "rar", "7z"};

std::string lowered(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_word_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// As words of their own: "cashier" has no "cash".
bool contains_words(std::string_view text, std::string_view wanted) {
  for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) {
    const auto end = at + wanted.size();
    if ((at == 0 || !is_word_part(text[at - 1])) && (end == text.size() || !is_word_part(text[end])))
      return true;
  }
  return false;
}

int count_of(std::string_view text, words list) {
  return static_cast<int>(
      std::ranges::count_if(list, [&](std::string_view word) { return contains_words(text, word); }));
}

/// "ann@partner.example" of "Ann <Ann@partner.example>".
std::string address_of(std::string_view from) {
  const auto open = from.rfind('<'), close = from.rfind('>');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close)
    from = from.substr(open + 1, close - open - 1);
  return lowered(trimmed(from));
}

bool listed(std::string_view address, const std::vector<std::string>& list) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return false;
  const auto host = address.substr(at + 1);
  return std::ranges::any_of(list, [&](std::string_view entry) {
    if (!entry.starts_with('@')) return entry == address;
    entry.remove_prefix(1);
    return host == entry || (host.size() > entry.size() && host.ends_with(entry) &&
                             host[host.size() - entry.size() - 1] == '.');
  });
}

bool has_label(const mail_view& mail, words list) {
  constexpr std::string_view prefix = "category_";
  return std::ranges::any_of(mail.labels, [&](const std::string& label) {
    const auto text = lowered(label);
    std::string_view name = text;
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    return std::ranges::find(list, name) != list.end();
  });
}

// Parts of the score in hundredths: sums that are exact can be compared with a bound.
constexpr int most = 100;

bool is_shouted(std::string_view subject) {
  const auto count = [&](auto is) {
    return std::ranges::count_if(subject, [is](unsigned char c) { return is(c) != 0; });
  };
  const auto letters = count([](int c) { return std::isalpha(c); });
  return letters > 0 && 2 * count([](int c) { return std::isupper(c); }) > letters;
}

int subject_points(std::string_view subject) {
  const auto text = lowered(subject);
  int points = 15 * count_of(text, urgency) + 20 * count_of(text, money) + 18 * count_of(text, phishing);
  if (is_shouted(subject)) points += 25;
  points += 10 * std::max(0, static_cast<int>(std::ranges::count(subject, '!')) - 2);
  return points > 20 ? std::min(points, most) : 0;
}

int attachment_points(const std::vector<std::string>& names) {
  int points = names.size() > 3 ? 20 : 0;
  for (const auto& name : names) {
    const auto type = lowered(std::string_view{name}.substr(name.rfind('.') + 1));
    if (name.find('.') == std::string::npos) continue;
    if (std::ranges::find(executables, type) != executables.end()) points += 80;
    if (std::ranges::find(archives, type) != archives.end()) points += 30;
  }
  return std::min(points, most);
}

int header_points(const mail_view& mail) {
  if (!mail.headers) return 0;
  const auto any = [&](std::string_view name, std::string_view part) {
    return std::ranges::any_of(*mail.headers, [&](const auto& header) {
      return header.first == name && lowered(header.second).find(part) != std::string::npos;
    });
  };
  int points = 0;
  if (!any("received", "")) points += 30;
  if (!any("date", "")) points += 20;
  if (any("authentication-results", "fail")) points += 50;
  if (mail.html && trimmed(mail.subject).empty()) points += 10;
  return points > 10 ? std::min(points, most) : 0;
}

}  // namespace

spam_verdict judge_mail(const mail_view& mail, double factor, const mail_spam_settings& settings) {
  const auto address = address_of(mail.from);
  if (listed(address, settings.deny)) return {true, 1.0, "deny_list"};
  if (listed(address, settings.allow)) return {false, 0.0, "allow_list"};
  if (has_label(mail, blocked_labels)) return {true, 1.0, "label"};
  const int content =
      subject_points(mail.subject) + attachment_points(mail.attachments) + header_points(mail);
  const int category = has_label(mail, category_labels) ? 20 : 0;
  const auto score = std::min(1.0, (content + category) * factor / most);
  return {content > 0 && score >= settings.threshold, score, "score"};
}

}  // namespace connectord
