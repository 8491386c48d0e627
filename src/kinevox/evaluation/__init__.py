"""Methods compared on a corpus: every contestant performs every clip under several seeds.

`plan` says what is compared, `contestants` who takes part, `judge` lets them perform and measures
each take, `run` does so in several processes and remembers what was measured, `results` averages,
`tables` and `report` show it.
"""

from kinevox.evaluation.plan import Plan
from kinevox.evaluation.results import Results, Score
from kinevox.evaluation.run import measure

__all__ = ["Plan", "Results", "Score", "measure"]
