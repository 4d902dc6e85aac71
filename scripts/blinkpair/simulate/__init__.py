"""The forward model: an experiment with known truth, from sample to files.

`simulate_field` draws one field before and after annealing; `write_experiment` puts a
whole experiment on disk; `python -m blinkpair.simulate FOLDER` does so for the demo.
"""

from blinkpair.simulate.blinking import DwellLaw
from blinkpair.simulate.camera import Camera
from blinkpair.simulate.experiment import demo_designs, write_experiment, write_field
from blinkpair.simulate.field import FieldDesign, SimulatedField, rigid_matrix, simulate_field

__all__ = [
    "Camera",
    "DwellLaw",
    "FieldDesign",
    "SimulatedField",
    "demo_designs",
    "rigid_matrix",
    "simulate_field",
    "write_experiment",
    "write_field",
]
