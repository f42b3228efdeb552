"""What one would try before training a network: the baselines that descreening is held against."""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.images import Pixels

Floats = NDArray[np.float32]


def notch(image: Pixels) -> Pixels:
    """Takes peaks out of the spectrum: what repeats across the picture is taken for mesh.

    A coefficient away from the low frequencies that towers 4 times over the median of its
    neighbourhood is scaled down to that median. The peaks are found on the luminance.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    size = np.abs(np.fft.fftshift(np.fft.fft2(grey)))
    usual = cv2.medianBlur(size.astype(np.float32), 5)
    for _ in range(2):
        usual = cv2.medianBlur(usual, 5)
    height, width = grey.shape
    y, x = np.ogrid[:height, :width]
    low = np.hypot(y - height // 2, x - width // 2) < 5
    gain = np.where((size > 4 * usual) & ~low, usual / np.maximum(size, 1e-6), 1.0)
    gain = np.fft.ifftshift(cv2.GaussianBlur(gain.astype(np.float32), (0, 0), 0.6))
    planes = np.fft.fft2(image.astype(np.float32), axes=(0, 1)) * gain[..., None]
    return _pixels(np.fft.ifft2(planes, axes=(0, 1)).real.astype(np.float32))


def median(image: Pixels) -> Pixels:
    """A median window of about twice the usual line width."""
    side = int(np.clip(min(image.shape[:2]) // 40, 2, 12)) * 2 + 1
    return np.asarray(cv2.medianBlur(image, side), np.uint8)


def inpaint(image: Pixels, mask: Floats) -> Pixels:
    """An oracle: fills in the true lines (Telea, JGT 2004) as if nothing could be seen there."""
    lines = (mask > 0.1).astype(np.uint8)
    return np.asarray(cv2.inpaint(image, lines, 3, cv2.INPAINT_TELEA), np.uint8)


def _pixels(image: Floats) -> Pixels:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
