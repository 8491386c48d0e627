"""Letter-to-sound rules of English, for words no dictionary holds.

At each place in a word the first rule whose letters fit is taken. Rules are ordered from the
special to the plain; the last of a letter always fits, so every letter of a-z is covered.
"""

from __future__ import annotations

import re
from functools import cache

_CONSONANT = "[bcdfghjklmnpqrstvz]"  # the letters that close a syllable with one sound
_MAGIC_E = rf"(?={_CONSONANT}e(?:s|d|r|rs|ly|ness|less|ful|ment)?$|[tv]ing$|[kmlnrsvz]ing$)"
"""One consonant and a silent e, as in "name": the vowel before says its name."""
_OPEN = rf"(?={_CONSONANT}(?:i[aou]|ious|eous|ion))"
_FINAL = r"(?=$|s$)"

# One line a rule: letters with their context as a regular expression, then the sounds.
_RULES = rf"""
a(?=$)                                AH
ae                                    IY
aigh                                  EY
air                                   EH R
ai(?=n$)                              EY
ai|ay                                 EY
al(?=k)|au(?=gh)                      AO
al(?=[dlt])                           AO L
al{_FINAL}                            AH L
are(?=$|s$|d$)                        EH R
arr(?=[aeiouy])                       EH R
ar(?=[iy])                            EH R
(?<=w)ar                              AO R
(?<=[aeiouy]{_CONSONANT})ar{_FINAL}   ER
(?<=[^q]u[td])a(?=te)                 EY
ar                                    AA R
augh                                  AO
au|aw                                 AO
a(?=tion|tious|cious|sion|ble|bly|zi|vi[aeo]|di[aou]|li[aou])  EY
(?<=[a-z][a-z][a-z])age{_FINAL}       IH JH
(?<=[a-z][a-z][aeiou])a(?=[nlm]$)     AH
(?<=[a-z][a-z])a(?=n$|ns$|nce|nt$|nts$|ry$)  AH
a(?=nge|ste{_FINAL})                  EY
a{_MAGIC_E}                           EY
a{_OPEN}                              EY
^a(?=[bcdfglnprst][bcdfglnprst]?[aeiou][a-z][a-z])  AH
(?<=[aeiou][a-z])a(?=[a-z][aeiou])    AH
(?<=w)a(?=[nst])|(?<=qu)a             AA
a                                     AE
bb                                    B
(?<=m)b{_FINAL}|b(?=t$)               -
b                                     B
cc(?=[eiy])                           K S
cch                                   K
ch(?=[rlnm])|(?<=s)ch(?=[eo][^w])     K
ch                                    CH
ck|cqu?                               K
c(?=i[aou]|eous)                      SH
(?<=s)c(?=[eiy])                      -
c(?=[eiy])                            S
cc|c                                  K
dd                                    D
dge?(?=[eiy]|$|s$|m)                  JH
d                                     D
ear(?=[ntlhd][a-z]*)                  ER
ear                                   IH R
eau                                   OW
ea(?=d$|th$|lth|v[ey]|ds$|sure|ther)  EH
ea                                    IY
eer                                   IH R
ee                                    IY
eigh                                  EY
(?<=c)ei                              IY
ei(?=n|r$|ss?|d|ch)                   AY
ei                                    IY
er(?=r[aeiouy]|[iy][a-z])             EH R
ere{_FINAL}                           IH R
er                                    ER
eu(?=[mr])                            Y UH
eu|(?<=[rljd])ew                      UW
ew                                    Y UW
(?<=[aeiouy]{_CONSONANT})ey|(?<=[lnkdtb])ey{_FINAL}  IY
ey                                    EY
(?<=[dt])ed$                          IH D
(?<=[fkpshx])ed$                      T
(?<=[a-z][a-z])ed$                    D
(?<=[cgsxzh])e(?=s$)                  IH
(?<=[bcdfgklptz]l)e{_FINAL}           -
(?<=[a-z][a-z])e(?=$|s$|ly$|ness|less$|ful$|ment)  -
^e(?=[nmx][a-z]*)                     EH
(?<=^[bdpr])e(?=[bcdfgjlmpqstv][aeiourl])  IH
(?<=^[hmswb])e$                       IY
(?<=[a-z][a-z])e(?=[nl]t?s?$|nce|ns|m$)  AH
(?<=[a-z][a-z])e(?=ss$|st$|t$|ts$)    AH
e(?=o)                                IY
e(?={_CONSONANT}(?:ia|io|iou|eo))     IY
^e(?=[aiou]|v|qu)                     IY
e{_MAGIC_E}                           IY
e                                     EH
ff|f                                  F
^gh|gh(?=[ei]tt)|gg                   G
(?<=i)gh(?=t|$|s$|n)                  -
(?<=[aeo]u)gh(?=t)                    -
gh                                    -
gi(?=ous|on)                          JH
^gn|gn{_FINAL}                        N
gu(?=[eiy])                           G
(?<=^)g(?=et|i[bdfglv])               G
(?<=[nr])ge$                          JH
g(?=e[rt]?[smn]?|i|y)                 JH
g                                     G
(?<=^ex)h|(?<=^r)h|h$                 -
h(?=[aeiouyw])                        HH
h                                     -
igh                                   AY
ign{_FINAL}                           AY N
ia(?=n|l|$)                           IY AH
ie(?=$|s$|d$)                         IY
ier                                   IY ER
ie(?=[ldfvc])                         IY
ie                                    AY AH
io(?=u)                               IY
io                                    IY OW
(?<=[a-z][a-z])iu                     IY AH
ir(?=r[aeiou]|[aiou])                 IH R
ire                                   AY ER
ir                                    ER
i(?=nd{_FINAL}|ld{_FINAL})            AY
(?<=[a-z][a-z])i(?=ne{_FINAL}|ve{_FINAL}|ce$|te{_FINAL})  IH
i(?=sm$)                              IH
i(?=se[ds]?$|ze[ds]?$|zing$|fy|gn)    AY
i{_MAGIC_E}                           AY
i(?=s$)                               IH
i{_FINAL}                             IY
(?<=[tlnrdv])i(?=[aou])               IY
(?<=^[bdhl])i(?=[aeo])|^i(?=[aeou])   AY
i                                     IH
j                                     JH
^kn                                   N
kk|k                                  K
(?<=[bcdfgkptzs])le$                  AH L
(?<=[bcdfgkptzs])les$                 AH L Z
(?<=[bcdfgkptzs])led$                 AH L D
ll|l                                  L
^mc(?=[^ck])                          M AH K
^mc                                   M AH
mm|m                                  M
ng{_FINAL}|(?<=i)ng(?=ly|s)           NG
n(?=[kx]|c[^hei]|g[^eiy])              NG
nn|n                                  N
oar|oor                               AO R
oa                                    OW
oeu                                   UW
oe{_FINAL}                            OW
oi|oy                                 OY
oo(?=k|d$|ds$|t$)                     UH
oo                                    UW
ore(?=$|s$|d$)|or                     AO R
ough(?=t)                             AO
ough{_FINAL}                          OW
ou(?=s$|sly|sness)                    AH
our                                   AO R
(?<=[lncy])ou(?=p|th|nger)            UW
ou(?=ld$)                             UH
ou(?=[bp]le)                          AH
ou                                    AW
(?<=[lrnhstb])ow{_FINAL}|ow(?=n$|e)   OW
ow                                    AW
o(?=n$|ns$|r$)                        AH
^o(?=ther)|(?<=[lm])o(?=ve|ney|nth|ther)  AH
o(?=l[dlt]|st$|ss$)                   OW
o{_MAGIC_E}                           OW
o{_OPEN}                              OW
o(?=$|s$|es$)                         OW
(?<=[a-z][a-z])o(?=m$|ms$|ck$)        AH
o(?={_CONSONANT}[aeo][a-z]*$)         OW
o                                     AA
ph                                    F
^p(?=[snt])                           -
pp|p                                  P
qu(?=e$|es$)                          K
qu                                    K W
q                                     K
rrh?|rh|r                             R
sch(?=[aeiouwlmnrt])                  SH
sc(?=i[ou])                           SH
sh                                    SH
ssi(?=on)                             SH
(?<=[aeiour])si(?=on)                 ZH
si(?=on)                              SH
ss(?=u[rae])                          SH
(?<=[aeiou])s(?=u[ra])                ZH
ss                                    S
(?<=[aeiouy])s(?=m$|ms$)              Z
(?<=[aeiouy])s(?=e[ds]?$|ing$)        Z
(?<=[ptkf])s$|(?<=th)s$               S
(?<=[uiaey]u)s$|(?<=[ui])s$           S
(?<=[aeobdglmnrvwy])s$                Z
(?<=[aeiou])s(?=[bdglm])              Z
s                                     S
tch                                   CH
ti(?=[ao]|en)                         SH
t(?=u[raeo])                          CH
(?<=s)t(?=[el][ne]?$)                 -
(?<=[aeiour])th(?=er|e$|es$|ed$|ing|ier)  DH
th                                    TH
tt|t                                  T
uer|ur(?=r[aeiou])                    ER
(?<=[crbdgtlj])ure{_FINAL}            ER
ure                                   Y UH R
ur(?=[ai])                            UH R
ur                                    ER
(?<=[gq])u(?=[aeiouy])                W
ui(?=t|se|ce)|ue|(?<=[rljsc])u{_MAGIC_E}  UW
u{_MAGIC_E}                           Y UW
u(?=[aeio])                           UW
^uni                                  Y UW N AH
(?<=[rlj])u(?={_CONSONANT}[aiouy])    UW
(?<=[bcfghkmp])u(?=l[ae])             Y AH
u(?={_CONSONANT}[aiou])               UW
u{_FINAL}                             UW
(?<=^[bpf])u(?=ll|sh)                 UH
u                                     AH
vv|v                                  V
^wr                                   R
^who                                  HH UW
wh|w(?=[aeiouy])                      W
w                                     -
^x                                    Z
(?<=^e)x(?=[aeiou])                   G Z
xx?c(?=[ei])|x                        K S
^y                                    Y
(?<=^[a-z])y$|(?<=^[a-z][a-z])y$      AY
yr(?=[aeiou])                         AY R
yr                                    ER
y{_MAGIC_E}                           AY
(?<=^[hdc])y|(?<=^ps)y|(?<=f)y        AY
y{_FINAL}                             IY
(?<=[aeiou])y(?=[aeiou])              Y
y                                     IH
tz|zz                                 T S
z                                     Z
"""


@cache
def _read_rules() -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
    rules = []
    for line in _RULES.strip().splitlines():
        pattern, sounds = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        rules.append((re.compile(pattern), () if sounds == "-" else tuple(sounds.split())))
    return rules


@cache
def sound_out(word: str) -> tuple[str, ...]:
    """ARPAbet phones of a lower-case word of a-z, by rule alone; never empty.

    Against the dictionary's own entries about one phone in six differs, mostly vowels.
    """
    rules, phones, place = _read_rules(), [], 0
    while place < len(word):
        found = ((p.match(word, place), sounds) for p, sounds in rules)
        match, sounds = next((m, s) for m, s in found if m and m.end() > place)
        # Two vowels of the same sound meet only by accident of spelling.
        phones.extend(sounds if phones[-1:] != list(sounds[:1]) else sounds[1:])
        place = match.end()
    return tuple(phones) or ("AH",)
