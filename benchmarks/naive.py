"""The cycle one would write first, on the same case: the library's own state with the specification in it, one statement after the other.

Lock and read the row, let the library rebuild the instance, complete, let it write everything again, keep state, task and journal line,
end the transaction. No rights, no deadlines, no chain of hashes. Prints how many tasks a second one process completes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TABLES = """
    create table naive_instance (id int primary key, state text not null, version int not null);
    create table naive_task (instance int, step text, closed_at timestamptz, answers jsonb);
    create table naive_journal (id bigint generated always as identity primary key, instance int, at timestamptz, step text)
"""


def executable(diagram: str) -> bytes:
    """Return the case's diagram with its conditions and deadline in the library's language, Python."""
    diagram = diagram.replace("t02.pages &gt; 500", "t02['pages'] &gt; 500").replace(
        't08.decision = "refuse"', "t08['decision'] == 'refuse'"
    )
    diagram = diagram.replace('duration("P30D")', '"P30D"').replace(
        '<bpmn:process id="check"', '<bpmn:process isExecutable="true" id="check"'
    )
    diagram = diagram.replace('isExecutable="false"', "")
    return re.sub(
        r"<bpmn:serviceTask (.*?)>.*?</bpmn:serviceTask>",
        r"<bpmn:scriptTask \1><bpmn:script>done = True</bpmn:script></bpmn:scriptTask>",
        diagram,
        flags=re.DOTALL,
    ).encode()


def measured(url: str, cases: int, answers: dict[str, Any]) -> float:
    """Measure in a process of its own, where nothing has changed the library; return tasks a second."""
    given = json.dumps([url, cases, answers])  # by way of the standard input: the address holds a password
    said = subprocess.run([sys.executable, __file__], input=given, stdout=subprocess.PIPE, check=True, text=True, timeout=600)
    return round(float(said.stdout), 1)


def main(url: str, cases: int, answers: dict[str, Any]) -> float:
    """Complete every case step by step."""
    import psycopg
    from SpiffWorkflow import TaskState
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.spiff.parser import SpiffBpmnParser
    from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG

    parser = SpiffBpmnParser()
    parser.add_bpmn_str(executable((Path(__file__).parent / "case" / "process.bpmn").read_text("utf-8")))
    specifications = parser.get_spec("case_flow"), parser.get_subprocess_specs("case_flow")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))
    times = []
    with psycopg.connect(url, autocommit=False) as connection:
        connection.execute(TABLES)
        for number in range(cases):
            case = BpmnWorkflow(*specifications)
            case.do_engine_steps()
            connection.execute("insert into naive_instance values (%s, %s, 1)", [number, serializer.serialize_json(case)])
        connection.commit()
        for number in range(cases):
            ended = False
            while not ended:
                begun = time.perf_counter()
                with connection.transaction():
                    found = connection.execute("select state, version from naive_instance where id = %s for update", [number]).fetchone()
                    assert found is not None
                    case = serializer.deserialize_json(found[0])
                    task = case.get_next_task(state=TaskState.READY, manual=True)
                    step = task.task_spec.name
                    task.data[step] = dict(answers)
                    task.run()
                    case.do_engine_steps()
                    ended = case.is_completed()
                    connection.execute(
                        "update naive_instance set state = %s, version = version + 1 where id = %s and version = %s",
                        [serializer.serialize_json(case), number, found[1]],
                    )
                    connection.execute("insert into naive_task values (%s, %s, now(), %s)", [number, step, json.dumps(answers)])
                    connection.execute("insert into naive_journal (instance, at, step) values (%s, now(), %s)", [number, step])
                times.append(time.perf_counter() - begun)
    return len(times) / sum(times)


if __name__ == "__main__":
    print(main(*json.load(sys.stdin)))
