"""Reports: everything that the course can say of one model on one set of faces, in a folder and as one page."""

from emo_utils.report.log import log_evaluation
from emo_utils.report.write import write_report

__all__ = ["log_evaluation", "write_report"]
