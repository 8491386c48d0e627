"""Sentences for synthetic voices, made of our own templates.

They are plain but rich in what lips do: bilabials, labiodentals, rounded and spread vowels,
questions, lists and short answers.
"""

from __future__ import annotations

import re

import numpy as np

_WORDS = {
    "who": "my mother|Peter|the farmer|a young pilot|our neighbor|Maggie|the whole family|Bob|"
    "her uncle|the new teacher|Victor|some people|the woman in blue|our best player|nobody",
    "verb": "bought|painted|found|moved|borrowed|forgot|wrapped|described|repaired|watched|"
    "photographed|followed|carried home|mixed up|gave away|put back",
    "thing": "a map of Europe|the purple umbrella|five fresh pears|a wooden boat|the piano|"
    "an old movie|both paper bags|the village church|a bowl of soup|the smallest puppy|"
    "two pounds of plums|the yellow bicycle|a very good book|the broken window|some warm bread",
    "when": "before breakfast|on Monday morning|in the middle of the night|five years ago|"
    "after the rain stopped|while we were away|at half past seven|during the storm|last February",
    "where": "by the river|in front of the museum|above the shop|near the bus stop|at home|"
    "under the bridge|on the other side of the valley|behind the school|over in Vermont",
    "feel": "wonderful|rather awful|beautiful|too quiet|absolutely perfect|a bit boring|"
    "surprisingly simple|much better|impossible|quite funny",
    "verb_now": "move the table|open the big window|bring a pencil|call me back|finish the soup|"
    "fix the lamp|leave the room|keep the money|wash both cups|speak a little louder",
    "number": "five|twenty two|a hundred|thirteen|forty|one million|sixty four|eleven",
    "many": "pebbles|bees|photographs|wolves|mushrooms|tomatoes|vans|feathers|maps|apples",
    "yes": "Oh, no|Well, maybe|Yes, of course|Hmm, I wonder|Wow|Please|Absolutely|Never mind",
}
_TEMPLATES = (
    "{who} {verb} {thing} {when}.",
    "{when}, {who} {verb} {thing} {where}.",
    "Did {who} really say that it was {feel}?",
    "{yes}. You should {verb_now} and {verb_now}.",
    "Who {verb} {thing} {where}?",
    "{where} there were {number} {many}, and {who} counted every one of them.",
    "I thought it was {feel}, but {who} thought it was {feel}.",
    "Would you {verb_now}, please, before {who} comes {where}?",
    "First they {verb} {thing}, then {thing}, and finally {thing}.",
    "{number} {many} cost more than {number} {many}.",
    "{yes}! That was {feel}.",
    "It is {feel} to live {where}, especially {when}.",
    "If you {verb_now}, {who} will be very happy.",
    "The weather {where} was {feel}; {who} stayed there for {number} weeks.",
    "Why did {who} wait {where} with {number} {many}?",
)
_CHOICES = {kind: words.split("|") for kind, words in _WORDS.items()}


def make_sentence(rng: np.random.Generator) -> str:
    """A sentence of some 5 to 20 words."""

    def fill(match: re.Match) -> str:
        options = _CHOICES[match[1]]
        return options[rng.integers(len(options))]

    text = re.sub(r"\{(\w+)\}", fill, _TEMPLATES[rng.integers(len(_TEMPLATES))])
    return text[0].upper() + text[1:]
