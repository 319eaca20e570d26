#include "bioptic/engine/engine.h"

#include <array>

#include "bioptic/base/error.h"
#include "bioptic/engine/fused/fused_engine.h"
#include "bioptic/engine/reference/reference_engine.h"

namespace bioptic {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"fused", "reference"};

[[noreturn]] void unknown(std::string_view name) {
  throw InputError("unknown engine '" + std::string(name) + "'" + suggestion(name, kNames));
}

}  // namespace

std::unique_ptr<Engine> make_engine(std::string_view name, const EngineConfig& config) {
  if (name == "fused") return make_fused_engine(config);
  if (name == "reference") return make_reference_engine(config);
  unknown(name);
}

int engine_numerics_version(std::string_view name) {
  if (name == "fused") return kFusedNumericsVersion;
  if (name == "reference") return kReferenceNumericsVersion;
  unknown(name);
}

}  // namespace bioptic
