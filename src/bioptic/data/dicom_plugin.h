// What the program and its DICOM plugin say to each other.  GDCM takes 25 ms to load, so it is
// linked to a plugin that data/dicom.cpp opens when the first DICOM file is met.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bioptic {

// Both sides are built together; a plugin that gives another text is refused.
inline constexpr char kDicomInterface[] = "bioptic DICOM plugin, interface 2";

// A lookup table: input first -> values[0]; below and above, the ends.  Empty: there is none.
struct DicomLut {
  std::int32_t first = 0;
  int bits = 16;  // of the values
  std::vector<std::uint16_t> values;
};

enum class DicomVoi { linear, linear_exact, sigmoid };

// What may differ from frame to frame.
struct DicomFrame {
  double slope = 1, intercept = 0;  // modality value = slope * stored value + intercept
  bool has_window = false;          // the file names a window: its first one
  double center = 0, width = 0;     // in modality values
  DicomVoi function = DicomVoi::linear;
};

enum class DicomColour { monochrome1, monochrome2, rgb };

struct DicomFile {
  int width = 0, height = 0;
  DicomColour colour = DicomColour::monochrome2;  // what `pixels` hold
  int bits_allocated = 8;                         // 8 or 16, of one value in `pixels`
  int bits_stored = 8;                            // 1..bits_allocated
  bool is_signed = false;
  DicomLut modality, voi;               // tables that stand in place of slope and window
  std::optional<std::int32_t> padding;  // the stored value of pixels outside the picture
  std::vector<DicomFrame> frames;       // at least one

  std::string window_fault;  // why its window or VOI table cannot be used; "" = it can

  // What the file holds beyond its frames, which is left out.
  std::uint64_t further_frames = 0, spare_bytes = 0, overlays = 0;
  // The compressed pixels say that they are RGB or YCbCr where the header says otherwise; they are
  // followed.
  bool colour_overruled = false;

  // Who is shown.  Never stored: data/dicom_group.h makes a keyed hash of it.
  std::string patient_id, study_uid, instance_uid;
  bool burned_in = false;  // BurnedInAnnotation = YES

  // frames x height x width x (1 or 3), host byte order, interleaved; empty when only the header
  // was read.
  std::vector<std::uint8_t> pixels;
};

}  // namespace bioptic

extern "C" {
// kDicomInterface of the plugin.
const char* bioptic_dicom_interface();
// Reads one file, with its pixels where `pixels` is set.  Returns an empty text, or why the file
// cannot be used, for a message that begins with its name.  Throws nothing.  Call it in a process
// of its own: it limits what memory the process may take (RLIMIT_DATA) by the file's size.
// max_pixels: of all frames together, held against the header before anything is decoded.
void bioptic_dicom_read(const char* path, bool pixels, std::int64_t max_pixels,
                        bioptic::DicomFile* file, std::string* error);
}
