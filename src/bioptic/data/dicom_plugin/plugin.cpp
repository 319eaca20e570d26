// Reads DICOM files with GDCM: it parses the data set and decodes compressed pixels.  What the
// pixels are is taken from header and pixels alone, not from the class of the object, of which GDCM
// knows some.
#include <gdcmReader.h>
#include <gdcmTrace.h>

#include <exception>
#include <new>

#include "bioptic/data/dicom_plugin.h"
#include "bioptic/data/dicom_plugin/header.h"
#include "bioptic/data/dicom_plugin/lut.h"
#include "bioptic/data/dicom_plugin/memory_limit.h"
#include "bioptic/data/dicom_plugin/pixels.h"
#include "bioptic/data/dicom_plugin/refused.h"
#include "bioptic/data/dicom_plugin/syntax.h"

namespace bioptic::dicom {
namespace {

[[noreturn]] void refuse_unreadable(const char* syntax) {
  if (syntax == nullptr) {
    throw Refused("cannot be read as DICOM: it names no transfer syntax, and none fits");
  }
  throw Refused(std::string("cannot be read as ") + syntax +
                ", which it says it is: it is damaged or cut off");
}

void read(const char* path, bool pixels, std::int64_t max_pixels, DicomFile& file) {
  const MemoryLimit memory(path);
  std::string uid = syntax_uid(path);
  // GDCM would not say which one it does not know.
  const char* const named = uid.empty() ? nullptr : syntax_of(uid).name;
  gdcm::Reader reader;
  reader.SetFileName(path);
  if (!reader.ReadUpToTag(Tag(0x7FE0, 0x0010))) refuse_unreadable(named);
  const DataSet& data = reader.GetFile().GetDataSet();
  const gdcm::TransferSyntax& found = reader.GetFile().GetHeader().GetDataSetTransferSyntax();
  if (uid.empty()) uid = found.GetString();
  const Syntax& syntax = syntax_of(uid);
  require_pixels(data);
  const Stored stored = read_header(data, max_pixels, file);
  read_meaning(data, file);
  const bool plain = syntax.coding == Coding::plain || syntax.coding == Coding::deflated ||
                     syntax.coding == Coding::swapped;
  CompressedFrames frames;
  if (plain) {
    check_plain(path, reader, stored, syntax, file);
  } else {
    frames = check_compressed(path, reader, stored, syntax, file);
  }
  const bool palette = stored.photometric == "PALETTE COLOR";
  if (!pixels) {
    if (palette) apply_palette(data, file);  // to no pixel: is it whole?
    return;
  }
  memory.allow(stored.frame_values() * file.frames.size() *
               static_cast<std::uint64_t>(file.bits_allocated) / 8);
  if (plain) {
    read_plain(data, stored, syntax, found == gdcm::TransferSyntax::ExplicitVRBigEndian, file);
  } else {
    read_compressed(frames, stored, syntax, file);
  }
  if (palette) apply_palette(data, file);
}

}  // namespace
}  // namespace bioptic::dicom

const char* bioptic_dicom_interface() {
  // GDCM would write its warnings, with values of tags, to standard error.
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  return bioptic::kDicomInterface;
}

void bioptic_dicom_read(const char* path, bool pixels, std::int64_t max_pixels,
                        bioptic::DicomFile* file, std::string* error) {
  try {
    bioptic::dicom::read(path, pixels, max_pixels, *file);
  } catch (const bioptic::dicom::Refused& e) {
    *error = e.what();
  } catch (const std::bad_alloc&) {
    *error = "asks for more memory than a file of its size can need: it is damaged";
  } catch (const std::exception& e) {
    *error = std::string("cannot be read as DICOM: ") + e.what();
  } catch (...) {
    *error = "cannot be read as DICOM";
  }
}
