"""Where log-mel features lie in time and frequency; `mel` computes them."""

BANDS = 80
HOP = 160
"""From one feature to the next [samples]."""
WINDOW = 400
"""What one feature sees, weighted by a Hann window [samples]."""
MARGIN = (WINDOW - HOP) // 2
"""What it sees before and after its own samples [samples]."""
