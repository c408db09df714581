"""Explanation: where a model looks, whether it looks at the right places, and which faces are worth a look.

grad_cam, occlusion_map: heat, one value a pixel   ->   heat_shares: how much of it lies on the parts that matter
most_confident_errors, most_uncertain: which faces
"""

from emo_utils.evaluation.explain.gradcam import grad_cam
from emo_utils.evaluation.explain.occlusion import occlusion_map

__all__ = ["grad_cam", "occlusion_map"]
