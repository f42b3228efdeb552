"""A phone camera: what it makes of the light of a scene, down to the JPEG file.

Live faces and attacks go through the same camera with the same spread of settings, so that the
camera itself tells nothing about what stood in front of it. Scenes are `(H, W, 3)` float32 BGR in
linear light, 1.0 being the brightest white of an evenly lit scene; photos are uint8 BGR, sRGB.
"""

import cv2
import numpy as np
from jpeg import compressed, saved
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Light = NDArray[np.float32]


def linear(image: Image) -> Light:
    """Light of an sRGB picture, 0..1 (IEC 61966-2-1, its power law without the toe)."""
    return np.asarray(_TO_LIGHT[image], np.float32)


_TO_LIGHT: Light = np.power(np.linspace(0, 1, 256, dtype=np.float32), np.float32(2.2))


def light_up(rng: np.random.Generator, scene: Light) -> Light:
    """The scene under lamps: a slope across it, a coloured cast, sometimes a bright side."""
    height, width = scene.shape[:2]
    turn = rng.uniform(0, 2 * np.pi)
    slope = _ramp(height, width, turn) * rng.uniform(0, 0.6)
    if rng.random() < 0.3:  # one side in the dark
        edge = _ramp(height, width, rng.uniform(0, 2 * np.pi)) * rng.uniform(2, 6)
        slope = slope + np.tanh(edge + rng.uniform(-1, 1)) * rng.uniform(0.2, 0.6)
    warmth = rng.normal(0, 0.12)
    cast = np.array([1 - warmth, 1 + rng.normal(0, 0.03), 1 + warmth], np.float32)
    return np.asarray(scene * cast * np.exp(slope)[..., None], np.float32)


def photograph(rng: np.random.Generator, scene: Light, steady: bool = False) -> Image:
    """The photo of a scene, before it is compressed. `steady` is a careful picture."""
    strength = 0.4 if steady else 1.0
    scene = _through_lens(rng, scene, strength)
    # Automatic exposure meters the middle of the picture, and errs.
    height, width = scene.shape[:2]
    middle = scene[height // 4 : -height // 4, width // 4 : -width // 4]
    gain = 0.2 / max(float(middle.mean()), 0.02) * 2 ** rng.normal(0, 0.7 * strength)
    balance = np.exp(rng.normal(0, 0.06 * strength, 3)).astype(np.float32)
    signal = scene * (balance * np.float32(gain))
    signal = _noisy(rng, signal, strength)
    picture = _tone(rng, np.clip(signal, 0, 1), strength)
    if rng.random() < 0.5:
        picture = _smoothed(rng, picture)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2.0))
        picture = picture + (picture - soft) * rng.uniform(0.2, 1.2)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)


def compress(rng: np.random.Generator, photo: Image) -> bytes:
    """The file that is sent: JPEG, sometimes shrunk or saved twice on the way."""
    if rng.random() < 0.35:
        share = float(rng.uniform(0.45, 1.0))
        how = cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR
        photo = np.asarray(cv2.resize(photo, None, fx=share, fy=share, interpolation=how), np.uint8)
    if rng.random() < 0.3:
        photo = compressed(photo, int(rng.integers(60, 98)))
    return saved(photo, int(rng.integers(55, 99)))


def _through_lens(rng: np.random.Generator, scene: Light, strength: float) -> Light:
    """Defocus, shake, and the veil that a greasy lens or a lamp in view lays over a picture."""
    sigma = float(np.exp(rng.uniform(np.log(0.3), np.log(0.3 + 1.7 * strength))))
    if sigma > 0.4:
        scene = cv2.GaussianBlur(scene, (0, 0), sigma)
    if rng.random() < 0.25 * strength:
        length = int(rng.integers(3, 9))
        kernel = np.zeros((length, length), np.float32)
        turn = rng.uniform(0, np.pi)
        reach = np.array([np.cos(turn), np.sin(turn)]) * (length - 1) / 2
        ends = [tuple(round(float(v)) for v in (length - 1) / 2 + s * reach) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        scene = cv2.filter2D(scene, -1, kernel / kernel.sum())
    if rng.random() < 0.3 * strength:
        haze = cv2.GaussianBlur(scene, (0, 0), max(scene.shape) / 8)
        share = rng.uniform(0.05, 0.4)
        scene = scene * (1 - share) + haze * share * rng.uniform(0.8, 1.8)
    return np.asarray(scene, np.float32)


def _noisy(rng: np.random.Generator, signal: Light, strength: float) -> Light:
    """Photon and read noise of the sensor, then the holes that a colour mosaic leaves filled."""
    shot, read = rng.uniform(0, 0.035) * strength, rng.uniform(0, 0.008) * strength
    noise = rng.standard_normal(signal.shape, np.float32)
    if rng.random() < 0.5:  # in blotches, as small sensors' software leaves it
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.2)) * 2.0
    signal = signal + noise * np.sqrt(shot**2 * np.maximum(signal, 0) + read**2)
    if rng.random() < 0.4:
        return _demosaicked(signal)
    return np.asarray(signal, np.float32)


def _demosaicked(signal: Light) -> Light:
    raw = np.empty(signal.shape[:2], np.float32)
    raw[0::2, 0::2] = signal[0::2, 0::2, 2]
    raw[0::2, 1::2] = signal[0::2, 1::2, 1]
    raw[1::2, 0::2] = signal[1::2, 0::2, 1]
    raw[1::2, 1::2] = signal[1::2, 1::2, 0]
    # OpenCV names the pattern by its second row.
    counts = np.clip(raw * 32767, 0, 65535).astype(np.uint16)
    colours = cv2.cvtColor(counts, cv2.COLOR_BayerBG2BGR_EA)
    return np.asarray(colours / np.float32(32767), np.float32)


def _tone(rng: np.random.Generator, signal: Light, strength: float) -> Light:
    """The maker's curve and colours: sRGB's power law, more or less contrast and saturation."""
    picture = np.power(signal, np.float32(1 / rng.normal(2.2, 0.15 * strength)))
    contrast = rng.uniform(0, 0.5) * strength
    picture = picture + contrast * (picture * picture * (3 - 2 * picture) - picture)
    grey = picture.mean(2, keepdims=True)
    return np.asarray(grey + (picture - grey) * rng.normal(1.0, 0.18 * strength), np.float32)


def _smoothed(rng: np.random.Generator, picture: Light) -> Light:
    """Noise reduction, from careful to the wax faces of a beauty mode."""
    reach, spread = float(rng.uniform(1, 3)), float(rng.uniform(0.02, 0.12))
    return np.asarray(cv2.bilateralFilter(picture, 5, spread, reach), np.float32)


def _ramp(height: int, width: int, turn: float) -> Light:
    """-1 to 1 across the picture."""
    y, x = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    ramp = np.sin(turn) * y[:, None] + np.cos(turn) * x[None]
    return np.asarray(ramp, np.float32)
