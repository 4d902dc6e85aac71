from .fits import fit_dwell_times as fit_dwell_times
from .result import DwellFit as DwellFit
