"""How a descreening network does while it is trained."""

import cv2
import numpy as np
import torch
from descreen_network import DescreenNetwork, cover, pictures
from examples import example
from portraits import Portraits

PHOTOS = 64


@torch.no_grad()  # type: ignore[untyped-decorator]
def validate(network: DescreenNetwork, portraits: Portraits) -> dict[str, float]:
    """Figures on whole photos of people held out of training, meshes of the training families."""
    before, after, right, touched = [], [], [], []
    for number in range(PHOTOS):
        rng = np.random.default_rng((7, number))
        meshed, clean, _, label = example(portraits, rng, 224, 176, whole=True)
        with torch.autocast("cpu", torch.bfloat16):
            restored, logits, score = network(pictures(meshed[None]))
        output = restored[0].permute(1, 2, 0).clamp(0, 255).round().byte().numpy()
        if label >= 0:
            right.append(float((score[0] > 0) == (label > 0)))
        if label > 0:
            before.append(cv2.PSNR(meshed, clean))
            after.append(cv2.PSNR(output, clean))
        elif label == 0:
            touched.append(float((cover(logits.float()) > 0.0).float().mean()))
    return {
        "before": float(np.mean(before)),
        "after": float(np.mean(after)),
        "worst5": float(np.percentile(after, 5)),
        "gate": float(np.mean(right)),
        "touched": float(np.mean(touched)),
    }
