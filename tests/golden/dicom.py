"""Grey values of pydicom's test files, as SHA-256 of what an import should hold: dicom.json.

Made with pydicom 3.0.2, pylibjpeg 2 and NumPy 2 (Debian's python3-pydicom ships most of the files):
    python tests/golden/dicom.py PYDICOM/data/test_files > tests/golden/dicom.json

Per file: frames, rows, columns, channels, and the hash of the 8-bit pixels, H x W x C.  The file's own
window by pydicom's apply_voi_lut; without one, 8 bits stay as they are and deeper ones take the 0.5 to
99.5 % of each frame.  Lossy JPEG is left out: decoders differ by their inverse transforms (there
pydicom and GDCM are up to 3 grey levels apart).
"""
import glob
import hashlib
import json
import os
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_rescale, apply_voi_lut

LOSSY_JPEG = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}


def unit_values(data, pixels):
    """Frames x H x W in 0..1."""
    values = apply_rescale(pixels.copy(), data).astype(float)
    if "WindowCenter" in data:
        low, high = (0, 2**data.BitsStored - 1) if data.PixelRepresentation == 0 else (
            -(2 ** (data.BitsStored - 1)), 2 ** (data.BitsStored - 1) - 1)
        if "RescaleSlope" in data:  # pydicom's output range is the rescaled stored range
            low, high = (v * float(data.RescaleSlope) + float(data.RescaleIntercept) for v in (low, high))
        unit = (apply_voi_lut(values, data, index=0).astype(float) - low) / (high - low)
    elif data.BitsStored <= 8:
        unit = values / (2**data.BitsStored - 1)
    else:
        frames = []
        for frame in values:
            ordered = np.sort(frame.ravel())
            low, high = (ordered[int(share * ordered.size)] for share in (0.005, 0.995))
            frames.append(np.clip((frame - low) / (high - low), 0, 1))
        unit = np.stack(frames)
    return 1 - unit if data.PhotometricInterpretation == "MONOCHROME1" else unit


def expected(file):
    data = pydicom.dcmread(file)
    if data.file_meta.TransferSyntaxUID in LOSSY_JPEG or data.BitsAllocated not in (8, 16):
        return None
    pixels = data.pixel_array
    if int(getattr(data, "NumberOfFrames", 1) or 1) == 1:
        pixels = pixels[None]
    if data.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
        return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    if data.SamplesPerPixel == 3:
        return pixels if data.BitsAllocated == 8 else None
    return np.floor(255 * unit_values(data, pixels) + 0.5).astype(np.uint8)[..., None]


def main(folder):
    warnings.simplefilter("ignore")
    files = {}
    for file in sorted(glob.glob(os.path.join(folder, "*.dcm"))):
        try:
            pixels = expected(file)
        except Exception:  # not an image, damaged, or a codec that is not there
            continue
        if pixels is not None:
            files[os.path.basename(file)] = {
                "shape": list(pixels.shape),
                "sha256": hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest(),
            }
    print(json.dumps({"pydicom": pydicom.__version__, "files": files}, indent=1))


main(sys.argv[1])
