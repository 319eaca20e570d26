#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/base/json_text.h"
#include "bioptic/report/overview.h"

namespace bioptic {
namespace {

using nlohmann::json;

// Changes where a reader of before would misread the file.
constexpr int kFormat = 1;

// JSON has no NaN.
json number(double value) { return std::isfinite(value) ? json(value) : json(); }
double number(const json& j) { return j.is_null() ? kUndefined : j.get<double>(); }

json numbers(const std::vector<double>& values) {
  json out = json::array();
  for (const double v : values) out.push_back(number(v));
  return out;
}
std::vector<double> numbers(const json& j) {
  std::vector<double> out;
  for (const json& v : j) out.push_back(number(v));
  return out;
}

json curve_json(const OverviewCurve& c) {
  return {{"low", numbers(c.low)}, {"median", numbers(c.median)}, {"high", numbers(c.high)}};
}
OverviewCurve curve_from(const json& j) {
  return {numbers(j.at("low")), numbers(j.at("median")), numbers(j.at("high"))};
}

json arm_json(const OverviewArm& a) {
  return {{"name", a.name},
          {"figure", a.figure},
          {"trials", a.trials},
          {"collapsed", a.collapsed},
          {"test_accuracy", number(a.test_accuracy)},
          {"test_sd", number(a.test_sd)},
          {"seeds_low", number(a.seeds_low)},
          {"seeds_high", number(a.seeds_high)},
          {"patients_low", number(a.patients_low)},
          {"patients_high", number(a.patients_high)},
          {"val_accuracy", number(a.val_accuracy)},
          {"reported", number(a.reported)},
          {"by_seed", numbers(a.by_seed)},
          {"epochs", a.epochs},
          {"training_accuracy", curve_json(a.training_accuracy)},
          {"validation_accuracy", curve_json(a.validation_accuracy)},
          {"training_loss", curve_json(a.training_loss)},
          {"validation_loss", curve_json(a.validation_loss)}};
}

OverviewArm arm_from(const json& j) {
  OverviewArm a;
  j.at("name").get_to(a.name);
  j.at("figure").get_to(a.figure);
  j.at("trials").get_to(a.trials);
  j.at("collapsed").get_to(a.collapsed);
  a.test_accuracy = number(j.at("test_accuracy"));
  a.test_sd = number(j.at("test_sd"));
  a.seeds_low = number(j.at("seeds_low"));
  a.seeds_high = number(j.at("seeds_high"));
  a.patients_low = number(j.at("patients_low"));
  a.patients_high = number(j.at("patients_high"));
  a.val_accuracy = number(j.at("val_accuracy"));
  a.reported = number(j.at("reported"));
  a.by_seed = numbers(j.at("by_seed"));
  j.at("epochs").get_to(a.epochs);
  a.training_accuracy = curve_from(j.at("training_accuracy"));
  a.validation_accuracy = curve_from(j.at("validation_accuracy"));
  a.training_loss = curve_from(j.at("training_loss"));
  a.validation_loss = curve_from(j.at("validation_loss"));
  return a;
}

Verdict verdict_from(const json& j) {
  for (const Verdict v : {Verdict::positive, Verdict::negative, Verdict::no_effect,
                          Verdict::undecided, Verdict::not_allowed}) {
    if (j == claim_name(v)) return v;
  }
  return Verdict::not_allowed;
}

json pair_json(const OverviewPair& p) {
  return {{"a", p.a},
          {"b", p.b},
          {"verdict", claim_name(p.verdict)},
          {"difference", number(p.difference)},
          {"low", number(p.low)},
          {"high", number(p.high)},
          {"confidence", number(p.confidence)},
          {"reason", p.reason}};
}

OverviewPair pair_from(const json& j) {
  return {j.at("a").get<std::string>(),  j.at("b").get<std::string>(),
          verdict_from(j.at("verdict")), number(j.at("difference")),
          number(j.at("low")),           number(j.at("high")),
          number(j.at("confidence")),    j.at("reason").get<std::string>()};
}

json claim_json(const OverviewClaim& c) {
  return {{"id", c.id},
          {"sentence", c.sentence},
          {"effect_of", c.effect_of},
          {"reason", c.reason},
          {"verdict", claim_name(c.verdict)},
          {"gap", c.gap},
          {"shift", c.shift},
          {"patients", c.patients},
          {"points", c.points},
          {"null_value", c.null_value},
          {"effect", number(c.effect)},
          {"low", number(c.low)},
          {"high", number(c.high)},
          {"confidence", number(c.confidence)}};
}

OverviewClaim claim_from(const json& j) {
  OverviewClaim c;
  j.at("id").get_to(c.id);
  j.at("sentence").get_to(c.sentence);
  j.at("effect_of").get_to(c.effect_of);
  j.at("reason").get_to(c.reason);
  c.verdict = verdict_from(j.at("verdict"));
  j.at("gap").get_to(c.gap);
  j.at("shift").get_to(c.shift);
  j.at("patients").get_to(c.patients);
  j.at("points").get_to(c.points);
  j.at("null_value").get_to(c.null_value);
  c.effect = number(j.at("effect"));
  c.low = number(j.at("low"));
  c.high = number(j.at("high"));
  c.confidence = number(j.at("confidence"));
  return c;
}

}  // namespace

std::string overview_json(const StudyOverview& s) {
  json arms = json::array(), pairs = json::array(), claims = json::array();
  for (const OverviewArm& arm : s.arms) arms.push_back(arm_json(arm));
  for (const OverviewPair& pair : s.pairs) pairs.push_back(pair_json(pair));
  for (const OverviewClaim& claim : s.claims) claims.push_back(claim_json(claim));
  return json_text({{"format", kFormat},
                    {"name", s.name},
                    {"question", s.question},
                    {"version", s.version},
                    {"simulated", s.simulated},
                    {"shift_by_design", s.shift_by_design},
                    {"patients_known", s.patients_known},
                    {"patients", s.patients},
                    {"width", s.width},
                    {"height", s.height},
                    {"images", s.images},
                    {"train", s.train},
                    {"val", s.val},
                    {"test", s.test},
                    {"test_groups", s.test_groups},
                    {"shared_groups", s.shared_groups},
                    {"seeds", s.seeds},
                    {"margin", s.margin},
                    {"unfinished", s.unfinished},
                    {"arms", arms},
                    {"pairs", pairs},
                    {"claims", claims}},
                   1) +
         "\n";
}

StudyOverview overview_from_json(const std::string& text) {
  const json j = json::parse(text);
  StudyOverview s;
  if (j.at("format") != kFormat) {
    throw json::other_error::create(501, "made by a newer version of bioptic", nullptr);
  }
  j.at("name").get_to(s.name);
  j.at("question").get_to(s.question);
  j.at("version").get_to(s.version);
  j.at("simulated").get_to(s.simulated);
  j.at("shift_by_design").get_to(s.shift_by_design);
  j.at("patients_known").get_to(s.patients_known);
  j.at("patients").get_to(s.patients);
  j.at("width").get_to(s.width);
  j.at("height").get_to(s.height);
  j.at("images").get_to(s.images);
  j.at("train").get_to(s.train);
  j.at("val").get_to(s.val);
  j.at("test").get_to(s.test);
  j.at("test_groups").get_to(s.test_groups);
  j.at("shared_groups").get_to(s.shared_groups);
  j.at("seeds").get_to(s.seeds);
  j.at("margin").get_to(s.margin);
  j.at("unfinished").get_to(s.unfinished);
  for (const json& arm : j.at("arms")) s.arms.push_back(arm_from(arm));
  for (const json& pair : j.at("pairs")) s.pairs.push_back(pair_from(pair));
  for (const json& claim : j.at("claims")) s.claims.push_back(claim_from(claim));
  return s;
}

}  // namespace bioptic
