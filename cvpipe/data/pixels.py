"""(to be written)"""
import numpy as np
def to_rgb8(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(array[..., None], (*array.shape, 3)) if array.ndim == 2 else array)
