"""What the descreening network is trained to do, as one number."""

import torch
from descreen_network import DescreenNetwork, pictures
from recognition import Recognition
from torch import Tensor
from torch.nn import functional

BLUE_GREEN_RED = (0.114, 0.587, 0.299)  # shares of the luma, ITU-R BT.601


def loss_of(
    network: DescreenNetwork,
    batch: tuple[Tensor, ...],
    recognition: Recognition | None = None,
    finish: bool = False,
) -> Tensor:
    """finish: SSIM and recognition weigh twice, and faces that are changed most weigh most."""
    meshed, clean, mask, label = batch
    meshed, clean, mask = pictures(meshed), pictures(clean), mask[:, None]
    # Beside the lines the photo is to stay as it is, traces of compression included.
    clean = torch.where(mask > 0.02, clean, meshed)
    with torch.autocast("cpu", torch.bfloat16):
        restored, logits, score = network(meshed)
    weight = 1.0 + 4.0 * mask
    error = (restored.float() - clean) / 255.0
    pixel = (weight * torch.sqrt(error.square() + 1e-5)).mean()
    edges = (weight[..., 1:] * (error[..., 1:] - error[..., :-1]).abs()).mean() + (
        weight[..., 1:, :] * (error[..., 1:, :] - error[..., :-1, :]).abs()
    ).mean()
    lines = functional.binary_cross_entropy_with_logits(logits.float(), mask)
    known = label >= 0
    gate = functional.binary_cross_entropy_with_logits(score.float()[known], label[known])
    twice = 2.0 if finish else 1.0
    loss = pixel + 0.3 * edges + 0.2 * lines + 0.03 * gate
    loss = loss + 0.2 * twice * unlike(restored.float(), clean)
    if recognition is not None:
        meshes_on = label != 0
        differ = recognition(restored.float()[meshes_on], clean[meshes_on])
        if finish:
            differ = differ + 4.0 * differ.square()
        loss = loss + 0.6 * twice * differ.sum() / max(len(differ), 1)
    return loss


def unlike(one: Tensor, other: Tensor) -> Tensor:
    """1 - SSIM of the lumas in 7 x 7 windows (Wang et al., TIP 2004), for BGR 0..255."""
    shares = torch.tensor(BLUE_GREEN_RED)[:, None, None] / 255.0
    a, b = ((picture * shares).sum(1, keepdim=True) for picture in (one, other))
    planes = torch.cat([a, b, a * a, b * b, a * b], 1)
    mean_a, mean_b, aa, bb, ab = functional.avg_pool2d(planes, 7, 1).unbind(1)
    spread = aa + bb - mean_a.square() - mean_b.square()
    together = ab - mean_a * mean_b
    light = (2 * mean_a * mean_b + 1e-4) / (mean_a.square() + mean_b.square() + 1e-4)
    return (1.0 - light * (2 * together + 9e-4) / (spread + 9e-4)).mean()
