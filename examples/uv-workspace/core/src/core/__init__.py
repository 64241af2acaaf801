"""What both images know of: how far two points lie apart."""

import numpy as np


def distance(a: list[float], b: list[float]) -> float:
    return float(np.linalg.norm(np.array(a) - np.array(b)))
