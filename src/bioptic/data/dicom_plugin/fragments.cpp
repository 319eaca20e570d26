#include "bioptic/data/dicom_plugin/fragments.h"

#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {

std::string CompressedFrames::joined(std::size_t frame) const {
  std::string bytes;
  for (const std::string_view fragment : frames[frame]) bytes += fragment;
  return bytes;
}

CompressedFrames frames_of(const gdcm::SequenceOfFragments& fragments, std::size_t frames,
                           Coding coding) {
  CompressedFrames found;
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < fragments.GetNumberOfFragments(); ++i) {
    const gdcm::ByteValue* value = fragments.GetFragment(i).GetByteValue();
    if (value != nullptr && value->GetPointer() != nullptr && value->GetLength() > 0) {
      all.emplace_back(value->GetPointer(), value->GetLength());
    }
  }
  if (all.empty()) throw Refused("has no compressed pixels: it is cut off or damaged");
  // A fragment a frame is the rule, and of RLE the law; else a frame goes on until the next one
  // begins.
  for (const std::string_view fragment : all) {
    const bool begins = all.size() == frames || begins_image(fragment, coding);
    if (begins || found.frames.empty()) found.frames.emplace_back();
    found.frames.back().push_back(fragment);
  }
  if (found.frames.size() < frames) {
    throw Refused("contradicts itself: its header promises " + std::to_string(frames) +
                  " frames (NumberOfFrames), its compressed pixels are " +
                  std::to_string(found.frames.size()));
  }
  found.further = found.frames.size() - frames;
  found.frames.resize(frames);
  found.first = read_codestream(found.joined(0), coding);
  return found;
}

}  // namespace bioptic::dicom
