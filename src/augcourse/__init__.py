"""Data augmentation, measured: the subject matter of the course.

Importing this package pins what must be pinned before TensorFlow and albumentations are imported:
one thread layout and one set of kernels, so that the same seed gives the same bits, and no look-up of
newer releases over a network.
"""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

__version__ = "0.1.0"
