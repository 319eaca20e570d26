// Names that mean something to some language: what every output holds is read back by Python.
#include <fmt/format.h>

#include <cstdlib>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

// Runs Debian's python3 on a script with one argument; the exit code.
int python(const fs::path& script, const fs::path& argument) {
  return std::system(
      fmt::format("/usr/bin/python3 {} {}", script.string(), argument.string()).c_str());
}

// Reads what lies below a folder as other programs do: strictly as UTF-8, CSV with as many fields
// in every row, JSON, and SVG and HTML as far as parsers go.
constexpr const char* kReadBack = R"PY(
import csv, html.parser, json, pathlib, sys, xml.etree.ElementTree
out = pathlib.Path(sys.argv[1])
ARMS, CLASSES = ['10% "x", <b>', "=1+1 'y' & $z_{1}$"], ["=1+1", "Müller"]
rows = {}
for path in sorted(out.rglob("*.csv")):
    with open(path, encoding="utf-8", newline="") as f:
        reader = csv.DictReader(f, strict=True)
        rows[path.name] = list(reader)
    for row in rows[path.name]:
        assert None not in row and None not in row.values(), (path, row)
        if "arm" in row:
            assert row["arm"] in ARMS, (path, row["arm"])
for name in ("trials.csv", "history.csv", "predictions.csv", "arms.csv"):
    assert [r["arm"] for r in rows[name] if r["arm"] == ARMS[0]], name
for path in sorted(out.rglob("*.json")):
    json.loads(path.read_text(encoding="utf-8"))
summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
assert summary["dataset"]["classes"] == CLASSES, summary["dataset"]["classes"]
assert [a["name"] for a in summary["arms"]] == ARMS
drawn = ""
for path in sorted(out.rglob("*.svg")):
    drawn += "".join(xml.etree.ElementTree.parse(path).getroot().itertext())
for name in ARMS + CLASSES:
    assert name in drawn.replace("\u00a0", " "), name
class Text(html.parser.HTMLParser):
    text = ""
    def handle_data(self, data):
        self.text += data
page = Text()
page.feed((out / "report.html").read_text(encoding="utf-8"))
for name in ARMS:
    assert name in page.text, name
tex = (out / "tables/arms.tex").read_text(encoding="utf-8")
assert '10\\% "x", \\textless{}b\\textgreater{}' in tex, tex
assert '| 10% "x", \\<b\\> |' in (out / "tables/arms.md").read_text(encoding="utf-8")
assert "\\& \\$z\\_\\{1\\}\\$" in tex, tex
)PY";

class Names : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "python3 is not there";
    for (const std::string kind : {"Müller", "=1+1"}) {
      for (unsigned i = 0; i < 24; ++i) {
        std::vector<unsigned> pixels(64);
        for (unsigned p = 0; p < 64; ++p) {
          pixels[p] = (37 * p + 101 * i) % 160 + (kind[0] == '=' && p < 16 ? 60 : 0);
        }
        // In Latin-1: the byte FC is u with two dots.
        write_tiff(at("images") / kind / fmt::format("M\xFCller_{}.tiff", i), 8, 8, 8, pixels);
      }
    }
    write(at("s.toml"), R"([study]
name = "s"
seeds = 2

[data]
source = "images"
group = 'ller_(\d+)'

[train]
model = { kind = "mlp", hidden = [4] }
batch_size = 10
epochs = 2
loss = "bce_with_logits"
optimizer = { kind = "adam", lr = 0.01 }

[[arm]]
name = '10% "x", <b>'

[[arm]]
name = "=1+1 'y' & $z_{1}$"
optimizer = { kind = "adam", lr = 0.02 }
)");
    write(at("read.py"), kReadBack);
  }
};

TEST_F(Names, EveryOutputIsReadBack) {
  const Outcome run = bioptic("run @s.toml --out @runs --json");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(nlohmann::json::accept(run.out)) << run.out;
  EXPECT_EQ(python(at("read.py"), at("runs/s")), 0);
  const nlohmann::json compared = json_of("compare @runs/s/tables/predictions.csv");
  EXPECT_EQ(compared.at("arms").at(0).at("name"), "10% \"x\", <b>");
  EXPECT_EQ(bioptic("report @runs").code, 0);
  const Outcome import = bioptic("data import @images @set");
  EXPECT_NE(import.err.find("The paths of 48 files are not UTF-8"), std::string::npos)
      << import.err;
  EXPECT_NE(read(at("set/index.csv")).find("M\\xFCller_0.tiff"), std::string::npos);
  static_cast<void>(json_of("data audit @set"));
  for (const auto& model : fs::directory_iterator(at("runs/s/models"))) {
    const std::string name = fs::relative(model.path(), folder_).string();
    const nlohmann::json predicted =
        json_of("predict @" + name + " @images/Müller/M\xFCller_0.tiff");
    EXPECT_TRUE(predicted.at("predictions").at(0).at("scores").contains("=1+1"));
  }
}

// As a program stored them that did not ask for UTF-8.
TEST_F(Names, ReportsOfOldStoresAreWritten) {
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  write(at("old.py"), R"PY(
import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/bioptic.sqlite")
raw = "CAST(x'4DFC' || row AS TEXT)"
print(db.execute(f"UPDATE study_images SET source = {raw}, grp = {raw}, id = {raw}").rowcount)
db.execute("UPDATE studies SET dataset_path = CAST(x'2F6DFC' AS TEXT), groups_from = CAST(x'FC' AS TEXT)")
db.commit()
)PY");
  ASSERT_EQ(python(at("old.py"), at("runs")), 0);
  const Outcome report = bioptic("report @runs");
  EXPECT_EQ(report.code, 0) << report.out << report.err;
  EXPECT_EQ(python(at("read.py"), at("runs/s")), 0);
  EXPECT_NE(read(at("runs/s/tables/predictions.csv")).find("M\\xFC"), std::string::npos);
  EXPECT_NE(read(at("runs/s/report.html")).find("/m\\xFC"), std::string::npos);
}

}  // namespace
}  // namespace e2e
