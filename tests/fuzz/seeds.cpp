// Writes small valid files for every target:  fuzz_seeds FOLDER
#include <zip.h>

#include <cstdio>

#include "bioptic/data/npy.h"
#include "bioptic/data/test_dicom.h"
#include "bioptic/data/test_images.h"

int main(int argc, char** argv) {
  using namespace bioptic;
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const auto text = [&](const char* name, const std::string& content) {
    write_bytes(folder / name, content.data(), content.size());
  };
  write_png(folder / "image/grey.png", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  write_png(folder / "image/deep.png", 5, 4, 3, ramp<std::uint16_t>(5, 4, 3, 3001));
  write_jpeg(folder / "image/grey.jpg", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  write_jpeg(folder / "image/colour.jpg", 9, 7, 3, ramp<std::uint8_t>(9, 7, 3));
  write_tiff(folder / "image/grey.tif", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1),
             PHOTOMETRIC_MINISBLACK);
  write_tiff(folder / "image/colour.tif", 5, 4, 3, ramp<std::uint16_t>(5, 4, 3), PHOTOMETRIC_RGB);

  const std::string images = npy_header("|u1", {2, 2, 2}) + std::string(8, 'x');
  text("array/u1.npy", images);
  text("array/f4.npy", npy_header("<f4", {1, 2, 2, 3}) + std::string(48, '\0'));
  text("array/u2.npy", npy_header(">u2", {2, 1, 3}) + std::string(12, 'y'));
  const std::string labels = npy_header("|u1", {2, 1}) + std::string("\0\1", 2);
  std::filesystem::create_directories(folder / "npz");
  int error = 0;
  zip_t* archive = zip_open((folder / "npz/two.npz").c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  zip_file_add(archive, "train_images.npy",
               zip_source_buffer(archive, images.data(), images.size(), 0), 0);
  zip_file_add(archive, "train_labels.npy",
               zip_source_buffer(archive, labels.data(), labels.size(), 0), 0);
  zip_close(archive);

  text("manifest/all.csv",
       "path,label,split,group,weight\n\"a.png\",x,train,g1,1.5\nb.png,\"y \"\"z\"\"\",test,,2\n");
  text("dataset/two",
       std::string(
           R"({"format_version":1,"dtype":"uint8","images":2,"channels":1,"height":2,"width":2,)"
           R"("classes":["a","b"],"content_sha256":"0"})") +
           '\0' + "id,source,class,split,group\n000000,x,a,train,g\n000001,\"y,z\",a,test,\n");
  TestDicom(4, 3, 12, ramp<std::uint16_t>(4, 3, 1, 300))
      .text(0x00100020, "LO", "P1")
      .text(0x00281050, "DS", "40")
      .text(0x00281051, "DS", "400")
      .item(0x00283010, {{0x00283002, words({3, 0, 8})}, {0x00283006, words({10, 20, 30})}})
      .write(folder / "dicom/grey.dcm");
  TestDicom(2, 1, 8, {1, 2, 3, 4, 5, 6}, "RGB", 3).write(folder / "dicom/rgb.dcm");
  return 0;
}
