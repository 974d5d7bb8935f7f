"""Keeping a long-running instance small: the past no live token needs is remembered as counts and dropped from the tree.

What is needed of the past: the parent of every token (its data is what the token inherits), the nodes at which live tokens parted (a
join compares with the data held there), and the split a boundary event belongs to. So that a dossier can be sent back, each step it can
be sent back to stays with what it inherited, in the latest round, and the most recent tasks stay whatever they are. Tasks whose parent
went hang below the nearest one that stayed, and are marked as cut.

Every completion loads and stores what is held, so a loop is pruned by what it repeats: its hundredth round costs what its tenth did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.process import returning
from engine.process.interpreter import Instance
from engine.process.past import edges, nodes
from engine.process.program import Program
from engine.process.sleeping import done
from engine.process.spiff import LIVE, BoundaryEventJoin, BoundaryEventSplit, TaskState, consumed_by, is_join, token_passed

ABOVE = 200
REPEATED = 60
RECENT = 40
STEPS = 30


def prune(instance: Instance, program: Program, above: int = ABOVE, recent: int = RECENT) -> bool:
    """Drop what is not needed of *instance* when it holds more than *above* tasks or repeats of nodes; return whether anything went.

    What was done and walked there stays in ``history``, so the picture on the diagram does not change. The latest 30 steps the dossier
    can be sent back to stay open to it, however long ago they were done.
    """
    flows = [instance, *instance.subprocesses.values()]
    if sum(len(flow.tasks) for flow in flows) <= above and sum(map(_repeats, flows)) <= min(above, REPEATED):
        return False
    steps = _offered(instance)
    went = [_prune_flow(instance, flow, program, recent, steps) for flow in flows if not flow.completed]
    return any(went)


def _repeats(flow: Any) -> int:
    """Return how many tasks of *flow* were done again since; the instances of a repeated node are none, they belong together."""
    if len(flow.tasks) <= REPEATED:
        return 0
    names = done(flow)
    again = len(names) - len(set(names))
    return again if again <= REPEATED else sum(not name.endswith(" [child]") for name in names) - len(set(names))


def _offered(instance: Instance) -> set[int]:
    """Return the tasks without which a step is not offered for sending back any more: the step, and what it inherits from."""
    latest: dict[str, Any] = {}
    for task in returning.targets(instance):
        latest.setdefault(task.task_spec.name, task)
    keep = set()
    for task in list(latest.values())[:STEPS]:
        keep |= {task.id, task.parent.id}
        if isinstance(task.parent.task_spec, BoundaryEventSplit):
            keep.add(task.parent.parent.id)
    return keep


def _tokens(flow: Any) -> list[Any]:
    """Return the live tasks, and the tokens that wait at a join although the library calls them cancelled."""
    consumed = consumed_by(flow.tasks.values())
    return [
        task
        for task in flow.tasks.values()
        if task.has_state(LIVE)
        or (
            task.state == TaskState.CANCELLED
            and is_join(task.task_spec)
            and token_passed(task)
            and (task.task_spec.name, task.parent.id) not in consumed
        )
    ]


def _above(task: Any) -> Iterator[Any]:
    while task.parent is not None:
        task = task.parent
        yield task


def _needed(flow: Any, tokens: list[Any], recent: int, steps: set[int]) -> set[int]:
    root = flow.task_tree
    keep = {root.id, *steps.intersection(flow.tasks)}
    parted: dict[int, set[int]] = {}
    for token in tokens:
        keep.update(task.id for task in token)
        below = token
        for task in _above(token):
            seen = parted.setdefault(task.id, set())
            fresh = not seen
            seen.add(below.id)
            if not fresh:
                break  # the way from here to the root was walked before
            below = task
        if token.parent is not None:
            keep.add(token.parent.id)
        if isinstance(token.task_spec, BoundaryEventJoin):
            split = token.find_ancestor(token.task_spec.split_task)
            keep.add((split or root).id)
    keep.update(task for task, ways in parted.items() if len(ways) > 1)
    finished = [task for task in flow.tasks.values() if task.has_state(TaskState.FINISHED_MASK)]
    finished.sort(key=lambda task: task.last_state_change, reverse=True)
    keep.update(task.id for task in finished[:recent])
    return _with_boundaries(flow, keep)


def _with_boundaries(flow: Any, keep: set[int]) -> set[int]:
    """A step, its boundary events and their split stay or go together."""
    for task in list(flow.tasks.values()):
        if isinstance(task.task_spec, BoundaryEventSplit) and (task.id in keep or any(child.id in keep for child in task.children)):
            keep.add(task.id)
            keep.update(child.id for child in task.children)
    return keep


def _prune_flow(instance: Instance, flow: Any, program: Program, recent: int, steps: set[int]) -> bool:
    tokens = _tokens(flow)
    if not tokens:
        return False
    keep = _needed(flow, tokens, recent, steps)
    gone = [task for task in flow.tasks.values() if task.id not in keep]
    if not gone:
        return False
    _remember(instance, flow, program, {task.id for task in gone})
    nearest: dict[int, int] = {}
    for task in flow.tasks.values():  # parents come before their children
        if task.parent is not None:
            parent = task._parent
            nearest[task.id] = nearest[parent] if parent not in keep else parent
    for task in gone:
        _forget(instance, task, program)
    for task in flow.tasks.values():
        task._children = []
    for task in flow.tasks.values():
        if task._parent is None:
            continue
        if task._parent != nearest[task.id]:
            task._parent = nearest[task.id]
            task.internal_data["cut"] = True
        flow.tasks[task._parent]._children.append(task.id)
        if "joined" in task.internal_data:
            task.internal_data["joined"] = [_kept(tip, keep, nearest) for tip in task.internal_data["joined"]]
    if flow.last_task is not None and flow.last_task.id not in flow.tasks:
        flow.last_task = flow.task_tree
    return True


def _kept(tip: int, keep: set[int], nearest: dict[int, int]) -> int:
    """Return the task that now stands for the tip of a joined branch."""
    return tip if tip in keep else nearest.get(tip, tip)


def _remember(instance: Instance, flow: Any, program: Program, gone: set[int]) -> None:
    done, walked = instance.history["nodes"], instance.history["flows"]
    for node in nodes(flow, gone):
        done[node] = done.get(node, 0) + 1
    # Every flow walked so far: the one that leads into what stays loses its source with the past.
    for ends in edges(flow):
        for name in program.flows.get(ends, ()):
            walked.setdefault(name, 1)


def _forget(instance: Instance, task: Any, program: Program) -> None:
    inner = instance.subprocesses.pop(task.id, None)
    if inner is not None:
        _remember(instance, inner, program, set(inner.tasks))
        for one in list(inner.tasks.values()):
            _forget(instance, one, program)
    task.workflow.tasks.pop(task.id, None)
    task.workflow.standing.pop(task.id, None)
