"""Grey values of pydicom's test files, as SHA-256 of what an import should hold: dicom.json.

Made with pydicom 3.0.2, pylibjpeg 2, Pillow and NumPy 2 (Debian's python3-pydicom ships most of the files):
    python tests/golden/dicom.py PYDICOM/data/test_files > tests/golden/dicom.json

Per file that pydicom reads and docs/data.md calls supported: frames, rows, columns, channels, and
- sha256: of the 8-bit pixels, H x W x C, by --window file.  The file's own window by pydicom's
  apply_voi_lut; without one, 8 bits stay as they are and deeper ones take the 0.5 to 99.5 % of each frame;
- kept_sha256, of grey files: of the 16-bit pixels (little endian) by --window none, with `added` and, where the rescale slope is no
  whole number, `unit` and `zero`.
Baseline JPEG is decoded by Pillow.  Extended JPEG (12 bits) has shapes alone: decoders differ by their inverse transforms (see
lossy_levels).
"""
import hashlib
import json
import math
import pathlib
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

BASELINE_JPEG = "1.2.840.10008.1.2.4.50"
LOSSY_JPEG = {"1.2.840.10008.1.2.4.51"}
# pydicom 2 ships another image under this name.
ANOTHER_BEFORE = "SC_rgb_jpeg_lossy_gdcm.dcm"
# One byte of its header, which says where the coefficients begin, is wrong; pydicom's decoders refuse
# it, GDCM's does not mind.  pydicom ships the same image with that byte mended.
MENDED = {"JPEG-lossy.dcm": "JPGExtended.dcm"}


def number_of_frames(data):
    try:
        return int(data.get("NumberOfFrames", 1) or 1)
    except ValueError:  # a damaged file, which pydicom refuses later
        return 1


def inverted(data):
    return data.PhotometricInterpretation == "MONOCHROME1"


def is_grey(data):
    return data.SamplesPerPixel == 1 and data.PhotometricInterpretation != "PALETTE COLOR"


def functional_group(data, frame, sequence):
    """The frame's item of a functional group, else the shared one, else None."""
    for groups, index in (("PerFrameFunctionalGroupsSequence", frame),
                          ("SharedFunctionalGroupsSequence", 0)):
        if groups in data and sequence in data[groups].value[index]:
            return data[groups].value[index][sequence].value[0]
    return None


def modality_values(data, stored, frame):
    rescale = functional_group(data, frame, "PixelValueTransformationSequence")
    if rescale is not None:
        return stored * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
    return apply_modality_lut(stored, data).astype(float)


def possible_range(data, frame):
    """The modality values that the stored bits can give."""
    bits = data.BitsStored
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if data.PixelRepresentation else (0, 2**bits - 1)
    ends = modality_values(data, np.array(ends, dtype=np.int64), frame)
    return min(ends), max(ends)


def percentiles(values):
    ordered = np.sort(values.ravel())
    return (ordered[int(share * ordered.size)] for share in (0.005, 0.995))


def in_8_bits(data, values, frame):
    low, high = possible_range(data, frame)
    windowed = functional_group(data, frame, "FrameVOILUTSequence") or data
    if "VOILUTSequence" in data:
        white = 2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1
        unit = apply_voi_lut(values.astype(int), data, index=0, prefer_lut=True) / white
    elif "WindowCenter" in windowed:  # pydicom spreads the window over what the stored bits can hold
        whole = data
        if windowed is not data:
            whole = pydicom.Dataset()
            for name in ("PhotometricInterpretation", "BitsStored", "PixelRepresentation"):
                setattr(whole, name, data.get(name))
            whole.update(windowed)
            rescale = functional_group(data, frame, "PixelValueTransformationSequence")
            whole.update(rescale if rescale is not None else {})
        unit = (apply_voi_lut(values, whole, index=0).astype(float) - low) / (high - low)
    else:
        if data.BitsStored > 8:
            low, high = percentiles(values)
        unit = np.clip((values - low) / (high - low), 0, 1)
    return np.floor(255 * (1 - unit if inverted(data) else unit) + 0.5).astype(np.uint8)


def in_16_bits(data, values, frame, scale):
    if inverted(data):
        values = sum(possible_range(data, frame)) - values
    exact = (values - scale.get("zero", 0)) / scale.get("unit", 1) + scale.get("added", 0)
    return np.clip(np.floor(exact + 0.5), 0, 65535).astype("<u2")


def smallest_value(data):
    return min(possible_range(data, f)[0] for f in range(number_of_frames(data)))


def scale_of(data):
    """How --window none puts the modality values of this file alone into 16 bits."""
    frames = range(number_of_frames(data))
    ends = [modality_values(data, np.array([0, 1]), f) for f in frames]
    slopes, zeros = {e[1] - e[0] for e in ends}, {e[0] for e in ends}
    if "ModalityLUTSequence" in data or all(float(s).is_integer() for s in slopes):
        return {"added": 32768 if smallest_value(data) < 0 else 0}
    assert len(slopes) == len(zeros) == 1
    rescale = functional_group(data, 0, "PixelValueTransformationSequence") or data
    return {"added": 32768 if data.PixelRepresentation else 0, "unit": float(rescale.RescaleSlope),
            "zero": float(rescale.RescaleIntercept)}


def expected(data, window, scale=None):
    """Frames x H x W x C by pydicom; window: "file" or "none", with a scale."""
    lossy = data.file_meta.TransferSyntaxUID == BASELINE_JPEG
    pixels = pixel_array(data, decoding_plugin="pillow" if lossy else "")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if number_of_frames(data) == 1:
        pixels = pixels[None]
    if data.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
        return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    if not is_grey(data):
        return pixels
    values = [modality_values(data, stored, f) for f, stored in enumerate(pixels)]
    return np.stack([in_8_bits(data, v, f) if window == "file" else in_16_bits(data, v, f, scale or {})
                     for f, v in enumerate(values)])[..., None]


def lossy_levels(data, window):
    """How far two decoders of lossy JPEG may be apart: their inverse cosine transforms may round to
    neighbouring levels.  Where Y, Cb and Cr become red, green and blue, the largest change is that of
    blue, 1 + 1.772, which rounding makes 3; a percentile window multiplies by its slope."""
    if data.PhotometricInterpretation.startswith("YBR"):
        return 3
    if data.SamplesPerPixel == 3 or data.BitsStored <= 8 or window == "none":
        return 1
    low, high = percentiles(modality_values(data, pixel_array(data), 0))
    return math.ceil(255 / (high - low))


def supported(data):
    return data.BitsAllocated in (8, 16) and (data.BitsAllocated == 8 or data.SamplesPerPixel == 1)


def sha256(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def entry(data):
    pixels = expected(data, "file")
    found = {"shape": list(pixels.shape)}
    if data.file_meta.TransferSyntaxUID in LOSSY_JPEG:
        return found
    found["sha256"] = sha256(pixels)
    if is_grey(data):
        scale = scale_of(data)
        found.update(scale)
        found["kept_sha256"] = sha256(expected(data, "none", scale))
    return found


def main(folder):
    warnings.simplefilter("ignore")
    files = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        try:
            data = pydicom.dcmread(path.with_name(MENDED.get(path.name, path.name)))
            if supported(data):
                files[str(path.relative_to(folder))] = entry(data)
                if path.name == ANOTHER_BEFORE:
                    del files[path.name]["sha256"]
        except Exception:  # not an image, damaged, or a codec that is not there
            continue
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found)}" for name, found in files.items())
    print('{"made_by": "tests/golden/dicom.py", "pydicom": %s, "files": {\n%s\n}}' % (
        json.dumps(pydicom.__version__), lines))


if __name__ == "__main__":
    main(sys.argv[1])
