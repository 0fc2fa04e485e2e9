"""(to be written)"""
from pathlib import Path
import numpy as np
def read_bytes(path: Path) -> bytes:
    return path.read_bytes()
def decode(data: bytes) -> np.ndarray:
    import cv2
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
