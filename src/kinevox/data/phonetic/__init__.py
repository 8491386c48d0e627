"""Speech whose phones are known moment by moment, from which the speech encoder learns.

`recordings` takes people with transcripts, `flite` and `espeak` speaking programs that say when
they begin each phone; `pack` keeps them on disk, and `examples` cuts, varies and degrades them.
"""
