#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord {

struct mail_spam_settings {
  double threshold = 0.8;
  std::vector<std::string> allow, deny;  ///< `user@host`, or `@host` for it and its subdomains; lower case
};

/// What the filter looks at of one mail.
struct mail_view {
  std::string from;  ///< with or without a display name
  std::string subject;
  std::vector<std::string> labels, attachments;  ///< attachments: file names
  /// Names in lower case. Nothing where the provider does not tell them: then they say nothing.
  std::optional<std::vector<std::pair<std::string, std::string>>> headers;
  bool html = false;
};

struct spam_verdict {
  bool spam = false;
  double score = 0;
  std::string_view reason;
};

/// The rules of the contract, section 12; `factor` is the provider's.
spam_verdict judge_mail(const mail_view& mail, double factor, const mail_spam_settings& settings);

}  // namespace connectord
