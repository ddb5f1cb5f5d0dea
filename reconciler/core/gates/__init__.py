"""Gates: what must be true before a rollout takes its next step. Nothing passes by default, and only proven harm undoes.

    gate = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99)))   `spec`: what is asked, how often, with which patience
    asked = questions(gate, scene, memory)                           `judging`: what the shell has to ask, through ports
    verdict, memory = judge(gate, scene, memory, answers)            a `Verdict`: pass, wait or fail, and why
    consequence(gate, verdict, since, now)                           go, stay, pause, or harm

`Scene` is what a gate is told of its rollout, `Memory` what it keeps between looks (JSON values, stored with the rollout).
Each kind of gate has a module of its own.
"""
