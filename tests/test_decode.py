"""Image files of every kind become RGB as declared; files that are cut, damaged or too large are refused."""

from __future__ import annotations

import errno
import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cvpipe.data import _header, _pillow
from cvpipe.data.decode import check_size, decode, max_megapixels, read_bytes
from cvpipe.data.pixels import to_rgb8
from cvpipe.errors import BadImage, SpecError


def encode(image: Image.Image | np.ndarray, kind: str, **options) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def over_white(pixels: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """In exact fractions, rounded half up."""
    part = opacity[..., None].astype(np.float64) / 255
    return np.floor(pixels * part + 255 * (1 - part) + 0.5 + 1e-9).astype(np.uint8)


# --- arrays


def test_arrays_of_every_type_become_rgb():
    grey = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)
    rgb = np.stack([grey] * 3, axis=-1)
    for array in (grey, grey[..., None], rgb, grey.astype(np.uint16) * 257, (grey * np.float32(1 / 255))):
        np.testing.assert_array_equal(to_rgb8(array), rgb)
    np.testing.assert_array_equal(to_rgb8(grey > 127), np.where(rgb > 127, 255, 0))
    np.testing.assert_array_equal(to_rgb8((grey.astype(np.uint16) * 257).astype(">u2")), rgb)


def test_sixteen_bits_round_to_the_nearest():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(values.astype(np.float64) * 255 / 65535)
    np.testing.assert_array_equal(to_rgb8(values)[..., 0], expected)


def test_opacity_is_blended_over_white():
    colour, opacity = (a.astype(np.uint8) for a in np.mgrid[:256, :256])
    expected = over_white(colour[..., None], opacity)[..., 0]
    rgba = np.stack([colour, colour, colour, opacity], axis=-1)
    for array in (rgba, rgba[..., 2:]):
        np.testing.assert_array_equal(to_rgb8(array), np.stack([expected] * 3, axis=-1))
    as_float = to_rgb8(rgba / 255.0).astype(int)
    assert np.abs(as_float[..., 0] - expected).max() <= 1  # halves may round to the other side
    deep = to_rgb8(rgba.astype(np.uint16) * 257).astype(int)
    assert np.abs(deep[..., 0] - expected).max() <= 1


def test_the_result_is_a_copy():
    pixels = np.zeros((2, 2, 3), np.uint8)
    to_rgb8(pixels)[:] = 9
    assert pixels.max() == 0


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 5), np.uint8), r"shape \(H, W\) or \(H, W, 1 to 4\), got \(2, 2, 5\)"),
        (np.zeros(4, np.uint8), r"got \(4,\)"),
        (np.zeros((0, 4), np.uint8), "without pixels"),
        (np.zeros((2, 2), np.int64), "bool, uint8, uint16 or float, got int64"),
        (np.array([[0.5, np.nan]]), r"float pixels lie in \[0, 1\], got nan"),
        (np.array([[0.5, 1.5]]), r"got 0.5 to 1.5"),
        (np.array([["a"]]), "got <U1"),
    ],
)
def test_other_arrays_are_refused(array, message):
    with pytest.raises(BadImage, match=message):
        to_rgb8(array)


# --- kinds of files


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "GIF"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_lossless_files_give_their_pixels(kind, mode, noise):
    image = Image.fromarray(noise(21, 30)).convert("L" if kind == "GIF" and mode == "RGB" else mode)
    np.testing.assert_array_equal(decode(encode(image, kind)), np.asarray(image.convert("RGB")))


def test_webp_lossless(noise):
    pixels = noise(21, 30, 4)
    expected = over_white(pixels[..., :3], pixels[..., 3])
    np.testing.assert_array_equal(decode(encode(pixels, "WEBP", lossless=True, exact=True)), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_alpha_in_files(kind, noise):
    rgba, la = Image.fromarray(noise(9, 12, 4)), Image.fromarray(noise(9, 12, 2), "LA")
    for image in (rgba, la):
        pixels = np.asarray(image.convert("RGBA"))
        expected = over_white(pixels[..., :3], pixels[..., 3])
        np.testing.assert_array_equal(decode(encode(image, kind)), expected)


def test_palettes_with_and_without_transparency():
    palette = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3), "P")
    colours = np.arange(18, dtype=np.uint8).reshape(6, 3) * 10
    palette.putpalette(colours.tobytes())
    plain = colours.reshape(2, 3, 3)
    np.testing.assert_array_equal(decode(encode(palette, "PNG")), plain)
    opacity = np.array([0, 50, 100, 150, 200, 255], np.uint8)
    expected = over_white(plain, opacity.reshape(2, 3))
    np.testing.assert_array_equal(decode(encode(palette, "PNG", transparency=opacity.tobytes())), expected)
    expected = np.where((np.arange(6) == 2).reshape(2, 3, 1), 255, plain)
    np.testing.assert_array_equal(decode(encode(palette, "PNG", transparency=2)), expected)


def test_a_transparent_colour_is_white():
    grey = Image.fromarray(np.array([[0, 7], [8, 255]], np.uint8))
    assert decode(encode(grey, "PNG", transparency=7))[..., 0].tolist() == [[0, 255], [8, 255]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted_by_pillow(kind, noise):
    data = encode(Image.fromarray(noise(16, 24, 4), "CMYK"), kind)
    np.testing.assert_array_equal(decode(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_files(kind):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    expected = to_rgb8(values)
    pgm = b"P5 8 8 65535\n" + values.astype(">u2").tobytes()
    data = pgm if kind == "PPM" else encode(Image.fromarray(values), kind)
    np.testing.assert_array_equal(decode(data), expected)
    if kind == "TIFF":
        big_endian = encode(Image.frombytes("I;16B", (8, 8), values.astype(">u2").tobytes()), kind)
        np.testing.assert_array_equal(decode(big_endian), expected)


@pytest.mark.parametrize("ending", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_files_are_rounded_not_cut(ending, channels):
    import cv2

    values = np.random.default_rng(0).integers(0, 65536, (9, 12, channels)).astype(np.uint16)
    code = cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA
    data = cv2.imencode(ending, cv2.cvtColor(values, code))[1].tobytes()
    np.testing.assert_array_equal(decode(data), to_rgb8(values))


def test_sixteen_bit_ppm_is_rounded():
    values = np.array([[[0, 128, 129], [65535, 32768, 257]]], np.uint16)
    data = b"P6 2 1 65535\n" + values.astype(">u2").tobytes()
    np.testing.assert_array_equal(decode(data), to_rgb8(values))


def test_float_and_32_bit_tiff():
    values = np.array([[0, 0.25], [0.5, 1]], np.float32)
    np.testing.assert_array_equal(decode(encode(values, "TIFF"))[..., 0], [[0, 64], [128, 255]])
    with pytest.raises(BadImage, match="float pixels"):
        decode(encode(values * 255, "TIFF"))
    integers = np.array([[0, 257], [65535, 32896]], np.int32)
    np.testing.assert_array_equal(decode(encode(integers, "TIFF"))[..., 0], [[0, 1], [255, 128]])
    with pytest.raises(BadImage, match=r"32-bit pixels lie in \[0, 65535\], got 0 to 70000"):
        decode(encode(np.array([[0, 70000]], np.int32), "TIFF"))


def test_the_first_frame_counts(noise):
    first, second = (Image.fromarray(noise(8, 8, 1, seed=s)) for s in (1, 2))
    for kind in ("GIF", "TIFF"):
        data = encode(first, kind, save_all=True, append_images=[second])
        np.testing.assert_array_equal(decode(data), np.asarray(first.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_images_come_upright(kind, orientation, noise):
    image = Image.fromarray(noise(24, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(image, kind, exif=exif, **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert expected.shape[:2] == ((40, 24) if orientation > 4 else (24, 40))
    np.testing.assert_array_equal(decode(data), expected)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (8, 8)])
def test_tiny_and_flat_images_are_legal(shape):
    pixels = np.full(shape, 77, np.uint8)
    for kind in ("PNG", "JPEG", "BMP", "TIFF", "PPM", "WEBP"):
        assert np.abs(decode(encode(pixels, kind)).astype(int) - 77).max() <= 2


# --- the fast path


JPEGS = [
    {"quality": 75},
    {"quality": 95, "subsampling": 0},
    {"quality": 60, "progressive": True},
    {"quality": 85, "subsampling": 1, "restart_marker_blocks": 2},
    {"quality": 90, "comment": b"\xff\xd9 looks like an end"},
]


@pytest.mark.parametrize("options", JPEGS)
@pytest.mark.parametrize("channels", [1, 3])
def test_opencv_and_pillow_agree_on_jpeg(options, channels, noise):
    data = encode(noise(37, 53, channels), "JPEG", **options)
    header = _header.sniff(data)
    assert header is not None
    assert (header.width, header.height, header.plain) == (53, 37, True)
    np.testing.assert_array_equal(decode(data), _pillow.decode(data, check_size))


def test_opencv_and_pillow_agree_on_real_images(real_data):
    files = sorted(real_data("ucmerced").glob("*/*0.jpg"))[::5] + sorted(
        real_data("oxford-affine").rglob("*1.png")
    )
    assert len(files) > 40
    for file in files:
        data = file.read_bytes()
        header = _header.sniff(data)
        assert header is not None
        assert header.plain
        np.testing.assert_array_equal(decode(data), _pillow.decode(data, check_size))


def test_a_colour_profile_is_ignored_and_silent(noise, capfd):
    pixels = noise(16, 16)
    for kind in ("PNG", "JPEG"):
        data = encode(pixels, kind, icc_profile=b"not a profile" * 20)
        np.testing.assert_array_equal(decode(data), decode(encode(pixels, kind)))
    assert capfd.readouterr().err == ""


# --- bad files


KINDS = [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("TIFF", {}), ("BMP", {}), ("PPM", {}),
         ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {}), ("GIF", {})]  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_that_is_cut_anywhere_is_refused(kind, options, channels, noise, capfd):
    data = encode(noise(40, 40, channels), kind, **options)
    whole = decode(data)
    refused = 0
    for end in [*range(1, len(data), max(1, len(data) // 97)), *range(len(data) - 20, len(data))]:
        try:
            pixels = decode(data[:end])
        except BadImage:
            refused += 1
        else:  # only what does not belong to the pixels was cut off
            np.testing.assert_array_equal(pixels, whole, err_msg=f"{end} of {len(data)} bytes")
    assert refused > 90
    if "compression" not in options:  # libtiff inside Pillow prints its own errors on a cut compressed TIFF
        assert capfd.readouterr().err == ""


def test_what_a_cut_file_is_called(noise):
    pixels = noise(40, 40)
    for kind in ("PNG", "JPEG", "BMP", "PPM", "TIFF"):
        data = encode(pixels, kind)
        with pytest.raises(BadImage, match="cut short"):
            decode(data[: len(data) * 3 // 4])
    with pytest.raises(BadImage, match=r"empty file \(0 bytes\)"):
        decode(b"")
    with pytest.raises(BadImage, match="not an image"):
        decode(b"these are words, not pixels\n" * 20)


def test_flipped_bits_never_crash(noise):
    rng = np.random.default_rng(0)
    for kind in ("PNG", "TIFF", "BMP", "PPM", "WEBP", "GIF", "JPEG"):
        data = bytearray(encode(noise(24, 24), kind))
        for _ in range(60):
            damaged = data.copy()
            for i in rng.integers(0, min(len(data), 400), 3):
                damaged[i] ^= 1 << int(rng.integers(8))
            try:
                pixels = decode(bytes(damaged))
            except BadImage:
                continue
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3


def test_a_damaged_png_is_noticed(noise):
    data = bytearray(encode(noise(40, 40), "PNG"))
    data[-30] ^= 1
    with pytest.raises(BadImage, match="wrong checksum in a 'IDAT' chunk"):
        decode(bytes(data))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds nearly nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        _header.PNG_START + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def bombs() -> dict[str, bytes]:
    size = (20_000, 20_000)
    jpeg = bytearray(encode(np.zeros((8, 8), np.uint8), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", *size)
    bmp = bytearray(encode(np.zeros((8, 8, 3), np.uint8), "BMP"))
    bmp[18:26] = struct.pack("<ii", *size)
    gif = bytearray(encode(np.zeros((8, 8), np.uint8), "GIF"))
    gif[6:10] = struct.pack("<HH", *size)
    tiff = encode(Image.new("1", size), "TIFF", compression="group4")
    small = {"jpeg": bytes(jpeg), "bmp": bytes(bmp), "gif": bytes(gif), "ppm": b"P6 20000 20000 255\n"}
    return {"png": png_of_size(*size), "tiff": tiff, **small}


@pytest.mark.parametrize(("kind", "data"), bombs().items(), ids=list(bombs()))
def test_a_bomb_is_refused_before_it_takes_memory(kind, data):
    import tracemalloc

    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(
                BadImage, match=r"too large: 20000 x 20000 is 400 megapixels, the limit is 250"
            ):
                decode(data)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_the_limit_can_be_changed(monkeypatch, noise):
    data = encode(noise(100, 200), "PNG")
    monkeypatch.setenv("CVPIPE_MAX_MEGAPIXELS", "0.01")
    with pytest.raises(BadImage, match=r"0 megapixels, the limit is 0.01 \(CVPIPE_MAX_MEGAPIXELS\)"):
        decode(data)
    monkeypatch.setenv("CVPIPE_MAX_MEGAPIXELS", "1000")
    assert max_megapixels() == 1000
    for wrong in ("many", "-1", "nan"):
        monkeypatch.setenv("CVPIPE_MAX_MEGAPIXELS", wrong)
        with pytest.raises(SpecError, match="is a number above 0"):
            decode(data)


@pytest.mark.slow
def test_a_photograph_of_120_megapixels_passes_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            decode(encode(Image.new("1", (12_000, 10_000)), "TIFF", compression="group4")).shape[0] == 10_000
        )
    assert Image.MAX_IMAGE_PIXELS is not None  # put back for everyone else


# --- paths


def test_paths_that_cannot_be_read(tmp_path: Path, monkeypatch):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    reasons = {
        "missing.png": "no such file",
        "": "a folder, not a file",
        "loop.png": "a loop of symbolic links",
        "pipe.png": "not a regular file",
        "x" * 300: "file name too long",
        "nul\0.png": "not a legal file name",
    }
    for name, reason in reasons.items():
        with pytest.raises(BadImage, match=f"(?i)^{reason}$"):
            read_bytes(tmp_path / name)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (tmp_path / "locked.png").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    with pytest.raises(BadImage, match="no permission to read it"):
        read_bytes(tmp_path / "locked.png")


def test_importing_needs_numpy_only():
    import subprocess
    import sys

    code = "import sys, cvpipe.data.decode; print([m for m in ('cv2', 'PIL', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opencv_before_4_10_gives_the_same(monkeypatch, noise):
    import cv2

    data = encode(noise(37, 53), "JPEG")
    expected = decode(data)
    monkeypatch.delattr(cv2, "IMREAD_COLOR_RGB", raising=False)
    np.testing.assert_array_equal(decode(data), expected)
