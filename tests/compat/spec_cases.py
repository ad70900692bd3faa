"""Small projects on which Redoit and DVC must agree: name → files.

Text alone is the ``dvc.yaml``; ``p`` the ``params.yaml`` beside it.
"""

from __future__ import annotations

PARAMS = """\
lr: 1e-3
flag: true
off: false
none: null
name: it's me
num: 3
big: 1.0e10
list: [1, two, 3.0]
flags: [true, false]
nested: {a: {b: [10, {c: deep}]}, d: 1}
words: [x, y]
opts: {lr: 0.1, verbose: true, quiet: false, tags: [a, 'b c', 1, true], sub: {x: 1, y: null}, empty: {}}
1: one
items: {first: {v: 1}, second: {v: 2}}
date: text-2020
'dotted.key': 1
"""


def stage(fields: str, *, name: str = "s") -> str:
    """A ``dvc.yaml`` with one stage of these lines."""
    body = "\n".join("    " + line for line in fields.strip("\n").split("\n"))
    return f"stages:\n  {name}:\n{body}\n"


def case(text: str, params: str | None = PARAMS, **files: str) -> dict[str, str]:
    """The files of a project; ``__`` in a name stands for a slash and ``_`` at its end for nothing."""
    named = {
        name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()
    }
    return {"dvc.yaml": text, **({} if params is None else {"params.yaml": params}), **named}


CASES: dict[str, dict[str, str]] = {
    "nothing": case("", None),
    "only a comment": case("# nothing\n", None),
    "an empty list": case("[]\n", None),
    "no stages": case("stages: {}\n"),
    # stages
    "one line": case(stage("cmd: echo hello")),
    "commands as a list": case(stage("cmd:\n- echo a\n- echo b ${lr}")),
    "command over lines": case(stage("cmd: |\n  echo a\n  echo b\n")),
    "folded command": case(stage("cmd: >-\n  echo a\n  echo b\n")),
    "wdir": case(
        stage("cmd: x\nwdir: sub/dir\ndeps: [a, ../b, ../../c, ../../../out]\nouts: [o, ../p]")
    ),
    "wdir above": case(stage("cmd: x\nwdir: ..\ndeps: [a]")),
    "wdir here": case(stage("cmd: x\nwdir: .\ndeps: [a]\nparams: [lr]")),
    "wdir with slash": case(stage("cmd: x\nwdir: ./sub/\ndeps: [a]\nparams: [lr]")),
    "wdir from a variable": case(stage("cmd: x\nwdir: ${name}-${num}\nouts: [a]")),
    "odd paths": case(
        stage(
            "cmd: x\ndeps: [./a, b/, c//d, e/./f, g/../h, 'with space', ünï, '~/x', '~', \"back\\\\slash\", '.', '..', 'C:/x', 'a:b', 'f:x']"
        )
    ),
    "odd outs": case(
        stage("cmd: x\nouts: [./a, b/, c//d, e/./f, g/../h, 'with space', ünï, '~/x', 'a:b']")
    ),
    "absolute paths": case(
        stage("cmd: x\ndeps: [/tmp/x, /tmp/y/, /]\nouts:\n- /tmp/z: {cache: false}\n- /tmp/cached")
    ),
    "same dep twice": case(stage("cmd: x\ndeps: [a, a, ./a]")),
    "dep and out the same": case(stage("cmd: x\ndeps: [a]\nouts: [a]")),
    "outs with fields": case(
        stage(
            "cmd: x\nouts:\n- a: {cache: false, persist: true}\n- b: {remote: r, push: false, desc: d, type: t, labels: [l], meta: {k: 1}}\n"
            "- c: {}\n- d: {cache: true}\n  e: {cache: false}\n- f: {checkpoint: true}\n- a: {desc: again}\n- g"
        )
    ),
    "metrics and plots": case(
        stage(
            "cmd: x\nmetrics:\n- m.json\n- n.json: {cache: false}\nplots:\n- p.csv\n- q.csv: {x: a, y: b, title: t, cache: false, header: false, template: confusion}\n- r: {}\nouts: [o]"
        )
    ),
    "flags": case(
        stage(
            "cmd: x\nfrozen: true\nalways_changed: true\ndesc: some text\nmeta: {a: [1, {b: c}], d: null}"
        )
    ),
    "meta is anything": case(stage("cmd: x\nmeta: [1, two, '${num}', {k: '${name}'}]")),
    "description with a value": case(stage("cmd: x\ndesc: learning rate ${lr}")),
    "a name with @": case("stages:\n  a@b: {cmd: x}\n"),
    "an empty name": case("stages:\n  '': {cmd: x}\n"),
    "a number as a name": case("stages:\n  1: {cmd: x}\n"),
    "several stages": case(
        "stages:\n  b: {cmd: x}\n  a: {cmd: y}\n  'with space': {cmd: z}\n  ünï: {cmd: z}\n  'a:b': {cmd: z}\n  a.b: {cmd: z}\n"
    ),
    # params
    "params": case(
        stage(
            "cmd: x\nparams:\n- lr\n- nested.a\n- nested.a.b.1.c\n- missing\n- list.0\n- list.-1\n- lr"
        )
    ),
    "whole params": case(
        stage("cmd: x\nparams:\n- params.yaml:\n- other.json: []\n"),
        other_dot_json='{"a": {"b": 1}, "c": [1.0, null]}',
    ),
    "params of files": case(
        stage(
            "cmd: x\nparams:\n- lr\n- other.yaml: [a, b.c]\n- num\n- other.yaml: [d]\n- third.toml: [t.x]\n- gone.yaml: [z]\n"
        ),
        other_dot_yaml="a: 1\nb: {c: 2}\nd: 2020-01-01\n",
        third_dot_toml="[t]\nx = 1\ny = 1979-05-27T07:32:00Z\n",
    ),
    "whole and keys": case(stage("cmd: x\nparams:\n- lr\n- params.yaml:\n- num")),
    "keys with wildcards": case(
        stage(
            "cmd: x\nparams: ['nested.*.b', 'nest*.d', 'l[r]', '**.c', 'nested.**.c', 'zz*', 'items.first.?']"
        )
    ),
    "keys with dots": case(
        stage(
            "cmd: x\nparams: ['dotted.key', '.lr', 'nested..a', 'nested.', '1', 'flags.1', 'list.zero', 'lr.x']"
        )
    ),
    "params in wdir": case(
        stage("cmd: x\nwdir: sub\nparams: [lr, {../params.yaml: [num]}]"),
        sub__params_dot_yaml="lr: 5\n",
    ),
    "python params": case(
        stage(
            "cmd: x\nparams:\n- p.py: [A, B.x, C.y, C.z, D, E.k, F, G, H, i, J, Up.Inner.v, K]\n- q.py:\n"
        ),
        p_dot_py=(
            "A = 1\nclass B:\n    x: int = 2\n    n: int\nclass C:\n    def __init__(self):\n        self.y = [1, 2]\n        z = 3\n        self.z = 1 + 1\n"
            "D = {'a': 1, 'b': [1, (2, 3)]}\nE = {'k': -1.5e3}\nF = (1, 'two')\nG = None\nH = i = 1\ni: float = .5\nJ = x()\nclass Up:\n    class Inner:\n        v = True\n"
            "if True:\n    K = 1\nimport os\ndef f():\n    L = 1\n"
        ),
        q_dot_py="X = 1\nX = 2\na, b = 1, 2\nS = {1}\n",
    ),
    "params by template": case(
        stage("cmd: x\nparams: ['${name}', {'${words[0]}.yaml': ['${words[1]}']}]")
    ),
    "params as a list": case(stage("cmd: x\nparams: [lr]"), "- a\n- b\n"),
    # templating
    "plain values": case(
        stage(
            "cmd: echo ${lr} ${flag} ${off} ${none} ${num} ${big} ${nested.d} ${nested.a.b[0]} ${nested.a.b[1].c} ${ lr } ${list[0]} ${list[-1]} ${list[2]}"
        )
    ),
    "brackets and dots": case(
        stage(
            "cmd: echo ${list.0} ${nested[d]} ${nested.a.b.1.c} ${nested.a[b][1][c]} ${list[ 0 ]} ${nested . d}"
        )
    ),
    "escaped": case(stage("cmd: echo \\${lr} ${lr} \\${HOME} $HOME ${lr}\\${x} $${lr} \\\\${lr}")),
    "not closed": case(stage("cmd: echo ${lr ${num} $ {x} {y} $ }")),
    "over lines": case(stage("cmd: |\n  echo ${lr}\n  echo ${num\n  }")),
    "options": case(stage("cmd: python train.py ${opts} --end")),
    "options of a part": case(stage("cmd: ${opts.sub}")),
    "options alone": case(stage("cmd: ${opts}")),
    "options in a list": case(stage("cmd:\n- a ${opts}\n- b ${nested.a.b[1]}")),
    "list in options": case(stage("cmd: a ${nested}")),
    "options, other style": case(
        stage("cmd: a ${opts}"),
        _dot_dvc__config="[parsing]\n    bool = boolean_optional\n    list = append\n",
    ),
    "list in a command": case(stage("cmd: a ${list}")),
    "list as deps": case(stage("cmd: x\ndeps: ${words}")),
    "list as one dep": case(stage("cmd: x\ndeps: ['${words}']")),
    "mapping as a dep": case(stage("cmd: x\ndeps: ['${nested}']")),
    "number as a dep": case(stage("cmd: x\ndeps: ['${num}']")),
    "number in a dep": case(stage("cmd: x\ndeps: ['${num}.txt', 'a${none}', '${flag}/${lr}']")),
    "null as a dep": case(stage("cmd: x\ndeps: ['${none}']")),
    "number as a command": case(stage("cmd: ${num}")),
    "number as an out": case(stage("cmd: x\nouts: ['${num}']")),
    "key by template": case(
        stage("cmd: x\nouts: [{'${words[0]}': {desc: '${name}', remote: '${words[1]}'}}]")
    ),
    "unknown key": case(stage("cmd: echo ${missing}")),
    "unknown inner key": case(stage("cmd: echo ${nested.missing}")),
    "index too large": case(stage("cmd: echo ${list[9]}")),
    "index is no number": case(stage("cmd: echo ${list[a]}")),
    "key of a number": case(stage("cmd: echo ${num.x}")),
    "empty expression": case(stage("cmd: echo ${}")),
    "blank expression": case(stage("cmd: echo ${ }")),
    "bad expression": case(stage("cmd: echo ${a..b}")),
    "bad brackets": case(stage("cmd: echo ${list[0}")),
    "brackets first": case(stage("cmd: echo ${[0]}")),
    "number key": case(stage("cmd: echo ${1}")),
    "dotted key": case(stage("cmd: echo ${dotted.key}")),
    "in meta": case(stage("cmd: x\nmeta: {a: '${missing}'}")),
    "no params file": case(stage("cmd: echo ${lr}"), None),
    "params file is bad": case(stage("cmd: echo"), "a: [1\n"),
    "params file is a list": case(stage("cmd: echo"), "- 1\n"),
    "params file is empty": case(stage("cmd: echo"), ""),
    "params file is a number": case(stage("cmd: echo"), "12\n"),
    # vars
    "inline vars": case("vars:\n- a: 1\n- b: {c: x}\n" + stage("cmd: echo ${a} ${b.c} ${lr}")),
    "vars of a file": case("vars: [v.yaml]\n" + stage("cmd: echo ${v}"), v_dot_yaml="v: 1\n"),
    "vars of keys": case(
        "vars: ['v.json:a,b']\n" + stage("cmd: echo ${a}${b.x}"),
        v_dot_json='{"a": 1, "b": {"x": 2}, "c": 3}',
    ),
    "vars of other keys": case(
        "vars: ['v.json:a,b']\n" + stage("cmd: echo ${c}"),
        v_dot_json='{"a": 1, "b": {"x": 2}, "c": 3}',
    ),
    "vars of toml and python": case(
        "vars: [v.toml, w.py]\n" + stage("cmd: echo ${t.x} ${W} ${C.k}"),
        v_dot_toml="[t]\nx = 1.50\n",
        w_dot_py="W = 'w'\nclass C:\n    k = 1\n",
    ),
    "vars merged": case(
        "vars: [v.yaml, {b: {z: 3}}]\n" + stage("cmd: echo ${b.x} ${b.y} ${b.z}"),
        "b: {x: 1}\n",
        v_dot_yaml="b: {y: 2}\n",
    ),
    "vars set twice": case("vars: [{lr: 2}]\n" + stage("cmd: echo")),
    "vars set twice inside": case("vars: [{nested: {d: 2}}]\n" + stage("cmd: echo")),
    "vars set twice in files": case(
        "vars: [v.yaml, w.yaml]\n" + stage("cmd: echo"), v_dot_yaml="a: 1\n", w_dot_yaml="a: 1\n"
    ),
    "vars list over list": case("vars: [{list: [4]}]\n" + stage("cmd: echo")),
    "vars mapping over text": case("vars: [{name: {x: 4}}]\n" + stage("cmd: echo")),
    "vars name params again": case("vars: [params.yaml]\n" + stage("cmd: echo ${lr}")),
    "vars name params again in part": case("vars: ['params.yaml:lr']\n" + stage("cmd: echo ${lr}")),
    "vars name a file twice": case(
        "vars: [v.yaml, ./v.yaml]\n" + stage("cmd: echo"), v_dot_yaml="v: 1\n"
    ),
    "vars in parts": case(
        "vars: ['v.yaml:a', 'v.yaml:b']\n" + stage("cmd: echo ${a}${b}"), v_dot_yaml="a: 1\nb: 2\n"
    ),
    "vars in overlapping parts": case(
        "vars: ['v.yaml:a', 'v.yaml:b,a']\n" + stage("cmd: echo ${a}${b}"),
        v_dot_yaml="a: 1\nb: 2\n",
    ),
    "vars in parts, then whole": case(
        "vars: ['v.yaml:a', 'v.yaml']\n" + stage("cmd: echo"), v_dot_yaml="a: 1\nb: 2\n"
    ),
    "vars without params": case("vars: ['params.yaml:lr']\n" + stage("cmd: echo ${lr}"), None),
    "vars of a missing file": case("vars: [gone.yaml]\n" + stage("cmd: echo")),
    "vars of a missing key": case("vars: ['v.yaml:z']\n" + stage("cmd: echo"), v_dot_yaml="a: 1\n"),
    "vars of dotted key": case(
        "vars: ['v.yaml:a.b']\n" + stage("cmd: echo"), v_dot_yaml="a: {b: 1}\n"
    ),
    "vars with template": case("vars: [{a: '${lr}'}]\n" + stage("cmd: echo")),
    "vars with template in a key": case("vars: [{'${lr}': 1}]\n" + stage("cmd: echo")),
    "vars of a folder": case("vars: [sub]\n" + stage("cmd: echo"), sub__x="1"),
    "vars without entries": case("vars: []\n" + stage("cmd: echo")),
    "vars with empty keys": case(
        "vars: ['v.yaml:']\n" + stage("cmd: echo ${a}"), v_dot_yaml="a: 1\n"
    ),
    "vars of a list": case("vars: [v.yaml]\n" + stage("cmd: echo"), v_dot_yaml="- 1\n"),
    "number keys": case("vars: [{1: a, x: {2: b, y: 1}}]\n" + stage("cmd: echo ${x}")),
    "vars in a stage": case(stage("cmd: echo ${a} ${lr}\nvars: [{a: 1}]")),
    "vars in a stage, of its wdir": case(
        stage("cmd: echo ${v}\nwdir: sub\nvars: [v.yaml]"),
        sub__v_dot_yaml="v: sub\n",
        v_dot_yaml="v: top\n",
    ),
    "vars in a stage, not of the top": case(
        stage("cmd: echo ${v}\nwdir: sub\nvars: [v.yaml]"), v_dot_yaml="v: top\n"
    ),
    "vars in a stage, params of wdir": case(
        stage("cmd: echo ${lr}\nwdir: sub\nvars: [params.yaml]"), sub__params_dot_yaml="lr: 7\n"
    ),
    "vars in a stage, new params of wdir": case(
        stage("cmd: echo ${new}\nwdir: sub\nvars: [params.yaml]"), sub__params_dot_yaml="new: 7\n"
    ),
    "vars in a stage, set twice": case(stage("cmd: echo ${lr}\nvars: [{lr: 1}]")),
    "vars in a stage, merged": case(
        stage("cmd: echo ${nested.d} ${nested.e}\nvars: [{nested: {e: 1}}]")
    ),
    "vars in a stage, for wdir": case(stage("cmd: echo\nwdir: ${w}\nvars: [{w: sub}]")),
    "vars in a stage, wdir by template": case(
        stage("cmd: echo ${v}\nwdir: '${words[0]}'\nvars: [v.yaml]"), x__v_dot_yaml="v: 1\n"
    ),
    "vars of one stage do not leak": case(
        "stages:\n  a: {cmd: 'echo ${q}', vars: [{q: 1}]}\n  b: {cmd: 'echo ${q}'}\n"
    ),
    # foreach
    "foreach list": case(
        "stages:\n  t:\n    foreach: [a, 1, 2.50, true, null, 1e3, 'x y']\n    do: {cmd: 'echo ${item}', outs: ['o/${item}']}\n"
    ),
    "foreach an empty name": case("stages:\n  t:\n    foreach: [a, '']\n    do: {cmd: x}\n"),
    "foreach twice the same": case(
        "stages:\n  t:\n    foreach: [a, b, a, 1, '1']\n    do: {cmd: 'echo ${item}'}\n"
    ),
    "foreach of lists": case(
        "stages:\n  t:\n    foreach: [{a: 1}, {a: 2}, plain]\n    do: {cmd: 'echo ${item}'}\n"
    ),
    "foreach of mappings": case(
        "stages:\n  t:\n    foreach: [{a: 1}, {a: 2}]\n    do: {cmd: 'echo ${item.a}'}\n"
    ),
    "foreach mapping": case(
        "stages:\n  t:\n    foreach: {x: 1, y: {z: 2}, 3: c, true: d, null: e, 1.5: f}\n    do: {cmd: 'echo ${key} ${item}'}\n"
    ),
    "foreach variable": case(
        "stages:\n  t:\n    foreach: ${list}\n    do: {cmd: 'echo ${item}'}\n"
    ),
    "foreach flags": case("stages:\n  t:\n    foreach: ${flags}\n    do: {cmd: 'echo ${item}'}\n"),
    "foreach items": case(
        "stages:\n  t:\n    foreach: ${items}\n    do: {cmd: 'echo ${key} ${item.v}', outs: ['${key}']}\n"
    ),
    "foreach of values": case(
        "stages:\n  t:\n    foreach: ['${num}', '${flag}', 'a-${flag}', '${none}', true]\n    do: {cmd: 'echo ${item}'}\n"
    ),
    "foreach of a list inside": case(
        "stages:\n  t:\n    foreach: ['${words}', b]\n    do: {cmd: 'echo ${item}'}\n"
    ),
    "foreach of a list inside, used": case(
        "stages:\n  t:\n    foreach: ['${words}', [c, d]]\n    do: {cmd: 'echo ${item[0]}'}\n"
    ),
    "foreach text": case("stages:\n  t:\n    foreach: abc\n    do: {cmd: x}\n"),
    "foreach a number": case("stages:\n  t:\n    foreach: ${num}\n    do: {cmd: x}\n"),
    "foreach nothing": case("stages:\n  t:\n    foreach: []\n    do: {cmd: 'x ${nope}'}\n"),
    "foreach an empty mapping": case("stages:\n  t:\n    foreach: {}\n    do: {cmd: x}\n"),
    "foreach unknown": case("stages:\n  t:\n    foreach: ${gone}\n    do: {cmd: x}\n"),
    "foreach unknown inside": case("stages:\n  t:\n    foreach: [a]\n    do: {cmd: 'x ${gone}'}\n"),
    "foreach list has no key": case("stages:\n  t:\n    foreach: [a]\n    do: {cmd: 'x ${key}'}\n"),
    "foreach hides item": case(
        "vars: [{item: 5, key: 6}]\nstages:\n  t:\n    foreach: [a]\n    do: {cmd: 'x ${item} ${key}'}\n  u: {cmd: 'y ${item}'}\n"
    ),
    "foreach item in vars": case(
        "stages:\n  t:\n    foreach: [a]\n    do: {cmd: x, vars: [{item: 1}]}\n"
    ),
    "foreach key in vars": case(
        "stages:\n  t:\n    foreach: [a]\n    do: {cmd: 'x ${key}', vars: [{key: 1}]}\n"
    ),
    "foreach with vars": case(
        "stages:\n  t:\n    foreach: [a, b]\n    do: {cmd: 'x ${v} ${item}', vars: [{v: 1}], wdir: '${item}'}\n"
    ),
    "foreach with vars of wdir": case(
        "stages:\n  t:\n    foreach: [a, b]\n    do: {cmd: 'x ${v}', vars: [v.yaml], wdir: '${item}'}\n",
        a__v_dot_yaml="v: 1\n",
        b__v_dot_yaml="v: 2\n",
    ),
    "foreach with @": case("stages:\n  t:\n    foreach: [a@b]\n    do: {cmd: x}\n"),
    "foreach with odd names": case(
        "stages:\n  t:\n    foreach: ['a b', a/b, 'a:b', 'a=b', 'a*']\n    do: {cmd: x}\n"
    ),
    "foreach in params": case(
        "stages:\n  t:\n    foreach: [lr, num]\n    do: {cmd: x, params: ['${item}', {'f-${item}.yaml': ['k.${item}']}]}\n"
    ),
    # matrix
    "matrix": case(
        "stages:\n  m:\n    matrix: {a: [x, y], b: [1, 2.50]}\n    cmd: echo ${item.a} ${item.b} ${key}\n    outs: ['${key}']\n"
    ),
    "matrix of mappings": case(
        "stages:\n  m:\n    matrix:\n      a: [{k: 1}, {k: 2}, [3], plain]\n      b: [true, null]\n    cmd: echo ${item.b} ${key}\n"
    ),
    "matrix of variables": case(
        "stages:\n  m:\n    matrix: {a: '${words}', b: '${flags}', c: ['${flag}', true, '${num}'], d: '${nested.a.b}'}\n    cmd: echo ${item.a} ${key}\n"
    ),
    "matrix of a mapping": case(
        "stages:\n  m:\n    matrix: {a: '${items}'}\n    cmd: echo ${item.a} ${key}\n"
    ),
    "matrix of a number": case(
        "stages:\n  m:\n    matrix: {a: '${num}'}\n    cmd: echo ${item.a} ${key}\n"
    ),
    "matrix of nothing": case("stages:\n  m:\n    matrix: {a: []}\n    cmd: echo\n"),
    "matrix empty": case("stages:\n  m:\n    matrix: {}\n    cmd: echo '${key}'\n"),
    "matrix same names": case(
        "stages:\n  m:\n    matrix: {a: [1, '1', x-y], b: [z, y-z]}\n    cmd: echo '${key}'\n"
    ),
    "matrix unknown": case("stages:\n  m:\n    matrix: {a: [1]}\n    cmd: echo ${item.b}\n"),
    "matrix with vars": case(
        "stages:\n  m:\n    matrix: {a: [1, 2]}\n    vars: [{v: 1}]\n    wdir: d${item.a}\n    cmd: echo ${v}\n"
    ),
    "matrix and foreach": case(
        "stages:\n  m:\n    matrix: {a: [1]}\n    foreach: [1]\n    do: {cmd: x}\n"
    ),
    "matrix of three": case(
        "stages:\n  m:\n    matrix: {a: [1, 2], b: [3], c: [4, 5]}\n    cmd: echo ${item}\n"
    ),
    # several files
    "sub folders": case(
        stage("cmd: x\nouts: [o]"),
        b__dvc_dot_yaml=stage("cmd: echo ${q}\nwdir: ../c\nparams: [lr]\ndeps: [../o]"),
        b__params_dot_yaml="q: 1\n",
        a__dvc_dot_yaml="stages:\n  t:\n    foreach: [1, 2]\n    do: {cmd: x, wdir: w}\n",
    ),
    "a stage file inside an out": case(stage("cmd: x\nouts: [o]"), o__dvc_dot_yaml=stage("cmd: y")),
    "not in ignored folders": case(
        stage("cmd: x"),
        _dot_dvcignore="skip\n*.tmp/\n!keep.tmp/\n",
        skip__dvc_dot_yaml="bad: 1\n",
        a_dot_tmp__dvc_dot_yaml="bad: 1\n",
        keep_dot_tmp__dvc_dot_yaml=stage("cmd: y"),
    ),
    "not in what Git ignores": case(
        stage("cmd: x"),
        _dot_gitignore="/skip\n*.tmp\n",
        skip__dvc_dot_yaml="bad: 1\n",
        sub__a_dot_tmp__dvc_dot_yaml="bad: 1\n",
        sub__skip__dvc_dot_yaml=stage("cmd: y"),
    ),
    "not in another project": case(
        stage("cmd: x"), other__dvc_dot_yaml="bad: 1\n", other___dot_dvc__config=""
    ),
    "out is ignored": case(stage("cmd: x\nouts: [a.tmp]"), _dot_dvcignore="*.tmp\n"),
    "out in an ignored folder": case(stage("cmd: x\nouts: [skip/a]"), _dot_dvcignore="skip/\n"),
    "out in .dvc": case(stage("cmd: x\nouts: [.dvc/a]")),
    "out in .git": case(stage("cmd: x\nouts: [.git/a]")),
    "dep is ignored": case(stage("cmd: x\ndeps: [a.tmp]"), _dot_dvcignore="*.tmp\n"),
    # data files
    "data": case(
        "",
        a_dot_dvc="outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: md5\n  path: a\n",
        sub__b_dot_dvc="outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e.dir\n  size: 0\n  nfiles: 2\n  path: b\ndesc: text\nmeta: {x: 1}\nfrozen: true\n",
        c_dot_dvc="wdir: sub\nouts:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  isexec: true\n  path: ../c\n  desc: d\n  remote: r\n  push: false\n  cache: false\n  persist: true\n  type: t\n  labels: [x]\n",
        d_dot_dvc="outs:\n- path: d\n",
        e_dot_dvc="md5: abc123\nouts:\n- md5: ''\n  path: e\ndeps:\n- path: local.txt\n  md5: d41d8cd98f00b204e9800998ecf8427e\n",
    ),
    "data without outs": case("", a_dot_dvc="outs:\n"),
    "data is empty": case("", a_dot_dvc=""),
    "data with a command": case("", a_dot_dvc="cmd: x\nouts:\n- path: a\n"),
    "data with an unknown field": case("", a_dot_dvc="outs:\n- path: a\n  md6: x\n"),
    "data without a path": case("", a_dot_dvc="outs:\n- md5: abc123\n"),
    "data twice": case("", a_dot_dvc="outs:\n- path: a\n- path: a\n"),
    # YAML
    "numbers": case(
        stage("cmd: x"),
        "a: 012\nb: 0o14\nc: 0x1F\nd: 0b11\ne: 1_000\nf: 1e3\ng: 1.\nh: .5\ni: .inf\nj: -.INF\nk: .nan\nl: +1\nm: -0\nn: 1e+3\no: 0o8\np: 08\nq: 1.2.3\nr: 12e03\ns: 1E5\nt: 685_230.15\n",
    ),
    "words": case(
        stage("cmd: x\nparams:\n- params.yaml:\n"),
        "a: yes\nb: on\nc: off\nd: No\ne: y\nf: TRUE\ng: False\nh: ~\ni: Null\nj:\nk: nULL\nl: 'true'\nm: tRue\n",
    ),
    "numbers in params": case(
        stage("cmd: x\nparams:\n- params.yaml:\n"),
        "a: 012\nb: 0o14\nc: 0x1F\nd: 0b11\ne: 1_000\nf: 1e3\ng: 1.\nh: .5\ni: .inf\nj: -.INF\nk: .nan\nl: +1\nm: -0\nn: 1e+3\no: 0o8\np: 08\nq: 1.2.3\nr: 12e03\ns: 1E5\nt: 685_230.15\nu: 190:20:30\nv: -0x10\nw: 1e\nx: +.5e-3\n",
    ),
    "anchors": case(
        "vars: [{base: &b {x: 1, y: 2}, more: {<<: *b, y: 3}}]\n"
        + stage("cmd: echo ${base} ${more}")
    ),
    "anchored stages": case(
        "stages:\n  a: &a\n    cmd: echo a\n    deps: [x]\n  b:\n    <<: *a\n    cmd: echo b\n  c:\n    outs: [y]\n    <<: [*a]\n"
    ),
    "merge of several": case(
        "vars:\n- a: &a {k: 1, l: 1}\n- b: &b {k: 2, m: 2}\n- c: {<<: [*a, *b], n: 3}\n"
        + stage("cmd: echo ${c}")
    ),
    "key twice": case("stages:\n  a: {cmd: x}\n  a: {cmd: y}\n"),
    "key twice inside": case(stage("cmd: x\ncmd: y")),
    "key twice in params": case(stage("cmd: x"), "a: 1\na: 2\n"),
    "tagged": case(stage("cmd: !!str 12\ndesc: !!str true")),
    "python tag": case(stage("cmd: !!python/name:os.system x")),
    "python object": case("a: !!python/object/apply:os.system [ls]\n"),
    "own tag": case(stage("cmd: !mine x")),
    "two documents": case("stages: {}\n---\nstages: {}\n"),
    "document marks": case("---\nstages: {a: {cmd: x}}\n...\n"),
    "windows lines": case("stages:\r\n  a:\r\n    cmd: x\r\n    deps:\r\n    - y\r\n"),
    "byte order mark": case("\ufeffstages:\n  a:\n    cmd: x\n"),
    "tabs": case("stages:\n\ta:\n\t\tcmd: x\n"),
    "quotes": case(stage("cmd: \"tab\\there \\u00e9 \\x41\"\ndesc: 'it''s'")),
    "colon in a value": case(stage("cmd: echo a: b")),
    "url in a value": case(stage("cmd: curl http://x.y/z?a=b#c\ndesc: a #b\nmeta: {u: http://x}")),
    "conflict": case("<<<<<<< HEAD\nstages: {}\n=======\nstages: {}\n>>>>>>> x\n"),
    "control character": case("stages:\n  a: {cmd: 'x\x07'}\n"),
    # top level
    "top level": case(
        "params: [params.yaml]\nmetrics: [m.json, 'sub/${words[0]}.json']\nplots:\n- p.csv\n- q: {x: a, y: [b, c]}\n- r: {x: {f.csv: a}, y: {f.csv: [b], g.csv: c}, x_label: l, title: t, template: simple}\n- '${words[0]}':\nartifacts:\n  '${words[0]}': {path: '${words[1]}', type: model, desc: d, labels: [a], meta: {x: 1}}\n"
    ),
    "top level unknown": case("metrics: ['${gone}']\n"),
    "top level plots unknown": case("plots: [{'${gone}': {x: a}}]\n"),
    "datasets": case("datasets:\n- name: d\n  type: dvc\n  url: x\n" + stage("cmd: x")),
    "dataset dep": case(
        "datasets:\n- name: d\n  type: dvc\n  url: x\n" + stage("cmd: x\ndeps: ['ds://d']")
    ),
}

OURS_REFUSES = frozenset(
    {
        "options of a part",
        "options alone",
        "number as a command",
        "data twice",
    }
)
"""Cases that DVC reads without a word, and fails on when a stage runs or the graph is made."""
