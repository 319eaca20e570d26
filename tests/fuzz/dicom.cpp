// DICOM.  GDCM itself is the distribution's, not instrumented: its crashes are seen, its quiet
// errors are not.
#include "bioptic/data/dicom.h"

#include "child_reports.h"
#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bioptic::DicomReader reader;
  static const bioptic::ChildReports reports;
  const bioptic::FuzzFile file(data, size);
  bioptic::fuzz([&] {
    const bioptic::DicomFile dicom = reader.read(file.path(), bioptic::kFuzzPixels);
    bioptic::dicom_image(dicom, dicom.frames.size() - 1, {}, {});
  });
  reports.look();
  return 0;
}
