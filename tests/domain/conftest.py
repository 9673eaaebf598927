"""How properties are searched here: without a clock and without a database of their own."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None, max_examples=50)
settings.load_profile("domain")
