"""Each way to break the contract with the last release is found, and nothing else is taken for one."""

from pathlib import Path

import pytest

from tools.compatibility import breaks, descriptors

RELEASED = """syntax = "proto3";
package gotask.v1;
message Job {
  reserved 4 to 6, 9;
  reserved "old";
  string id = 1;
  int32 attempt = 2;
  repeated string tags = 3;
  optional string key = 7;
  oneof end { string result = 8; }
  State state = 10;
  message Note { string text = 1; }
  enum Color { COLOR_UNSPECIFIED = 0; }
}
enum State {
  reserved 5;
  STATE_UNSPECIFIED = 0;
  STATE_PENDING = 1;
}
service Jobs {
  rpc Get(Job) returns (Job);
  rpc Watch(Job) returns (stream Job);
}
"""


def changed(folder: Path, old: str, new: str) -> list[str]:
    """What breaks when *old* becomes *new* in what was released."""
    assert RELEASED.count(old) == 1
    found = []
    for name, text in {"released": RELEASED, "today": RELEASED.replace(old, new)}.items():
        (folder / name).mkdir()
        (folder / name / "job.proto").write_text(text)
        found.append(descriptors(folder / name))
    return breaks(*found)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  int32 attempt = 2;\n", "", ".Job.attempt = 2 is gone"),
        ("attempt = 2", "attempt = 20", ".Job.attempt had the number 2 and has 20"),
        ("attempt = 2", "tries = 2", ".Job.attempt = 2 is called tries now"),
        ("int32 attempt", "string attempt", ".Job.attempt = 2 was int32 and is string"),
        ("State state", "Job state", ".Job.state = 10 was .gotask.v1.State and is .gotask.v1.Job"),
        ("repeated string tags", "string tags", ".Job.tags = 3 was repeated and is without presence"),
        ("optional string key", "string key", ".Job.key = 7 was optional and is without presence"),
        ("oneof end { string result = 8; }", "string result = 8;", ".Job.result = 8 was in end and is in none"),
        ("reserved 4 to 6, 9", "reserved 4 to 6", ".Job: the number 9 is reserved no more"),
        ("reserved 4 to 6, 9", "reserved 5, 6, 9", ".Job: the number 4 is reserved no more"),
        ('  reserved "old";\n', "", ".Job: the name old is reserved no more"),
        ("message Note { string text = 1; }", "", "message gotask.v1.Job.Note is gone"),
        ("enum Color { COLOR_UNSPECIFIED = 0; }", "", "enum gotask.v1.Job.Color is gone"),
        ("  STATE_PENDING = 1;\n", "", ".State.STATE_PENDING = 1 is gone"),
        ("STATE_PENDING = 1", "STATE_READY = 1", ".State.STATE_PENDING = 1 is called STATE_READY now"),
        ("  reserved 5;\n", "", ".State: the number 5 is reserved no more"),
        ("  rpc Get(Job) returns (Job);\n", "", ".Jobs.Get is gone"),
        ("Get(Job)", "Get(Job.Note)", ".Jobs.Get takes or gives another message"),
        ("(stream Job)", "(Job)", ".Jobs.Watch streams otherwise"),
        ("package gotask.v1", "package gotask.v2", "service gotask.v1.Jobs is gone"),
    ],
)
def test_a_break_is_found(tmp_path: Path, old: str, new: str, found: str) -> None:
    assert any(text.endswith(found) for text in changed(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("string id = 1;", "string id = 1;\n  bytes trace = 11;"),
        ("STATE_PENDING = 1;", "STATE_PENDING = 1;\n  STATE_RUNNING = 2;"),
        ("rpc Get", "rpc Put(Job) returns (Job);\n  rpc Get"),
        ("enum State", "message Other { string id = 1; }\nenum State"),
        ("string result = 8;", "string result = 8; string error = 12;"),
        ("reserved 4 to 6, 9", "reserved 4 to 6, 9 to 9, 30"),
    ],
)
def test_what_only_adds_breaks_nothing(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path, old, new) == []
