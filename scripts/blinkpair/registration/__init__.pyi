from .fields import register_field as register_field
from .images.images import register_images as register_images
from .points import register_points as register_points
from .result import Registration as Registration
