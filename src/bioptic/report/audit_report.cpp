#include "bioptic/report/audit_report.h"

#include <fmt/format.h>

#include "bioptic/report/text.h"

namespace bioptic {
namespace {

// "a (said); b (said)" of the checks in that state.
std::string in_state(const Audit& audit, AuditState state) {
  std::string text;
  for (const AuditCheck& check : audit.checks) {
    if (check.state != state) continue;
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", check.title, check.said);
  }
  return text;
}

std::size_t count(const Audit& audit, AuditState state) {
  std::size_t n = 0;
  for (const AuditCheck& check : audit.checks) n += check.state == state ? 1U : 0U;
  return n;
}

}  // namespace

std::string audit_line(const Audit& audit) {
  const std::size_t found = count(audit, AuditState::found),
                    done = audit.checks.size() - count(audit, AuditState::not_done);
  std::string text = found == 0 ? fmt::format("{} checks of the data found nothing.", done)
                                : fmt::format("{} of {} checks of the data found something: {}.",
                                              found, done, in_state(audit, AuditState::found));
  const std::string left_out = in_state(audit, AuditState::not_done);
  if (!left_out.empty()) text += " Not checked: " + left_out + ".";
  return text;
}

std::string audit_html(const Audit& audit) {
  std::string out =
      "<p class=\"note\"><strong>Audit.</strong> " + html_escape(audit_line(audit)) +
      "</p>\n<details><summary>All checks</summary>\n<table class=\"facts\"><tbody>\n";
  for (const AuditCheck& check : audit.checks) {
    std::string said = html_escape(check.said);
    if (check.state == AuditState::found) {
      for (const std::string& example : check.examples) said += "<br>" + html_escape(example);
    }
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escape(check.title),
                       name_of(check.state), said);
  }
  return out + "</tbody></table></details>\n";
}

}  // namespace bioptic
