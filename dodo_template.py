"""Copy this file as ``dodo.py`` into the top folder of a project: then ``doit`` runs its stages.

    doit                       # what `exp repro` does
    doit -n 4 -P thread -k     # four stages at a time, and go on after a failure
    doit list --all --deps     # stages and what they read
    doit info STAGE            # would it run, and why
    doit OUT_FILE              # the stage that writes this file, and what it needs
    doit experiment            # what `exp run` does: run, then record an experiment

Tasks of your own may stand beside these, as in any ``dodo.py``.
"""

from redoit.dodo import Dodo

dodo = Dodo(__file__)

DOIT_CONFIG = dodo.config
task_stages = dodo.stages
task_experiment = dodo.experiment
