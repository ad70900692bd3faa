"""Parts of libraries that are loaded without the rest do what the whole library does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from redoit.parts import load_parts

COMPARE = """
import sys
from redoit.experiments.hydra import grammar, hydra
Grammar, GrammarException = grammar()
OverridesParser, ConfigLoaderImpl, HydraException = hydra()
assert not [name for name in sys.modules if name.partition(".")[0] == "hydra"]
from hydra._internal.config_loader_impl import ConfigLoaderImpl as WholeLoader
from hydra.core.override_parser.overrides_parser import OverridesParser as WholeParser
from hydra.errors import HydraException as WholeException
from omegaconf import OmegaConf
assert len({Grammar, OverridesParser, WholeParser}) == 3

def read(parser, exception, text):
    try:
        override = parser.create().parse_rule(text, "override")
        found = [repr(override).rpartition(", config_loader")[0], override.get_key_element(), override.package]
        if override.is_sweep_override():
            return [*found, override.is_discrete_sweep(), override.value_type.name, *override.sweep_string_iterator()]
        return [*found, override.type.name, override.is_add(), override.is_force_add(), repr(override.value())]
    except Exception as error:
        return [isinstance(error, exception), type(error).__name__, str(error), repr(error.__cause__)]

def outcome(parser, loader, exception, text):
    config = OmegaConf.create({"a": 1, "b": {"c": [1, 2], "d": "x"}, "n": None})
    OmegaConf.set_struct(config, True)
    try:
        override = parser.create().parse_rule(text, "override")
        found = [repr(override).rpartition(", config_loader")[0], override.get_key_element()]
        if override.is_sweep_override():
            return [*found, override.is_discrete_sweep(), *override.sweep_string_iterator()]
        loader._apply_overrides_to_config([override], config)
        return [*found, repr(override.value()), OmegaConf.to_object(config)]
    except Exception as error:
        return [isinstance(error, exception), type(error).__name__, str(error), repr(error.__cause__)]

texts = '''a=2 a=x +e=1 ++a=3 ~a ~a=1 ~a=7 ~none b.c=[3,{k:v}] b.c.0=5 b={d:1} b.d=null n=1 ~n q=1 +a=1 a=1,2,3 a=range(3)
a=range(0,1,0.25) a=choice(x,y) a=interval(0,1) a=shuffle(1) a=glob(*) a=sort(3,1,2) a=tag(t,choice(1,2)) a= a="" a='x,y' a=\\\\,
a=int("3") a=float(2) a=str(3) a=bool(yes) a=json_str({x:1}) a=${b.d} a=${oops} a@p=1 +a@p:q=1 a=[ a={ a=) =1 a=1e3 a=-inf a=nan a=true
b.d=${oc.env:NOT_SET,z} a=extend_list(1) b.c=extend_list(9) hydra.x=1 a=0x1F a=1_000 "a b=1" a:b=1 a.b=1'''.split()
bad = 0
for text in texts:
    one = outcome(OverridesParser, ConfigLoaderImpl, HydraException, text)
    other = outcome(WholeParser, WholeLoader, WholeException, text)
    grammars = read(Grammar, GrammarException, text), read(WholeParser, WholeException, text)
    for ours, theirs in ((one, other), grammars):
        if repr(ours) != repr(theirs):
            print(text, ours, theirs, sep="\\n  ")
            bad += 1
print("compared", len(texts), "differ", bad)
"""

GRAMMAR = """
import sys
from redoit.experiments.overrides import apply_overrides, combinations
texts = ["a=range(0,1,0.25)", "b.c=choice(x,'y z')", "n=3"]
found = [apply_overrides({"a": 1, "b": {"c": "", "d": [1]}, "n": None}, row[0]) for row in combinations(texts)]
print(len(found), found[-1])
print([name for name in sys.modules if name.partition(".")[0] in ("hydra", "omegaconf", "yaml")])
"""

FALLBACK = """
import redoit.parts
def load_parts(*_):
    raise AttributeError("another Hydra")
redoit.parts.load_parts = load_parts
from redoit.experiments.hydra import grammar, hydra
assert grammar().parser is hydra().parser
OverridesParser = hydra().parser
from hydra.core.override_parser.overrides_parser import OverridesParser as Whole
assert OverridesParser is Whole
print(OverridesParser.create().parse_rule("a=1", "override").value())
"""


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hydras_parts_read_and_apply_overrides_as_the_whole_does() -> None:
    assert printed(COMPARE) == "compared 56 differ 0\n"


def test_plain_values_need_no_omegaconf() -> None:
    """Loading it takes half of the time in which ten experiments are queued."""
    last = {"a": 0.75, "b": {"c": "y z", "d": [1]}, "n": 3}
    assert printed(GRAMMAR) == f"8 {last}\n[]\n"


def test_a_hydra_that_cannot_be_loaded_in_parts_is_loaded_whole() -> None:
    assert printed(FALLBACK) == "1\n"


def test_what_was_loaded_before_is_used_and_nothing_stays_behind() -> None:
    code = (
        "import sys; from redoit.parts import load_parts; before = set(sys.modules)\n"
        "parts = load_parts('doit', ['exceptions'], {'pdb': ()})\n"
        "print({name for name in set(sys.modules) - before if name in ('doit', 'pdb') or name.startswith('doit.')})\n"
        "import doit.exceptions\n"
        "print(load_parts('doit', ['exceptions'], {})['exceptions'] is doit.exceptions, "
        "parts['exceptions'] is doit.exceptions)\n"
    )
    assert printed(code) == "set()\nTrue False\n"


def test_a_library_that_is_not_there() -> None:
    with pytest.raises(ImportError, match="no-such is not installed"):
        load_parts("no-such", ["x"], {})
