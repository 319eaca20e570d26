// Writes small valid files for every target:  fuzz_seeds FOLDER
#include <zip.h>

#include <cstdio>
#include <filesystem>

#include "bioptic/base/files.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/test_dicom.h"
#include "bioptic/data/test_images.h"
#include "bioptic/model/safetensors.h"

namespace {

using namespace bioptic;

// A model of 2 x 2 pixels with one hidden layer, as `bioptic run` saves it.
std::string saved_model() {
  TrainSpec train;
  train.model.hidden = {3};
  train.loss.kind = LossKind::cross_entropy;
  train.early_stopping.emplace();
  train.select = ValidationMetric::auroc;
  return to_safetensors(
      initial_parameters(layer_shapes(4, train.model, 2), 1), train.model.dropout > 0,
      {{"bioptic_model", "1"},
       {"classes", "a\nb"},
       {"positive", "b"},
       {"channels", "1"},
       {"height", "2"},
       {"width", "2"},
       {"fit", "stretch"},
       {"pixel_scale", "1/255"},
       {"preprocessing", R"({"channels":1,"fit":"stretch","window":[0,4095]})"},
       {"dataset_sha256", "0"},
       {"validation", "drawn"},
       {"split", R"({"split_by":"group","test_fraction":0.2,"val":"draw","val_fraction":0.25})"},
       {"group", "p(\\d+)"},
       {"train", canonical_json(train)},
       {"threshold", "0.5"},
       {"threshold_rule", "fixed"},
       {"training_images",
        R"({"channels":1,"images":2,"layout":[0,255],"ranges":{"black":[0,0],"contrast":[9,60.5],)"
        R"("layout":[-1,1],"mean":[10,90.5],"steps":[0,1],"white":[0,0]}})"},
       {"source_images",
        R"({"aspect":[1,1],"colour":[0,0],"count":2,"height":[2,2],"width":[2,2]})"},
       {"pixel_hashes_train", "0123456789abcdeffedcba9876543210"},
       {"pixel_hashes_val", "0000000000000001"},
       {"study", "s"},
       {"arm", "a"},
       {"seed", "0"}});
}

const std::string kEnd = "\n====\n";  // divides the parts of an input for `http` and `store`

// What a store holds; see store.cpp.
std::string stored(const std::string& study) {
  return R"({"images":6,"channels":1,"height":2,"width":2,"classes":["a","b"],"groups_from":"",)"
         R"("preprocessing":{"fit":"stretch"},"provenance":{"skipped":[]},"content_sha256":"0"})" +
         kEnd + R"({"bioptic":"1","compiler":"c","host":"h","processor":"p","processors":"2"})" +
         kEnd + study + kEnd + "a note\nanother" + kEnd +
         std::string("\0\0\0\0\1\0\0\0\2\0\0\0", 12) + kEnd +
         std::string("\0\0\0\x3f\0\0\x80\xbf\0\0\0\x40", 12);
}

constexpr const char* kSmallStudy = R"([study]
name = "s"
seeds = 2
vary = ["init", "order"]
[data]
source = "phantom"
phantom = { train = 200, test = 80 }
size = 32
window = [0, 4095]
[train]
epochs = 2
model = { kind = "mlp", hidden = [4] }
loss = { kind = "cross_entropy", label_smoothing = 0.1 }
optimizer = { kind = "sgd", lr = 0.1, momentum = 0.9 }
scheduler = { kind = "onecycle", max_lr = 0.1 }
[[arm]]
name = "a"
batch_size = 5
[[arm]]
name = "b"
batch_size = 8
[[claim]]
id = "C"
kind = "difference"
sentence = "x"
arms = ["a", "b"]
metric = "accuracy"
direction = "higher"
)";

std::string answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Connection: close\r\n\r\n" + body;
}

}  // namespace

int main(int argc, char** argv) {
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

  for (const auto& entry : std::filesystem::directory_iterator(BIOPTIC_STUDIES)) {
    text(("study/" + entry.path().filename().string()).c_str(), read_file(entry.path()));
  }
  text("study/small.toml", kSmallStudy);
  text("model/small.safetensors", saved_model());
  text("predictions/two.csv",
       "arm,seed,image,label,score,split,group,threshold\na,0,x,0,0.2,test,g,0.5\n"
       "a,0,y,1,0.9,test,h,0.5\nb,0,x,0,0.7,test,g,0.5\nb,0,y,1,nan,val,h,0.5\n");
  text("predictions/classes.csv",
       std::string("seed,image,label,score_u,score_v,score_w,logit_u,logit_v,logit_w\n"
                   "1,\"x,1\",u,0.2,0.3,0.5,1,2,3\n1,y,w,0.1,0.8,0.1,0,1e3,-2\n") +
           '\0' + "seed,image,label,score_u,score_v,score_w\n1,\"x,1\",u,1,0,0\n1,y,w,0,0,1\n");
  text("store/small", stored(kSmallStudy));

  const std::string content = "0123456789abcdefghij";
  const std::string length = "Content-Length: 20\r\n";
  const std::string rest =
      answer("206 Partial Content", "Content-Range: bytes 10-19/20\r\nContent-Length: 10\r\n",
             content.substr(10));
  text("http/whole", answer("200 OK", length, content));
  text("http/rest", rest);
  text("http/cut", answer("200 OK", length, content.substr(0, 10)) + kEnd + rest);
  text("http/satisfied", answer("416 Range Not Satisfiable", "Content-Length: 0\r\n", "") + kEnd +
                             answer("200 OK", length, content));
  text("http/moved",
       answer("302 Found", "Location: http://elsewhere.invalid/y\r\nContent-Length: 0\r\n", "") +
           kEnd + answer("200 OK", length, content));
  text("http/chunked",
       answer("200 OK", "Transfer-Encoding: chunked\r\n", "14\r\n" + content + "\r\n0\r\n\r\n"));
  text("http/missing", answer("404 Not Found", "Content-Length: 0\r\n", ""));
  return 0;
}
