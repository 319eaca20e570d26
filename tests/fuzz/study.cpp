// Study files (TOML), checked and expanded for a dataset of two classes and of three.
#include <algorithm>

#include "bioptic/study/document.h"
#include "bioptic/study/spec.h"
#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  return bioptic::fuzz([&] {
    bioptic::toml_text(bioptic::parse_document(text, "fuzz.toml"));
    bioptic::StudySpec study = bioptic::parse_study_text(text, "fuzz.toml");
    // A file may ask for as many trials as it likes; two of each arm and stream tell as much.
    for (int* const n :
         {&study.seeds.count, &study.seeds.split, &study.seeds.init, &study.seeds.order}) {
      *n = std::min(*n, 2);
    }
    bioptic::expand(study, {"hash", {"NORMAL", "PNEUMONIA"}, false}, "fused", 1);
    bioptic::expand(study, {"hash", {"a", "b", "c"}, true}, "fused", 1);
  });
}
