# The three mains, and kiln.c that wires the journey.
