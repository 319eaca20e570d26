"""Everything in pydicom's test files that could say who, where or when: dicom_identifiers.json.

    python tests/golden/dicom_identifiers.py PYDICOM/data/test_files > tests/golden/dicom_identifiers.json

For every file of dicom.json the values, also those inside sequences and private elements, of
- value representations PN, UI (other than DICOM's own, 1.2.840.10008.*), DA, DT, TM;
- texts (LO, SH, ST, LT, UT, AE, UC, UR): attributes of the basic confidentiality
  profile (PS3.15, table E.1-1) have no closed form, so every text is taken but those that say how the
  image is to be read.
A person's name counts whole and by its parts.  The end-to-end test searches for them in whatever a
study leaves behind.  Values under five characters, and numbers under eight digits, stand in
every file by chance and are left out; of a long text its first 80 characters stand for it.
"""
import json
import pathlib
import re
import sys
import warnings

import pydicom

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {"PN", "UI", "DA", "DT", "TM"}
TEXTS = {"LO", "SH", "ST", "LT", "UT", "AE", "UC", "UR"}
HARMLESS = {"Modality", "SpecificCharacterSet", "PhotometricInterpretation", "BodyPartExamined"}


def values_of(data):
    for element in data:
        if element.VR == "SQ":
            for item in element.value:
                yield from values_of(item)
        elif element.VR in NAMES | TEXTS and element.keyword not in HARMLESS:
            values = element.value if isinstance(element.value, (list, tuple)) or hasattr(
                element.value, "append") else [element.value]
            for value in values:
                text = str(value).strip("\0 ")
                if element.VR == "PN":
                    yield from re.split(r"[\^=]", text)
                yield text


def identifying(text):
    if text.startswith("1.2.840.10008.") or len(set(text)) == 1:  # "000000000" is nobody's
        return False
    return len(text) >= (8 if re.fullmatch(r"[-+0-9.]+", text) else 5)


def main(folder):
    warnings.simplefilter("ignore")
    files = {}
    for name in sorted(json.loads((HERE / "dicom.json").read_text())["files"]):
        path = pathlib.Path(folder) / name
        if not path.exists():
            continue
        data = pydicom.dcmread(path)
        found = {*values_of(data), *values_of(data.file_meta)}
        files[name] = sorted({v[:80] for v in found if identifying(v)})
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(v)}" for n, v in files.items())
    print('{"made_by": "tests/golden/dicom_identifiers.py", "pydicom": %s, "files": {\n%s\n}}' % (
        json.dumps(pydicom.__version__), lines))


if __name__ == "__main__":
    main(sys.argv[1])
