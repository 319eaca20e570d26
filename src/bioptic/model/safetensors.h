// Trained models as .safetensors: 8 bytes of header length, a JSON header, the tensors' bytes.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "bioptic/model/parameters.h"

namespace bioptic {

struct SavedModel {
  Parameters parameters;
  std::map<std::string, std::string> metadata;
};

// The file's bytes.  Tensors are named as those of the equivalent nn.Sequential ("0.weight", see
// module_index), so that torch's load_state_dict takes them.
std::string to_safetensors(const Parameters& parameters, bool has_dropout,
                           const std::map<std::string, std::string>& metadata);

// Throws InputError naming the file for anything that is not a model of this program: damaged or
// cut off, other tensors, element types other than F32, shapes that do not follow on each other.
SavedModel read_safetensors(const std::filesystem::path& file);

// The metadata alone, from the file's header; the same errors as far as the header goes.
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& file);

}  // namespace bioptic
