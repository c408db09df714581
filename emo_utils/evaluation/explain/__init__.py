"""Explanation: where a model looks, whether it looks at the right places, and which faces are worth a look.

grad_cam, occlusion_map: heat, a value a pixel -> heat_share_table: how much of it lies where the emotion is
most_confident_errors, most_uncertain: which faces, with captions
"""

from emo_utils.evaluation.explain.gallery import captions, most_confident_errors, most_uncertain
from emo_utils.evaluation.explain.gradcam import grad_cam
from emo_utils.evaluation.explain.occlusion import occlusion_map
from emo_utils.evaluation.explain.shares import heat_share, heat_share_table

__all__ = [
    "captions",
    "grad_cam",
    "heat_share",
    "heat_share_table",
    "most_confident_errors",
    "most_uncertain",
    "occlusion_map",
]
