from .variant import Variant

VARIANTS: tuple[Variant, ...] = ()
