"""Names of experiments: checked as Git checks refs, or made of an adjective and a noun."""

from __future__ import annotations

import os
from collections.abc import Container

from redoit.errors import BadExperimentName
from redoit.git import why_not_ref_part

_ADJECTIVES = (
    "able agile alert amber ample aqua avid azure basic bold brave brief bright brisk broad "
    "calm clear clever close cold cool coral cosy crisp cubic curly daily dark deep dense dry "
    "dusty eager early easy equal exact extra faint fair fancy fast fine firm first flat fleet "
    "fluid fond free fresh full funny gentle giant glad gold good grand great green happy hardy "
    "hazel heavy high honest huge humble icy ideal inner ivory jade jolly jovial joyful keen "
    "kind large last late lean level light lilac lively local lofty loud lucid lucky lunar "
    "magic main major maroon mellow merry mild minor mint mixed model modest moist navy neat "
    "new nice nimble noble north novel oaken olive open orange outer oval pale peach pearl pink "
    "plain plum polar polite prime proper proud pure purple quick quiet rapid rare ready red "
    "regal rich ripe rosy round royal ruby rural rustic safe sandy scenic serene sharp shiny "
    "short silent silky silver simple sleek slim slow small smart smooth snowy snug soft solar "
    "solid sonic south spare spicy stable steady steep stoic stout strong sunny super sure "
    "sweet swift tall tame tawny teal tender tidal tidy tiny tough true upper urban vast velvet "
    "violet vital vivid warm wavy white whole wide wild windy wise witty woolly young"
)
_NOUNS = (
    "acorn alder apple arch aspen atlas bamboo basil bay beach beech bell berry birch bird "
    "bison bloom boat brook cabin camel canal canoe castle cedar cello chalk cherry clay cliff "
    "cloud clover coast cobra comet condor cove crab crane creek crow crown dawn deer delta dew "
    "dove drum duck dune eagle earth elk elm ember falcon fern field finch fir fjord flame "
    "flint flute fog forest fox frost garden gate gecko geyser glade gnome goose grain grove "
    "gull harbor hare harp hawk heron hill horn ibex inlet iris iron island ivy jay jet jungle "
    "kelp kite koala lagoon lake lamp larch lark lava leaf lemon lily linden lion llama lotus "
    "lynx magpie mango maple marsh meadow melon mesa meteor mill mist monk moon moose moss moth "
    "nebula nest newt north oak oasis oat ocean olive onyx opal orbit orchid oriole osprey "
    "otter owl palm panda pansy parrot path peak pearl pebble pepper piano pine planet plum "
    "pond poppy puffin quail quartz rabbit rain raven reef ridge river robin rose sail "
    "salmon sand seal shell shore sky sloth snail snow spark spruce star stone stork storm "
    "summit sun swan thyme tiger topaz torch tower trail tree trout tulip tundra turtle valley "
    "violin walnut wave whale wheat willow wind wolf wren yak zebra zephyr"
)


def new_name(taken: Container[str] = ()) -> str:
    """An unused name such as ``brisk-otter``."""
    name = f"{_any(_ADJECTIVES)}-{_any(_NOUNS)}"
    while name in taken:
        name = f"{_any(_ADJECTIVES)}-{_any(_NOUNS)}-{_any('2 3 4 5 6 7 8 9')}"
    return name


def _any(words: str) -> str:
    # Not the module `random`: a program that fixes its seed would get the same name again and again.
    choices = words.split()
    return choices[int.from_bytes(os.urandom(4), "big") % len(choices)]


def check_name(name: str) -> None:
    """Raise BadExperimentName, saying why, if Git would not take ``name`` as a part of a ref."""
    problem = why_not_ref_part(name)
    if problem:
        raise BadExperimentName(
            f"{name!r} cannot be the name of an experiment: {problem}",
            hint="use letters, digits, '-' and '_', as in `-n tuned-lr`",
        )
