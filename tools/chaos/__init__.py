"""Kills and pauses parts of GoTask at random while jobs run, and then checks what became of every job.

``python -m tools.chaos`` is the run. :mod:`~tools.chaos.faults` draws what is done to whom, :mod:`~tools.chaos.orders`
which jobs are submitted and what each is promised, both from one seed; :mod:`~tools.chaos.fleet` starts the processes;
:mod:`~tools.chaos.verdict` compares what became of the jobs with what they were promised.
"""
