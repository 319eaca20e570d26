// DICOM files: read through the plugin, turned into grey values by a stated rule, and their
// patients into names that say nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "bioptic/data/dicom_plugin.h"
#include "bioptic/data/image.h"
#include "bioptic/data/import.h"

namespace bioptic {

// True for names that end in .dcm or .dicom and for files with "DICM" behind a preamble of 128
// bytes (many have no ending at all); false for a DICOMDIR, which lists files and holds no image.
bool is_dicom_file(const std::filesystem::path& path);

// The plugin, opened once per object.
class DicomReader {
 public:
  // Throws Failure when the plugin is not where it is installed or cannot be loaded.
  DicomReader();
  // Throws InputError naming the file.  Safe from several threads.
  DicomFile read_header(const std::filesystem::path& path, std::int64_t max_pixels) const;
  DicomFile read(const std::filesystem::path& path, std::int64_t max_pixels) const;

 private:
  DicomFile call(const std::filesystem::path& path, bool pixels, std::int64_t max_pixels) const;
  std::shared_ptr<void> library_;
  decltype(&bioptic_dicom_read) read_ = nullptr;
};

// Which rule makes grey values of a frame.
enum class DicomRule {
  voi_lut,     // the file's VOI lookup table
  window,      // the file's first window: PS3.3 C.11.2.1.2 and .3
  fixed,       // DicomOptions::low to high
  percentile,  // 0.5 to 99.5 % of the frame's own pixels, padding left out
  whole,       // everything that the stored bits can hold, from black to white
  none         // the modality values themselves, in 16 bits
};
// What the choice comes to for this frame: DicomWindow::file takes the table, else the window; a
// file that names neither keeps its whole range where that is 8 bits, else the percentiles.
DicomRule dicom_rule(const DicomFile& file, std::size_t frame, const DicomOptions& options);

// The smallest modality value that the stored bits of any frame can give.
double smallest_modality_value(const DicomFile& file);

// What the modality values of frames can be, from their headers alone.
struct DicomRange {
  double lowest = 0, highest = 0;   // with 0
  double slope = 1, intercept = 0;  // of the first frame
  bool empty = true, same = true;   // no frame yet; all have that slope and intercept
  bool whole = true;                // all slopes are whole numbers
  bool is_signed = false;           // some stored values are
  double least = 0;                 // the smallest slope without its sign
  void add(const DicomRange& other);
};
DicomRange modality_range(const DicomFile& file);

// How DicomRule::none puts modality values into 16 bits: (value - zero) / unit + added, rounded.
struct DicomScale {
  double added = 0, unit = 1, zero = 0;
};
// `options` may give them.  Else whole slopes keep their values (unit 1); one slope that is not
// whole, of all frames, is the unit, so that the stored values themselves are kept; several are
// held against the smallest unit that leaves room for the largest value.  `added` is 32768 where
// values can be negative.
DicomScale dicom_scale(const DicomRange& range, const DicomOptions& options);

// Bits that dicom_image gives: 8 but for DicomRule::none.
int dicom_bits(const DicomFile& file, const DicomOptions& options);

// One frame, H x W x C.  MONOCHROME1 is inverted, so that more is brighter.  8 bits: y in 0..1 by
// the rule, then floor(255 y + 0.5).  none: 16 bits by the scale, held within 0..65535; what that
// clips, and which different values become one, is counted in the image's losses.  What the file
// holds beyond its frames is counted with the first.
Image dicom_image(const DicomFile& file, std::size_t frame, const DicomOptions& options,
                  const DicomScale& scale);

// The key of group names.  `file`: where it stands; "" = group-key in the user's configuration
// folder ($XDG_CONFIG_HOME/bioptic, else ~/.config/bioptic), made there on first use from the
// system's random numbers, readable by its owner alone.  The key is the file's content without
// line breaks at its end; shorter than 16 bytes is refused with InputError, as is a named file
// that does not exist.
std::string group_key(const std::filesystem::path& file);
// A sentence for a person where everybody can read the file that was named, "" where not.  (The
// user's own is closed by group_key().)
std::string open_key_note(const std::filesystem::path& file);

// "p" and the first 16 hex digits of HMAC-SHA-256(key, identity).
std::string group_name(std::string_view key, std::string_view identity);

}  // namespace bioptic
