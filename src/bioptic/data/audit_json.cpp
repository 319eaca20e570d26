#include "bioptic/data/audit_json.h"

#include <nlohmann/json.hpp>

#include "bioptic/base/error.h"
#include "bioptic/base/json_integer.h"
#include "bioptic/base/json_text.h"

namespace bioptic {
namespace {

using nlohmann::json;

AuditState state_of(const std::string& name) {
  for (const AuditState state : {AuditState::fine, AuditState::found, AuditState::not_done}) {
    if (name == name_of(state)) return state;
  }
  throw InputError("unknown state '" + name + "' in an audit");
}

}  // namespace

const char* name_of(AuditState state) {
  switch (state) {
    case AuditState::fine:
      return "fine";
    case AuditState::found:
      return "found";
    case AuditState::not_done:
      return "not done";
  }
  return "";
}

std::string audit_json(const Audit& audit) {
  json checks = json::array();
  for (const AuditCheck& check : audit.checks) {
    checks.push_back({{"id", check.id},
                      {"title", check.title},
                      {"state", name_of(check.state)},
                      {"said", check.said},
                      {"examples", check.examples}});
  }
  return json_text({{"images", audit.images}, {"found", audit.anything()}, {"checks", checks}});
}

Audit audit_from_json(const std::string& text) {
  try {
    const json j = json::parse(text);
    Audit audit;
    audit.images = integer<std::size_t>(j.at("images"));
    for (const json& check : j.at("checks")) {
      audit.checks.push_back(
          {check.at("id").get<std::string>(), check.at("title").get<std::string>(),
           state_of(check.at("state").get<std::string>()), check.at("said").get<std::string>(),
           check.at("examples").get<std::vector<std::string>>()});
    }
    return audit;
  } catch (const json::exception& e) {
    throw InputError(std::string("a kept audit cannot be read: ") + e.what());
  }
}

}  // namespace bioptic
