"""Reports: everything that the course can say of one model on one set of faces, in a folder and as one page."""

from emo_utils.report.run import Reported, report_model

__all__ = ["Reported", "report_model"]
