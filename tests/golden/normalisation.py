"""Images equalized and matched by scikit-image: normalisation.json.

    scripts/peers && .venv-peers/bin/pip install scikit-image
    .venv-peers/bin/python tests/golden/normalisation.py

Made with scikit-image 0.26 and NumPy 2.  Pixels are hex digits, C x H x W.  Results are rounded to
whole grey values, halves up; match_histograms itself cuts off where an image has channels, so that
channels are given to it one by one.
"""

import json
import pathlib

import numpy as np
import skimage
from skimage.exposure import equalize_adapthist, match_histograms

HERE = pathlib.Path(__file__).resolve().parent


def text(pixels):
    return np.ascontiguousarray(pixels).astype(np.uint8).tobytes().hex()


def rounded(values):
    return np.floor(np.asarray(values) + 0.5).astype(np.uint8)


def scene(rng, channels, height, width, noise):
    """Smooth shapes under noise, with a black border at one side: C x H x W."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        plane = 90 + 50 * np.sin(x / 7 + c) * np.cos(y / (9 + c)) + 40 * ((x - width / 2) ** 2 + (y - height / 3) ** 2 < 80)
        plane = plane + rng.normal(0, noise, plane.shape)
        plane[:, : width // 10] = 0
        planes.append(plane)
    return np.clip(np.stack(planes), 0, 255).astype(np.uint8)


def equalized(pixels, clip_limit, tiles):
    image = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2)
    tile = tuple(max(1, side // tiles) for side in pixels.shape[1:])
    out = equalize_adapthist(image, kernel_size=tile, clip_limit=clip_limit)
    out = out[None] if len(pixels) == 1 else np.moveaxis(out, 2, 0)
    return rounded(255 * out)


def clahe_cases(rng):
    bounds = rng.integers(0, 256, (1, 24, 32))
    images = [
        ("a scene", scene(rng, 1, 48, 48, 8)),
        ("sides that tiles do not divide", scene(rng, 1, 35, 50, 4)),
        ("noise", bounds),
        ("two values", np.where(bounds > 200, 180, 20)),
        ("few, dark values", bounds // 16 + 3),
        ("one bright pixel", np.where(np.arange(24 * 32).reshape(1, 24, 32) == 300, 255, 10)),
        ("smaller than its tiles", bounds[:, :5, :6]),
        ("one row", bounds[:, :1, :]),
        ("colour", scene(rng, 3, 32, 40, 6)),
        ("colour with black", np.where(rng.random((1, 24, 32)) < 0.3, 0, rng.integers(0, 256, (3, 24, 32)))),
    ]
    settings = {"a scene": [(0.01, 8), (0.03, 4), (1.0, 8), (0.01, 1), (0.2, 3)], "colour": [(0.01, 8), (0.05, 3)]}
    for name, pixels in images:
        for clip_limit, tiles in settings.get(name, [(0.01, 8)]):
            yield {
                "name": name,
                "shape": list(pixels.shape),
                "clip_limit": clip_limit,
                "tiles": tiles,
                "pixels": text(pixels),
                "equalized": text(equalized(pixels.astype(np.uint8), clip_limit, tiles)),
            }


def matching_cases(rng):
    bright = scene(rng, 1, 20, 30, 20)
    dark = (scene(rng, 1, 20, 30, 5) * 0.4).astype(np.uint8)
    noise = rng.integers(0, 256, (1, 20, 30)).astype(np.uint8)
    pairs = [
        ("dark to bright", dark, [bright]),
        ("bright to dark", bright, [dark]),
        ("to itself", bright, [bright]),
        ("to several images", dark, [bright, noise, 255 - bright]),
        ("from noise", noise, [dark, bright]),
        ("to one grey value", bright, [np.full_like(bright, 77)]),
        ("from one grey value", np.full_like(bright, 90), [dark]),
        ("to black and white", bright, [np.where(noise > 127, 255, 0).astype(np.uint8)]),
        ("three channels", scene(rng, 3, 20, 30, 5), [scene(rng, 3, 20, 30, 30)]),
    ]
    for name, image, training in pairs:
        # Images of one size: the mean of their cumulative histograms is that of all their pixels.
        reference = np.concatenate(training, axis=1)
        matched = [rounded(match_histograms(a, b)) for a, b in zip(image, reference)]
        counts = [np.bincount(channel.ravel(), minlength=256).tolist() for channel in reference]
        yield {
            "name": name,
            "shape": list(image.shape),
            "pixels": text(image),
            "counts": counts,
            "matched": text(np.stack(matched)),
        }


def main():
    rng = np.random.default_rng(11)
    golden = {
        "versions": {"scikit-image": skimage.__version__, "numpy": np.__version__},
        "clahe": list(clahe_cases(rng)),
        "matching": list(matching_cases(rng)),
    }
    (HERE / "normalisation.json").write_text(json.dumps(golden, separators=(",", ":")).replace('},{"name"', '},\n{"name"') + "\n")


if __name__ == "__main__":
    main()
