from .counts import extract_traces as extract_traces
