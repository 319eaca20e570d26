// The keys of [study], [data] and, besides those of [train], of [[arm]].
#include <fmt/format.h>

// g++ 12 calls parts of its own <regex> uninitialized when it is built with sanitizers.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "bioptic/base/names.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

constexpr std::int64_t kMaxSeeds = 10000;
constexpr std::int64_t kMaxImages = 1000000;
constexpr std::uint16_t kMaxPixel = 65535;
constexpr std::size_t kMaxPattern = 500;  // std::regex recurses

const std::string kVaryType = R"(an array of "split", "init", "order")";

Vary read_vary(const Node& node, const Place& place, std::string_view key) {
  Vary vary{false, false, false};
  if (!node.is_array()) fail_value(place, key, node, kVaryType);
  for (const Node& item : node.items) {
    bool* stream = nullptr;
    if (item.is_text() && item.text == "split") stream = &vary.split;
    if (item.is_text() && item.text == "init") stream = &vary.init;
    if (item.is_text() && item.text == "order") stream = &vary.order;
    if (stream == nullptr) fail_choice(place, key, item, {"split", "init", "order"});
    if (*stream) fail(place, item.line, place.name(key) + " names '" + item.text + "' twice");
    *stream = true;
  }
  return vary;
}

template <typename T>
Binding<T> vary_binding() {
  return {kVaryType,
          [](T& to, const Node& node, const Place& place, std::string_view key) {
            to.vary = read_vary(node, place, key);
          },
          [](const T& from) -> std::string {
            if (!from.vary) return "";
            std::string text;
            const auto add = [&](bool on, const char* name) {
              if (on) text += (text.empty() ? "" : ", ") + toml_text(std::string_view(name));
            };
            add(from.vary->split, "split");
            add(from.vary->init, "init");
            add(from.vary->order, "order");
            return "[" + text + "]";
          }};
}

Binding<StudySpec> name_binding() {
  Binding<StudySpec> binding = text<StudySpec>(&StudySpec::name);
  binding.type = "text, valid as a folder's name";
  binding.read = [](StudySpec& to, const Node& node, const Place& place, std::string_view key) {
    if (!node.is_text()) fail_value(place, key, node, "text in quotes");
    if (!is_folder_name(node.text)) {  // under the output folder, on any system
      fail_value(place, key, node, fmt::format("a name that can be a folder: {}", kFolderNameRule));
    }
    to.name = node.text;
  };
  return binding;
}

Binding<StudySpec> seeds_binding() {
  const std::string type = whole_type(1, kMaxSeeds) + ", or { split, init, order }";
  return {type,
          [=](StudySpec& to, const Node& node, const Place& place, std::string_view key) {
            SeedPlan plan;
            if (node.is_table()) {
              plan.crossed = true;
              read_table(plan, seeds_keys(), node, place.inside(key));
              const std::int64_t all = std::int64_t{plan.split} * plan.init * plan.order;
              if (all > kMaxSeeds) {
                fail_value(place, key, node,
                           fmt::format("at most {} combinations, these are {}", kMaxSeeds, all));
              }
              plan.count = static_cast<int>(all);
            } else if (node.type == Node::Type::integer && node.integer >= 1 &&
                       node.integer <= kMaxSeeds) {
              plan.count = static_cast<int>(node.integer);
            } else {
              fail_value(place, key, node, type);
            }
            to.seeds = plan;
          },
          [](const StudySpec& from) {
            return from.seeds.crossed ? table_text(from.seeds, seeds_keys())
                                      : std::to_string(from.seeds.count);
          }};
}

const Choices<Inference>& inference_choices() {
  static const Choices<Inference> choices = {{"patients", Inference::patients},
                                             {"seeds", Inference::seeds}};
  return choices;
}

// [["a", "b"], ...]
Binding<StudySpec> pairs_binding() {
  const std::string type = R"(a list of pairs of arms, [["a", "b"], ...])";
  return {type,
          [=](StudySpec& to, const Node& node, const Place& place, std::string_view key) {
            const auto is_pair = [](const Node& pair) {
              return pair.is_array() && pair.items.size() == 2 && pair.items[0].is_text() &&
                     pair.items[1].is_text();
            };
            if (!node.is_array() || node.items.empty() ||
                !std::all_of(node.items.begin(), node.items.end(), is_pair)) {
              fail_value(place, key, node, type);
            }
            to.pairs.pairs.clear();
            for (const Node& pair : node.items) {
              to.pairs.pairs.emplace_back(pair.items[0].text, pair.items[1].text);
            }
          },
          [](const StudySpec& from) {
            std::string out;
            for (const auto& [a, b] : from.pairs.pairs) {
              out += (out.empty() ? "" : ", ") + ("[" + toml_text(a) + ", ") + toml_text(b) + "]";
            }
            return out.empty() ? "" : "[" + out + "]";
          }};
}

const Choices<SaveModels>& save_choices() {
  static const Choices<SaveModels> choices{
      {"none", SaveModels::none}, {"first", SaveModels::first}, {"all", SaveModels::all}};
  return choices;
}

Binding<DataSpec> phantom_binding() {
  return {"a table",
          [](DataSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_table())
              fail_value(place, key, node, "a table { train, test, shift, seed }");
            read_table(to.phantom, phantom_keys(), node, place.inside(key));
          },
          [](const DataSpec& from) { return table_text(from.phantom, phantom_keys()); }};
}

Binding<PhantomSpec> shift_binding() {
  const std::string type = "\"default\", or a number in [0, 10]";
  return {type,
          [=](PhantomSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (node.is_text() && node.text == "default") {
              to.shift = 1;
            } else if (is_number(node) && Range{0, 10}.holds(node.number)) {
              to.shift = node.number;
            } else {
              fail_value(place, key, node, type);
            }
          },
          [](const PhantomSpec& from) {
            return from.shift == 1 ? std::string("\"default\"") : toml_text(from.shift);
          }};
}

Binding<DataSpec> window_binding() {
  const std::string type = R"("range", "percentile" or [low, high] with 0 <= low < high <= 65535)";
  return {type,
          [=](DataSpec& to, const Node& node, const Place& place, std::string_view key) {
            WindowSpec window;
            if (node.is_text() && node.text == "range") {
              window.kind = WindowKind::range;
            } else if (node.is_text() && node.text == "percentile") {
              window.kind = WindowKind::percentile;
            } else if (node.is_array() && node.items.size() == 2 && is_number(node.items[0]) &&
                       is_number(node.items[1]) && node.items[0].number >= 0 &&
                       node.items[1].number <= kMaxPixel &&
                       node.items[0].number < node.items[1].number) {
              window = {WindowKind::fixed, node.items[0].number, node.items[1].number};
            } else {
              fail_value(place, key, node, type);
            }
            to.window = window;
          },
          [](const DataSpec& from) -> std::string {
            if (from.window.kind == WindowKind::range) return "\"range\"";
            if (from.window.kind == WindowKind::percentile) return "\"percentile\"";
            return "[" + toml_text(from.window.low) + ", " + toml_text(from.window.high) + "]";
          }};
}

Binding<DataSpec> group_binding() {
  Binding<DataSpec> binding = text<DataSpec>(&DataSpec::group);
  binding.type = "text, a search expression (ECMAScript)";
  binding.read = [](DataSpec& to, const Node& node, const Place& place, std::string_view key) {
    if (!node.is_text()) fail_value(place, key, node, "text in quotes");
    if (node.text.size() > kMaxPattern) {
      fail_value(place, key, node, fmt::format("at most {} characters", kMaxPattern));
    }
    try {
      const std::regex check(node.text, std::regex::ECMAScript);
    } catch (const std::regex_error& error) {
      fail_value(place, key, node,
                 std::string("a search expression such as '(person\\d+)' (") + error.what() + ")");
    }
    to.group = node.text;
  };
  return binding;
}

Binding<DataSpec> channels_binding() {
  return {"1 or 3",
          [](DataSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (node.type != Node::Type::integer || (node.integer != 1 && node.integer != 3)) {
              fail_value(place, key, node, "1 (grey) or 3 (RGB)");
            }
            to.channels = static_cast<int>(node.integer);
          },
          [](const DataSpec& from) {
            return from.channels ? std::to_string(*from.channels) : std::string();
          }};
}

Binding<ArmSpec> arm_name_binding() {
  Binding<ArmSpec> binding = text<ArmSpec>(&ArmSpec::name);
  binding.type = "text, unique in the file";
  binding.read = [](ArmSpec& to, const Node& node, const Place& place, std::string_view key) {
    if (!node.is_text() || node.text.empty() || node.text.size() > 100 ||
        has_control_character(node.text)) {
      fail_value(place, key, node,
                 "text of 1 to 100 characters, without a line break or other control character");
    }
    to.name = node.text;
  };
  return binding;
}

const Choices<SplitBy>& split_by_choices() {
  static const Choices<SplitBy> choices{{"image", SplitBy::image}, {"group", SplitBy::group}};
  return choices;
}

Binding<ArmSpec> reported_binding() {
  return {"a table of metric = number",
          [](ArmSpec& to, const Node& node, const Place& place, std::string_view key) {
            if (!node.is_table()) {
              fail_value(place, key, node, "a table such as { test_accuracy = 0.725 }");
            }
            std::vector<KnownKey> known;
            for (const std::string_view name : metric_names()) known.push_back({name, ""});
            for (const Entry& entry : node.entries) {
              const bool is_loss = entry.key.size() > 5 && entry.key.ends_with("_loss");
              if (std::find(metric_names().begin(), metric_names().end(), entry.key) ==
                  metric_names().end()) {
                fail_unknown_key(place.inside(key), entry, known);
              }
              const Range range = is_loss ? kNotNegative : kFraction;
              if (!is_number(entry.value) || !range.holds(entry.value.number)) {
                fail_value(place.inside(key), entry.key, entry.value,
                           "a number " + range_text(range) +
                               (is_loss ? "" : " (72.5 % is written 0.725)"));
              }
              to.reported[entry.key] = entry.value.number;
            }
          },
          [](const ArmSpec& from) -> std::string {
            std::string out;
            for (const auto& [name, value] : from.reported) {
              out += (out.empty() ? "" : ", ") + name + " = " + toml_text(value);
            }
            return out.empty() ? "" : "{ " + out + " }";
          }};
}

}  // namespace

const std::vector<std::string_view>& metric_names() {
  static const std::vector<std::string_view> names{
      "train_loss",    "train_accuracy", "val_loss",   "val_accuracy",     "test_loss",
      "test_accuracy", "val_auroc",      "test_auroc", "test_sensitivity", "test_specificity"};
  return names;
}

const std::vector<Key<StudySpec>>& study_keys() {
  using S = StudySpec;
  static const std::vector<Key<S>> keys{
      {"name", "", "", name_binding(), "(the file's name without .toml)",
       "Names the study's folder under the output folder."},
      {"question", "", "", text<S>(&S::question), "\"\"", "What the report opens with."},
      {"description", "", "", text<S>(&S::description), "\"\"", "Free text, shown in the report."},
      {"seeds", "", "", seeds_binding(), "5",
       "How many seeds every arm is trained with; or, as a table, how many per stream, every "
       "combination of which is trained."},
      {"vary", "", "", vary_binding<S>(), R"((["split", "init", "order"]))",
       "What a seed changes: the split into training and validation, the initial weights, the "
       "batch "
       "order (with the dropout masks). What is left out stays as in seed 0. Where validation is "
       "the source's own split, \"split\" is left out by default and may not be named."},
      {"margin", "", "", number<S>(&S::margin, kBelowOne), "0.01",
       "Differences of accuracy below this do not matter (0.01 is one percentage point)."},
      {"detect", "", "", number<S>(&S::detect, kOpenFraction), "(as margin)",
       "The true difference that power is computed for."},
      {"inference", "", "", choice<S, Inference>(&S::inference, inference_choices()),
       "\"patients\"",
       "What verdicts speak for: other seeds and other patients, or (declared before training) "
       "other "
       "seeds on these very images alone. With \"patients\", what the test patients cannot show "
       "gets "
       "no verdict."},
      {"reference", "", "baseline control",
       text<S>([](auto& s) -> auto& { return s.pairs.reference; }), "\"\"",
       "The arm that every other arm is compared with, and no other pair is: fewer tests, so that "
       "each may find more. Declare it before training."},
      {"pairs", "", "", pairs_binding(), "(all pairs)",
       "The pairs of arms that are compared, each as the first minus the second, where not all "
       "are asked about. Without it and without reference all are, or, where these are more than "
       "300, each arm with the first."},
      {"save_models", "", "", choice<S, SaveModels>(&S::save_models, save_choices()), "\"first\"",
       "Which weights are kept: of no trial, of each arm's first seed, of every trial. May stand "
       "in "
       "[train] instead."},
  };
  return keys;
}

const std::vector<Key<SeedPlan>>& seeds_keys() {
  using S = SeedPlan;
  static const std::vector<Key<S>> keys{
      {"split", "", "", whole<S, int>(&S::split, 1, kMaxSeeds), "1",
       "Number of splits into training and validation."},
      {"init", "", "", whole<S, int>(&S::init, 1, kMaxSeeds), "1", "Number of initial weights."},
      {"order", "", "", whole<S, int>(&S::order, 1, kMaxSeeds), "1", "Number of batch orders."},
  };
  return keys;
}

const std::vector<Key<DataSpec>>& data_keys() {
  using S = DataSpec;
  static const std::vector<Key<S>> keys{
      {"source", "", "", text<S>(&S::source), "\"phantom\"",
       "\"phantom\", or the path of a dataset or of images to import, relative to the study file. "
       "`--data` on the command line overrides it."},
      {"phantom", "", "", phantom_binding(), "(see below)",
       "What the built-in phantom is made of."},
      {"size", "", "", whole<S, int>(&S::size, 1, 4096), "(as the source; 256 for the phantom)",
       "Images are resampled to size x size pixels."},
      {"channels", "", "", channels_binding(), "(as the source)", "1 = grey, 3 = RGB."},
      {"fit", "", "",
       choice<S, Fit>(&S::fit, {{"stretch", Fit::stretch}, {"pad", Fit::pad}, {"crop", Fit::crop}}),
       "\"stretch\"",
       "How an image that is not square becomes square: stretched, padded with black, or cropped "
       "to "
       "its middle."},
      {"positive", "", "", text<S>(&S::positive), "(the last class by name)",
       "The class that sensitivity, AUROC and thresholds speak of."},
      {"val_fraction", "", "",
       number<S>(
           [](auto& s) -> auto& { return s.split.val_fraction; }, kOpenFraction),
       "0.2", "Validation's share of the images that are not test images."},
      {"test_fraction", "", "",
       number<S>(
           [](auto& s) -> auto& { return s.split.test_fraction; }, kOpenFraction),
       "0.2",
       "The test split's share, drawn once by group, used only where the source names no test "
       "split."},
      {"val", "", "",
       choice<S, ValidationFrom>([](auto& s) -> auto& { return s.split.val; },
                                 {{"auto", ValidationFrom::automatic},
                                  {"source", ValidationFrom::source},
                                  {"draw", ValidationFrom::draw}}),
       "\"auto\"",
       "Where validation comes from: \"source\" = the source's own validation split; \"draw\" = "
       "drawn from training and validation together; \"auto\" = the source's if it has at least "
       "100 "
       "images, else drawn."},
      {"split_by", "", "",
       choice<S, SplitBy>(
           [](auto& s) -> auto& { return s.split.split_by; }, split_by_choices()),
       "\"image\"",
       "What validation is drawn by: single images, or whole groups (patients), so that no patient "
       "is "
       "in both."},
      {"group", "", "", group_binding(), "\"\"",
       "Names the patient where the source does not: searched for in the file name; the first "
       "capture, or the whole match, is the group; no match = a group of its own; \"\" = every "
       "image "
       "its own."},
      {"window", "", "", window_binding(), "\"range\"",
       "How 16-bit images become 8-bit: smallest to largest value over the training images, their "
       "0.5 to 99.5 percentiles, or [low, high]."},
  };
  return keys;
}

const std::vector<Key<PhantomSpec>>& phantom_keys() {
  using S = PhantomSpec;
  static const std::vector<Key<S>> keys{
      {"train", "", "", whole<S, std::size_t>(&S::train, 20, kMaxImages), "2000",
       "Images for training and validation; half of them PNEUMONIA."},
      {"test", "", "", whole<S, std::size_t>(&S::test, 4, kMaxImages), "400", "Test images."},
      {"shift", "", "", shift_binding(), "\"default\"",
       "How far the test split's scanner differs from the training split's; 0 = the same scanner, "
       "1 = "
       "\"default\"."},
      {"seed", "", "",
       whole<S, std::uint64_t>(&S::seed, 0, std::numeric_limits<std::int64_t>::max()), "1",
       "Other seeds give other patients."},
  };
  return keys;
}

const std::vector<Key<ArmSpec>>& arm_keys() {
  using S = ArmSpec;
  static const std::vector<Key<S>> keys{
      {"name", "", "", arm_name_binding(), "(required)", "The arm's name in tables and figures."},
      {"vary", "", "", vary_binding<S>(), "(the study's)", "Overrides the study's `vary`."},
      {"split_by", "", "", choice<S, SplitBy>(&S::split_by, split_by_choices()), "(that of [data])",
       "Overrides `split_by` of [data]: what this arm's validation is drawn by."},
      {"reported", "", "", reported_binding(), "{}",
       "What a paper or report said, shown beside the result, such as { test_accuracy = 0.725 }."},
      {"reported_figure", "", "", whole<S, int>(&S::reported_figure, 0, 999), "0",
       "The number of its figure that shows this arm, for the heading of the counterpart; 0 = "
       "none."},
  };
  return keys;
}

}  // namespace bioptic::schema
