#include "bioptic/model/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/json_integer.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/nesting.h"

namespace bioptic {
namespace {

using nlohmann::json;

struct Entry {
  std::size_t module = 0;
  bool bias = false;
  std::vector<std::size_t> shape;
  std::size_t begin = 0, end = 0;
};

Entry parse_entry(const std::string& name, const json& j, std::size_t data_bytes) {
  Entry entry;
  const std::size_t dot = name.find('.');
  const std::string part = dot == std::string::npos ? "" : name.substr(dot + 1);
  const bool digits =
      dot != std::string::npos && dot > 0 && dot < 6 && name.find_first_not_of("0123456789") == dot;
  if (!digits || (part != "weight" && part != "bias")) {
    throw InputError("tensor '" + name + "' is none of an nn.Sequential's (0.weight, 0.bias, ...)");
  }
  entry.module = std::stoul(name.substr(0, dot));
  entry.bias = part == "bias";
  if (j.at("dtype") != "F32") throw InputError("tensor '" + name + "' is not F32");
  entry.shape = integers<std::size_t>(j.at("shape"));
  entry.begin = integer<std::size_t>(j.at("data_offsets").at(0));
  entry.end = integer<std::size_t>(j.at("data_offsets").at(1));
  std::size_t elements = 1;
  for (const std::size_t d : entry.shape) {
    if (d == 0 || elements > data_bytes / d) {
      throw InputError("tensor '" + name + "' has a shape that the file cannot hold");
    }
    elements *= d;
  }
  if (entry.shape.size() != (entry.bias ? 1U : 2U) || entry.begin > entry.end ||
      entry.end > data_bytes || entry.end - entry.begin != 4 * elements) {
    throw InputError("tensor '" + name + "' does not fit its place in the file");
  }
  return entry;
}

struct Header {
  json entries;
  std::size_t data_at = 0;  // where the tensors' bytes begin
};

Header parse_header(const MappedFile& file) {
  std::uint64_t length = 0;
  if (file.size() >= 8) std::memcpy(&length, file.data(), 8);
  if (file.size() < 8 || length > file.size() - 8) {
    throw InputError("is not a .safetensors file, or is cut off");
  }
  const char* text = reinterpret_cast<const char*>(file.data()) + 8;
  if (nested_too_deeply({text, static_cast<std::size_t>(length)})) {
    throw InputError("has a header that is nested too deeply for a .safetensors file");
  }
  return {json::parse(text, text + length), 8 + static_cast<std::size_t>(length)};
}

using Metadata = std::map<std::string, std::string>;
Metadata parse_metadata(const json& entries) {
  const auto it = entries.find("__metadata__");
  return it == entries.end() ? Metadata{} : it->get<Metadata>();
}

SavedModel parse(const MappedFile& file) {
  const Header header = parse_header(file);
  const std::uint8_t* data = file.data() + header.data_at;
  const std::size_t data_bytes = file.size() - header.data_at;

  SavedModel model;
  std::vector<Entry> weights, biases;
  model.metadata = parse_metadata(header.entries);
  for (const auto& [name, value] : header.entries.items()) {
    if (name == "__metadata__") continue;
    const Entry entry = parse_entry(name, value, data_bytes);
    (entry.bias ? biases : weights).push_back(entry);
  }
  const auto by_module = [](const Entry& a, const Entry& b) { return a.module < b.module; };
  std::sort(weights.begin(), weights.end(), by_module);
  std::sort(biases.begin(), biases.end(), by_module);
  if (weights.empty() || weights.size() != biases.size()) {
    throw InputError("has " + std::to_string(weights.size()) + " weight and " +
                     std::to_string(biases.size()) + " bias tensors");
  }
  const auto values = [&](const Entry& entry) {
    std::vector<float> out((entry.end - entry.begin) / 4);
    std::memcpy(out.data(), data + entry.begin, entry.end - entry.begin);
    return out;
  };
  for (std::size_t l = 0; l < weights.size(); ++l) {
    const LayerShape shape{weights[l].shape[1], weights[l].shape[0]};
    if (biases[l].module != weights[l].module || biases[l].shape[0] != shape.out ||
        (l > 0 && shape.in != model.parameters.shapes.back().out)) {
      throw InputError("the shapes of module " + std::to_string(weights[l].module) +
                       " do not follow on the one before");
    }
    model.parameters.shapes.push_back(shape);
    model.parameters.layers.push_back({values(weights[l]), values(biases[l])});
  }
  return model;
}

// Errors of a reader get the file's name.
template <typename Reader>
auto read(const std::filesystem::path& file, const Reader& reader) {
  const MappedFile map(file);
  try {
    return reader(map);
  } catch (const InputError& e) {
    throw InputError(file.string() + ": " + e.what());
  } catch (const json::exception& e) {
    throw InputError(file.string() + ": is not a .safetensors file: " + e.what());
  }
}

}  // namespace

std::string to_safetensors(const Parameters& parameters, bool has_dropout,
                           const std::map<std::string, std::string>& metadata) {
  json header;
  header["__metadata__"] = metadata;
  std::size_t at = 0;
  const auto place = [&](const std::string& name, const std::vector<std::size_t>& shape,
                         std::size_t elements) {
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, at + 4 * elements}}};
    at += 4 * elements;
  };
  for (std::size_t l = 0; l < parameters.layers.size(); ++l) {
    const LayerShape& shape = parameters.shapes[l];
    const std::string module = std::to_string(module_index(l, has_dropout));
    place(module + ".weight", {shape.out, shape.in}, shape.out * shape.in);
    place(module + ".bias", {shape.out}, shape.out);
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8
  const std::uint64_t length = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  out += text;
  out.reserve(out.size() + at);
  for (const LayerParameters& layer : parameters.layers) {
    out.append(reinterpret_cast<const char*>(layer.weight.data()), 4 * layer.weight.size());
    out.append(reinterpret_cast<const char*>(layer.bias.data()), 4 * layer.bias.size());
  }
  return out;
}

SavedModel read_safetensors(const std::filesystem::path& file) { return read(file, parse); }

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& file) {
  return read(file,
              [](const MappedFile& map) { return parse_metadata(parse_header(map).entries); });
}

}  // namespace bioptic
