"""Profiles, and mistakes with their places."""

import nandseqgen
import pytest
from conftest import command


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "device.yaml"
    path.write_text(command("profile", "show"))
    return path


def test_the_built_in_device():
    profile = nandseqgen.Profile.builtin()
    assert profile.path is None and profile.name
    assert {(problem.severity, problem.file, problem.line) for problem in profile.check()} == {("warning", "built-in profile", None)}
    assert (profile.dies, profile.planes) == (2, 4)
    assert "Block_Erase_TLC" in profile.ops and profile.text.startswith("#")
    assert repr(profile) == f"<nandseqgen.Profile {profile.name}>"


def test_a_profile_from_a_file_makes_the_same_runs(device):
    profile = nandseqgen.Profile.load(device)
    assert profile.path == str(device)
    (own,), (built_in,) = (nandseqgen.generate(of, ops=300) for of in (profile, None))
    assert [own.operations, own.end] == [built_in.operations, built_in.end]
    (by_path,) = nandseqgen.generate(device, ops=300)
    assert by_path.operations == own.operations and nandseqgen.verify(str(device), by_path).clean
    with pytest.raises(TypeError, match="`profile` is a Profile or a path, not int"):
        nandseqgen.generate(5)
    with pytest.raises(TypeError, match="`flags` is a list of words"):
        nandseqgen.generate(ops=300, flags="--closure")


def test_a_profile_is_what_it_was_when_it_was_read(device):
    profile = nandseqgen.Profile.load(device)
    device.write_text("nonsense: [")
    (run,) = nandseqgen.generate(profile, ops=300)
    assert run.operations >= 300


def test_every_mistake_has_its_place(device):
    text = device.read_text().replace("dies: 2", "dies: two", 1)
    assert "dies: two" in text
    device.write_text(text)
    line = text[: text.index("dies: two")].count("\n") + 1
    with pytest.raises(nandseqgen.ProfileError) as raised:
        nandseqgen.Profile.load(device)
    error = raised.value
    assert isinstance(error, ValueError) and isinstance(error, nandseqgen.Error)
    assert (error.file, error.line) == (str(device), line)
    assert error.column > 1 and error.exit_code == 2
    first = error.problems[0]
    assert (first.severity, first.line) == ("error", line) and first.code
    assert str(first).startswith(f"{device}:{line}:{error.column}: ")
    assert "dies: two" in str(error)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(nandseqgen.ProfileError, match="cannot read profile .*none.yaml.*: ") as raised:
        nandseqgen.Profile.load(tmp_path / "none.yaml")
    assert (raised.value.file, raised.value.line) == (str(tmp_path / "none.yaml"), None)


def test_warnings_about_a_profile_have_their_places(device):
    profile = nandseqgen.Profile.load(device)
    found = profile.check()
    assert found
    for problem in found:
        assert problem.severity in ("warning", "note") and problem.code
        assert problem.file == str(device)
    with pytest.warns(nandseqgen.ProblemWarning) as warned:
        list(nandseqgen.generate(profile, ops=10))
    shown = [one.message.problem for one in warned if one.message.problem.file == str(device)]
    assert shown == [problem for problem in found if problem.severity == "warning"][: len(shown)] and shown


def test_a_mistake_of_a_plan_has_its_place(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text("schema: 1\nmix: {REED: 10 %}\n")
    with pytest.raises(nandseqgen.ProfileError) as raised:
        nandseqgen.generate(plan=plan)
    assert (raised.value.file, raised.value.line) == (str(plan), 2)
