// The keys of [[claim]] and of its parts.
#include <fmt/format.h>

#include <algorithm>

#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

constexpr int kMostEpochs = 100000;
constexpr std::size_t kMostText = 1000;

const std::vector<std::string_view>& claim_kinds() {
  static const std::vector<std::string_view> kinds{"difference", "trend", "order", "index",
                                                   "shape",      "gap",   "all_of"};
  return kinds;
}

Binding<ClaimSpec> words_binding(std::string ClaimSpec::*field, std::size_t most) {
  Binding<ClaimSpec> binding = text<ClaimSpec>(field);
  binding.read = [=](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (!node.is_text() || node.text.empty() || node.text.size() > most ||
        std::any_of(node.text.begin(), node.text.end(), control)) {
      fail_value(place, key, node, fmt::format("text of 1 to {} characters", most));
    }
    to.*field = node.text;
  };
  return binding;
}

Binding<ClaimSpec> arms_binding() {
  const std::string type = "an array of names of arms";
  return {type,
          [=](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_array() || node.items.empty()) fail_value(place, key, node, type);
            to.arms.clear();
            for (const Node& item : node.items) {
              if (!item.is_text()) fail_value(place, key, node, type);
              if (std::find(to.arms.begin(), to.arms.end(), item.text) != to.arms.end()) {
                fail(place, item.line, place.name(key) + " names '" + item.text + "' twice");
              }
              to.arms.push_back(item.text);
            }
          },
          [](const ClaimSpec& from) {
            std::string text;
            for (const std::string& arm : from.arms) {
              text += (text.empty() ? "" : ", ") + toml_text(std::string_view(arm));
            }
            return text.empty() ? "" : "[" + text + "]";
          }};
}

Binding<ClaimSpec> window_binding() {
  const std::string type =
      fmt::format("[first, last], two epochs with 1 <= first < last <= {}", kMostEpochs);
  return {type,
          [=](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
            const auto epoch = [](const Node& item) {
              return item.type == Node::Type::integer && item.integer >= 1 &&
                     item.integer <= kMostEpochs;
            };
            if (!node.is_array() || node.items.size() != 2 || !epoch(node.items[0]) ||
                !epoch(node.items[1]) || node.items[0].integer >= node.items[1].integer) {
              fail_value(place, key, node, type);
            }
            to.first_epoch = static_cast<int>(node.items[0].integer);
            to.last_epoch = static_cast<int>(node.items[1].integer);
          },
          [](const ClaimSpec& from) {
            return from.last_epoch == 0
                       ? std::string()
                       : fmt::format("[{}, {}]", from.first_epoch, from.last_epoch);
          }};
}

Binding<ClaimSpec> burn_in_binding() {
  const std::string type = whole_type(0, kMostEpochs - 1);
  return {
      type,
      [=](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
        if (node.type != Node::Type::integer || node.integer < 0 || node.integer >= kMostEpochs) {
          fail_value(place, key, node, type);
        }
        to.first_epoch = static_cast<int>(node.integer) + 1;
      },
      [](const ClaimSpec& from) { return std::to_string(from.first_epoch - 1); }};
}

Binding<ClaimSpec> because_binding() {
  return {
      "\"shift\"",
      [](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
        if (!node.is_text() || node.text != "shift") {
          fail_value(place, key, node, "\"shift\": the gap is there because the images differ");
        }
        to.because_of_shift = true;
      },
      [](const ClaimSpec& from) { return std::string(from.because_of_shift ? "\"shift\"" : ""); }};
}

Binding<ClaimSpec> parts_binding() {
  return {"[[claim.part]] sections, two or more",
          [](ClaimSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_array() || node.items.size() < 2) {
              fail_value(place, key, node, "two or more [[claim.part]] sections");
            }
            for (std::size_t i = 0; i < node.items.size(); ++i) {
              const Node& item = node.items[i];
              if (!item.is_table()) fail_value(place, key, node, "[[claim.part]] sections");
              const Place inside{place.file, place.section + fmt::format(" part {}", i + 1), ""};
              to.parts.push_back(read_claim_table(item, inside));
            }
          },
          [](const ClaimSpec&) { return std::string(); }};
}

Binding<ClaimSpec> direction_binding() {
  return choice<ClaimSpec, bool>(&ClaimSpec::higher, {{"higher", true}, {"lower", false}});
}

const Choices<std::string>& metric_choices() {
  static const Choices<std::string> choices{{"accuracy", "accuracy"},
                                            {"loss", "loss"},
                                            {"auroc", "auroc"},
                                            {"balanced_accuracy", "balanced_accuracy"},
                                            {"brier", "brier"},
                                            {"log_loss", "log_loss"},
                                            {"sensitivity", "sensitivity"},
                                            {"specificity", "specificity"}};
  return choices;
}

}  // namespace

ClaimSpec read_claim_table(const Node& node, const Place& place) {
  const Node* kind = node.find("kind");
  if (kind == nullptr) {
    fail(place, node.line,
         fmt::format("{} has no kind; add kind = {}", place.name(), one_of(claim_kinds())));
  }
  ClaimSpec claim;
  read_kinded(claim, claim_table(), node, place);
  claim.line = node.line;
  if (claim.kind == ClaimKind::shape && node.find("shape") == nullptr) {
    fail(place, node.line, place.name() + " needs shape, such as shape = \"rises\"");
  }
  if (node.find("burn_in") != nullptr && node.find("window") != nullptr) {
    fail(place, node.find("burn_in")->line,
         place.name() + " has both burn_in and window; the window's first epoch says the same");
  }
  return claim;
}

const Kinded<ClaimSpec>& claim_table() {
  using S = ClaimSpec;
  using V = CurveValue;
  static const Kinded<S> table{
      "claim",
      claim_kinds(),
      {},
      "",
      [](S& to, std::string_view kind) {
        const auto& kinds = claim_kinds();
        to.kind =
            static_cast<ClaimKind>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
      },
      [](const S& from) { return std::string_view(name_of(from.kind)); },
      {{"id", "", "name", words_binding(&S::id, 40), "(required; not in a part)",
        "A short name for tables and for other tools."},
       {"sentence", "", "statement text claim", words_binding(&S::sentence, kMostText),
        "(required; optional in a part)", "The statement, in words."},
       {"arms", "difference trend order index shape gap", "arm", arms_binding(),
        "(required; trend, shape and gap: all arms)",
        "Which arms it speaks of. difference and index: two, the effect is the first less the "
        "second. order: the first is claimed to lead all the others. shape: a seed counts where "
        "the "
        "curves of all named arms have it. gap: the mean over the named arms."},
       {"metric", "difference trend order index shape gap", "",
        choice<S, std::string>(&S::metric, metric_choices()), "\"accuracy\"",
        "What is measured. \"loss\" is the arm's own criterion, \"log_loss\" the same for all. A "
        "curve has "
        "accuracy, loss and auroc (validation only)."},
       {"split", "difference trend order", "on",
        choice<S, std::string>(&S::split, {{"test", "test"},
                                           {"val", "val"},
                                           {"holdout", "holdout"},
                                           {"train", "train"},
                                           {"train_running", "train_running"}}),
        "(\"test\"; \"val\" for a curve)",
        "Where it is measured. \"train\" is the training split evaluated at the end of every epoch "
        "(needs train_eval = true); \"train_running\" the mean over an epoch's batches, which "
        "averages over more weight vectors the smaller the batch is."},
       {"split", "index shape", "on",
        choice<S, std::string>(
            &S::split, {{"val", "val"}, {"train", "train"}, {"train_running", "train_running"}}),
        "\"val\"", "Whose curve by epoch; as above."},
       {"direction", "difference trend order index gap", "", direction_binding(), "\"higher\"",
        "What the claim says: the first arm's value is higher (or lower) than the second's, the "
        "others'; the value gets higher (lower) as the setting grows; validation is higher "
        "(lower) than test. For an index, \"lower\" is steadier."},
       {"setting", "trend", "", words_binding(&S::setting, 100), "(required)",
        "The numeric setting, such as \"batch_size\" or \"optimizer.lr\": the effect is the "
        "fitted change from the arm with the smallest value to that with the largest, on a line in "
        "the setting's logarithm."},
       {"value", "trend order", "index",
        choice<S, V>(&S::value, {{"end", V::end},
                                 {"mean", V::mean},
                                 {"step_spread", V::step_spread},
                                 {"noise_level", V::noise_level},
                                 {"excess_travel", V::excess_travel},
                                 {"worst_drawdown", V::worst_drawdown},
                                 {"worst_steps", V::worst_steps}}),
        "\"end\"",
        "The value at the selected epoch, the mean of the curve by epoch, or an index of its "
        "steadiness."},
       {"value", "difference", "index",
        choice<S, V>(&S::value, {{"end", V::end}, {"mean", V::mean}}), "\"end\"",
        "The value at the selected epoch, or the mean of the curve by epoch."},
       {"index", "index", "value",
        choice<S, V>(&S::value, {{"step_spread", V::step_spread},
                                 {"noise_level", V::noise_level},
                                 {"excess_travel", V::excess_travel},
                                 {"worst_drawdown", V::worst_drawdown},
                                 {"worst_steps", V::worst_steps}}),
        "\"step_spread\"",
        "How unsteady a curve is, in its own units: the interquartile range of its steps; the "
        "noise about a straight line (from second differences); the way it travels beyond what it "
        "gains, per step; its worst fall; the mean of its worst steps (5 %)."},
       {"shape", "shape", "",
        choice<S, CurveShape>(&S::shape,
                              {{"rises", CurveShape::rises},
                               {"peaks_early", CurveShape::peaks_early},
                               {"ends_below_start", CurveShape::ends_below_start},
                               {"peaks_early_and_ends_low", CurveShape::peaks_early_and_ends_low}}),
        "(required)",
        "What every curve is asked: do the means of its three thirds rise? Does its highest value "
        "lie in its first third? Does it end below its first value? Both of these?"},
       {"burn_in", "trend order difference index shape", "", burn_in_binding(), "0",
        "Epochs at the beginning that a curve is judged without."},
       {"window", "trend order difference index shape", "", window_binding(), "(all epochs)",
        "The epochs that a curve is judged over; instead of burn_in."},
       {"because", "gap", "", because_binding(), "(no reason is claimed)",
        "The claim also says why. \"shift\" is supported only where a shift test finds one, a part "
        "of "
        "the gap lies between hold-out and test, and the control arm without the shift loses the "
        "gap; it is refuted where the part is of the other sign or the control keeps the gap."},
       {"margin", "difference trend order index shape gap", "", number<S>(&S::margin, kNotNegative),
        "(the study's)",
        "An effect below this does not matter. In the units of the effect: the study's margin is "
        "for shares such as accuracy and does not hold for a loss or an index, where there is "
        "none unless it is given here. For a shape: of the share of seeds, about 1/2."},
       {"detect", "difference trend order index shape gap", "", number<S>(&S::detect, kPositive),
        "(the study's, or margin)",
        "The true effect that seeds_needed and cases_needed are computed for. For a shape: the "
        "distance of its true share from 1/2, by default 0.4."},
       {"part", "all_of", "parts claims", parts_binding(), "(required)",
        "Written as [[claim.part]] sections with the keys of a claim: the claim holds when all of "
        "them do."}}};
  return table;
}

}  // namespace bioptic::schema
