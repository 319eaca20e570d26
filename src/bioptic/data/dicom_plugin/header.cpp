#include "bioptic/data/dicom_plugin/header.h"

#include <gdcmUIDs.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>

#include "bioptic/data/dicom_plugin/lut.h"
#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

struct Photometric {
  const char* name;
  DicomColour colour;
  int samples;
};
constexpr std::array kPhotometrics = {Photometric{"MONOCHROME1", DicomColour::monochrome1, 1},
                                      Photometric{"MONOCHROME2", DicomColour::monochrome2, 1},
                                      Photometric{"PALETTE COLOR", DicomColour::rgb, 1},
                                      Photometric{"RGB", DicomColour::rgb, 3},
                                      Photometric{"YBR_FULL", DicomColour::rgb, 3},
                                      Photometric{"YBR_FULL_422", DicomColour::rgb, 3},
                                      Photometric{"YBR_ICT", DicomColour::rgb, 3},
                                      Photometric{"YBR_RCT", DicomColour::rgb, 3}};

// Upper case, without what people put between the words.
std::string letters_of(const std::string& name) {
  std::string letters;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    letters += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return letters;
}

const Photometric& photometric_of(const DataSet& data) {
  const std::string name = text(data, Tag(0x0028, 0x0004), false);
  if (name.empty()) throw Refused("names no photometric interpretation");
  const auto* const found =
      std::find_if(kPhotometrics.begin(), kPhotometrics.end(),
                   [&](const Photometric& p) { return letters_of(p.name) == letters_of(name); });
  if (found != kPhotometrics.end()) return *found;
  throw Refused("has the photometric interpretation " + name + ", which is not supported");
}

// One of 0 and 1, `usual` where the file does not say.
bool flag(const DataSet& data, const Tag& tag, const char* name, bool usual) {
  const auto value = word(data, tag, name);
  if (value && *value > 1) {
    throw Refused(std::string("has a ") + name + " of " + std::to_string(*value) +
                  ", where 0 or 1 is expected");
  }
  return value ? *value == 1 : usual;
}

void read_bits(const DataSet& data, DicomFile& file) {
  file.bits_allocated = required(data, Tag(0x0028, 0x0100), "BitsAllocated");
  file.bits_stored = required(data, Tag(0x0028, 0x0101), "BitsStored");
  file.is_signed = flag(data, Tag(0x0028, 0x0103), "PixelRepresentation", false);
  if (file.bits_allocated != 8 && file.bits_allocated != 16) {
    throw Refused("stores values in " + std::to_string(file.bits_allocated) +
                  (file.bits_allocated == 1 ? " bit" : " bits") + "; 8 and 16 are supported");
  }
  if (file.bits_stored < 1 || file.bits_stored > file.bits_allocated) {
    throw Refused("says that " + std::to_string(file.bits_stored) + " of " +
                  std::to_string(file.bits_allocated) + " bits are used");
  }
  if (word(data, Tag(0x0028, 0x0102), "HighBit")
          .value_or(static_cast<std::uint16_t>(file.bits_stored - 1)) != file.bits_stored - 1) {
    throw Refused("keeps its values in other than the lowest bits, which is not supported");
  }
}

std::size_t frames_of(const DataSet& data, std::int64_t max_pixels, const DicomFile& file) {
  const double frames = decimal(data, Tag(0x0028, 0x0008), "NumberOfFrames").value_or(1);
  if (frames < 1 || frames > std::numeric_limits<std::int32_t>::max() ||
      std::floor(frames) != frames) {
    throw Refused("has an impossible number of frames (NumberOfFrames)");
  }
  const auto count = static_cast<std::int64_t>(frames);
  if (count > max_pixels / (std::int64_t{file.width} * file.height)) {
    throw Refused("has " + std::to_string(count) + " frames of " + std::to_string(file.width) +
                  " x " + std::to_string(file.height) + " pixels, more than " +
                  std::to_string(max_pixels) + " in all; raise --max-pixels if that is right");
  }
  return static_cast<std::size_t>(count);
}

// Slope and intercept of the data set, or of a frame's functional group.
void read_rescale(const DataSet& data, DicomFrame& frame) {
  const auto slope = decimal(data, Tag(0x0028, 0x1053), "RescaleSlope");
  const auto intercept = decimal(data, Tag(0x0028, 0x1052), "RescaleIntercept");
  // One alone leaves the other what it does not change.
  if (slope == 0.0) throw Refused("has a RescaleSlope of 0, which makes all its values one");
  frame.slope = slope.value_or(frame.slope);
  frame.intercept = intercept.value_or(frame.intercept);
}

void read_window(const DataSet& data, DicomFrame& frame) {
  const auto center = decimal(data, Tag(0x0028, 0x1050), "WindowCenter", Several::first);
  const auto width = decimal(data, Tag(0x0028, 0x1051), "WindowWidth", Several::first);
  if (!center && !width) return;
  if (!center) throw Refused("has a WindowWidth without a WindowCenter");
  if (!width) throw Refused("has a WindowCenter without a WindowWidth");
  const std::string function = text(data, Tag(0x0028, 0x1056));
  frame.function = function == "SIGMOID"        ? DicomVoi::sigmoid
                   : function == "LINEAR_EXACT" ? DicomVoi::linear_exact
                                                : DicomVoi::linear;
  if (!function.empty() && function != "LINEAR" && frame.function == DicomVoi::linear) {
    throw Refused("has an unknown VOI LUT function, " + function);
  }
  // PS3.3 C.11.2.1.2: a width below 1 (for LINEAR) or not above 0 is not valid.
  if (frame.function == DicomVoi::linear ? *width < 1 : *width <= 0) {
    throw Refused("has a WindowWidth of " + text(data, Tag(0x0028, 0x1051)) +
                  ", which is not valid");
  }
  frame.has_window = true;
  frame.center = *center;
  frame.width = *width;
}

// What is wrong with a window matters only where the window is asked for.
template <typename Read>
void as_window(DicomFile& file, const Read& read) {
  try {
    read();
  } catch (const Refused& fault) {
    if (file.window_fault.empty()) file.window_fault = fault.what();
  }
}

void read_functional_groups(const DataSet* groups, DicomFile& file, DicomFrame& frame) {
  if (groups == nullptr) return;
  const Items rescale(*groups, Tag(0x0028, 0x9145), "PixelValueTransformationSequence");
  if (rescale.at(0) != nullptr) read_rescale(*rescale.at(0), frame);
  as_window(file, [&] {
    const Items window(*groups, Tag(0x0028, 0x9132), "FrameVOILUTSequence");
    if (window.at(0) != nullptr) read_window(*window.at(0), frame);
  });
}

void read_frames(const DataSet& data, DicomFile& file, const DicomFrame& whole_file) {
  DicomFrame common = whole_file;
  const Items shared(data, Tag(0x5200, 0x9229), "SharedFunctionalGroupsSequence"),
      per_frame(data, Tag(0x5200, 0x9230), "PerFrameFunctionalGroupsSequence");
  if (per_frame.size() > 0 && per_frame.size() != file.frames.size()) {
    throw Refused("contradicts itself: it has " + std::to_string(file.frames.size()) +
                  " frames (NumberOfFrames) and functional groups for " +
                  std::to_string(per_frame.size()));
  }
  read_functional_groups(shared.at(0), file, common);
  for (std::size_t f = 0; f < file.frames.size(); ++f) {
    file.frames[f] = common;
    read_functional_groups(per_frame.at(f), file, file.frames[f]);
  }
}

std::uint64_t overlays_of(const DataSet& data) {
  std::uint64_t count = 0;
  for (std::uint16_t group = 0x6000; group <= 0x601E; group = static_cast<std::uint16_t>(group + 2))
    count += find(data, Tag(group, 0x3000)) != nullptr ? 1U : 0U;
  return count;
}

// "" for what GDCM does not know; its own search stops there.
std::string class_name(const std::string& uid) {
  for (unsigned i = 0; i < gdcm::UIDs::GetNumberOfTransferSyntaxStrings(); ++i) {
    const char* const* entry = gdcm::UIDs::GetTransferSyntaxString(i);  // UID, name
    if (entry[0] != nullptr && entry[1] != nullptr && uid == entry[0]) return entry[1];
  }
  return {};
}

}  // namespace

Stored read_header(const DataSet& data, std::int64_t max_pixels, DicomFile& file) {
  Stored stored;
  file.height = required(data, Tag(0x0028, 0x0010), "Rows");
  file.width = required(data, Tag(0x0028, 0x0011), "Columns");
  if (file.width < 1 || file.height < 1) throw Refused("has no pixels");
  stored.samples = word(data, Tag(0x0028, 0x0002), "SamplesPerPixel").value_or(1);
  file.frames.resize(frames_of(data, max_pixels, file));
  read_bits(data, file);
  const Photometric& photometric = photometric_of(data);
  stored.photometric = photometric.name;
  file.colour = photometric.colour;
  if (stored.samples != photometric.samples) {
    throw Refused("contradicts itself: it has " + std::to_string(stored.samples) +
                  " values per pixel (SamplesPerPixel) and is " + photometric.name);
  }
  stored.planes =
      stored.samples == 3 && flag(data, Tag(0x0028, 0x0006), "PlanarConfiguration", false);
  stored.pixels = static_cast<std::size_t>(file.width) * static_cast<std::size_t>(file.height);
  return stored;
}

void read_meaning(const DataSet& data, DicomFile& file) {
  file.patient_id = text(data, Tag(0x0010, 0x0020), false);
  file.study_uid = text(data, Tag(0x0020, 0x000D));
  file.instance_uid = text(data, Tag(0x0008, 0x0018));
  file.burned_in = text(data, Tag(0x0028, 0x0301)) == "YES";
  file.overlays = overlays_of(data);
  if (file.colour == DicomColour::rgb) return;
  if (const auto padding = word(data, Tag(0x0028, 0x0120), "PixelPaddingValue")) {
    file.padding = file.is_signed ? static_cast<std::int16_t>(*padding) : *padding;
  }
  const Items modality(data, Tag(0x0028, 0x3000), "ModalityLUTSequence");
  DicomFrame common;
  if (modality.at(0) != nullptr) {
    file.modality = read_lut(*modality.at(0), Tag(0x0028, 0x3002), Tag(0x0028, 0x3006),
                             file.is_signed, "modality lookup table");
  } else {
    read_rescale(data, common);
  }
  as_window(file, [&] { read_window(data, common); });
  as_window(file, [&] {
    const Items voi(data, Tag(0x0028, 0x3010), "VOILUTSequence");
    if (voi.at(0) == nullptr) return;
    // The table's first input is a modality value: signed where those can be negative.
    const bool negative = modality.at(0) == nullptr && (file.is_signed || common.intercept < 0);
    file.voi = read_lut(*voi.at(0), Tag(0x0028, 0x3002), Tag(0x0028, 0x3006), negative,
                        "VOI lookup table");
  });
  read_frames(data, file, common);
}

void require_pixels(const DataSet& data) {
  if (find(data, Tag(0x7FE0, 0x0010)) != nullptr) return;
  if (find(data, Tag(0x7FE0, 0x0008)) != nullptr || find(data, Tag(0x7FE0, 0x0009)) != nullptr) {
    throw Refused("holds floating-point pixels, which are not supported; 8 and 16 bits are");
  }
  if (find(data, Tag(0x0028, 0x0010)) != nullptr && find(data, Tag(0x0028, 0x0011)) != nullptr) {
    throw Refused("describes an image but holds no pixels: it is cut off, or a header alone");
  }
  const std::string name = class_name(text(data, Tag(0x0008, 0x0016)));
  throw Refused("holds no image" + (name.empty() ? "" : " (its class is " + name + ")"));
}

}  // namespace bioptic::dicom
