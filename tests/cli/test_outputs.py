"""What commands write: whole files or none, also where nobody reads what is printed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import run

from geomrelu import InputError, replacing
from geomrelu.certificates.files import save
from geomrelu.claims.report import write as write_report
from geomrelu.cli.main import main
from geomrelu.io.files import parent_of, writable, write

MODEL = '{"layers": [{"weights": [[1, 0], [0, 1]], "bias": [0, 0]}, {"weights": [[1, 1], [1, -1]], "bias": [-3, 0]}]}'
ENDS = 300  # seconds: what takes longer hangs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.json").write_text(MODEL)
    return tmp_path


def unread(*arguments):
    """Run it with a reader that has gone away: exit code, standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "geomrelu", *arguments]
    try:
        found = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=ENDS, check=False)
    finally:
        os.close(writer)
    return found.returncode, found.stderr


def no_room(monkeypatch, *names):
    """From now on nothing more than a byte fits on the disk; or only into files with other names."""

    class Full(io.FileIO):
        def write(self, data):
            if names and not Path(self.name).name.startswith(names):
                return super().write(data)
            super().write(data[:1])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(replacing, "open", Full, raising=False)


def test_a_full_disk_costs_no_former_file(folder, capsys, monkeypatch):
    former = dict.fromkeys(("s.json", "s.npz", "x.svg", "r.csv", "c.json", "g.graphml", "f.png", "d.ine"), "former")
    for name, text in former.items():
        (folder / name).write_text(text)
    (folder / "box.json").write_text('{"box": [[0, 1], [0, 1]]}')
    no_room(monkeypatch)
    for command in (
        "prune m.json --domain box:0,1 -o s.json",
        "prune m.json --domain box:0,1 -o s.npz",
        "plot complex m.json -o x.svg",
        "decide m.json --domain box:0,1 --ranges r.csv",
        "convert m.json -o c.json",
        "convert box.json -o d.ine",
        "regions m.json --graph g.graphml",
        "simulate safe-region -o f.png",
    ):
        code, _, err = run(capsys, *command.split())
        name = command.split()[-1]
        assert (code, err) == (2, f"geomrelu: error: {name}: No space left on device\n")
        assert (folder / name).read_text() == former[name]
    assert not list(folder.glob("*.part"))


def test_where_one_thing_cannot_be_written_the_others_are(folder, capsys, monkeypatch):
    (folder / "x.csv").write_text("0,0\n-1,-1\n")
    no_room(monkeypatch, "r.csv", "layer-1", "silent")
    said = "geomrelu: error: not all that is proved is saved; c/layer-1.json: No space left on device; r.csv: No space"
    on_domain = "decide m.json --domain box:0,1 --ranges r.csv --report page --certificates c"
    code, _, err = run(capsys, *on_domain.split())
    assert code == 2 and err.splitlines()[-1] == f"{said} left on device"
    assert (folder / "page" / "index.html").exists() and list((folder / "c").glob("ranges-*.json"))
    assert not (folder / "r.csv").exists() and not list(folder.rglob("*.part"))
    no_room(monkeypatch, "layer-")
    on_data = "decide m.json --data x.csv --report near --certificates d"
    code, _, err = run(capsys, *on_data.split())
    assert code == 2 and err.endswith(": No space left on device\n") and "error: d/" in err
    assert (folder / "near" / "index.html").exists()


def test_a_report_on_claims_is_whole_or_the_former_one(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("former")
    no_room(monkeypatch, "index.html")
    with pytest.raises(InputError, match=r"index\.html: No space left on device"):
        write_report(tmp_path, [], {})
    assert (tmp_path / "index.html").read_text() == "former" and (tmp_path / "results.json").exists()


def test_a_file_is_written_through_a_link_and_a_device_as_it_is(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"text"
    write(os.devnull, b"data")
    assert not Path(os.devnull).is_file()
    with pytest.raises(InputError, match="null"):
        write("a\0b", b"")


def test_a_file_stays_as_private_as_it_was_and_a_name_may_be_as_long_as_names_are(tmp_path):
    private, long = tmp_path / "private", tmp_path / ("ä" * 127 + ".")
    private.write_text("former")
    private.chmod(0o640)
    write(private, "new")
    write(long, "text")
    save(long, {})
    assert private.read_text() == "new" and private.stat().st_mode & 0o777 == 0o640
    assert long.read_text() == "{}" and len(list(tmp_path.iterdir())) == 2


def test_a_pipe_is_written_as_it_is_and_what_was_linked_stays_linked(tmp_path):
    script = "import sys; from geomrelu.io.files import write; from geomrelu.certificates.files import save\n"
    script += "write('/dev/stdout', 'one '); save('/dev/stdout', {}); write(sys.argv[1], 'two')"
    (tmp_path / "link").symlink_to("/dev/stdout")
    found = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "link"], capture_output=True, timeout=ENDS, check=True
    )
    assert found.stdout == b"one {}two" and (tmp_path / "link").is_symlink() and Path("/dev/stdout").is_symlink()
    (tmp_path / "other").symlink_to(tmp_path / "target.json")
    save(tmp_path / "other", {})
    assert (tmp_path / "other").is_symlink() and (tmp_path / "target.json").read_text() == "{}"


def test_a_file_whose_owner_would_change_is_written_in_its_place(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "theirs").write_text("former")
    number = (tmp_path / "theirs").stat().st_ino
    monkeypatch.setattr(os, "chown", refused)
    write(tmp_path / "theirs", "new")
    assert (tmp_path / "theirs").stat().st_ino == number and (tmp_path / "theirs").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_who_reads_while_others_write_sees_whole_files(tmp_path):
    """Also where the file is replaced between two looks at it."""
    path, broken = tmp_path / "f", []

    def others(letter):
        for _ in range(100):
            write(path, letter * 10_000)
            broken.extend(
                {text for text in [path.read_text()] if text not in (10_000 * "a", 10_000 * "b", 10_000 * "c")}
            )

    writing = [threading.Thread(target=others, args=(letter,)) for letter in "abc"]
    for thread in writing:
        thread.start()
    for thread in writing:
        thread.join()
    assert not broken and [p.name for p in tmp_path.iterdir()] == ["f"]


def test_ctrl_c_leaves_the_former_file(tmp_path):
    (tmp_path / "f").write_text("former")
    with pytest.raises(KeyboardInterrupt), replacing.replacing(tmp_path / "f") as stream:
        stream.write(b"half")
        raise KeyboardInterrupt
    assert (tmp_path / "f").read_text() == "former" and len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: this is a file, where a directory is to be written"):
        writable(tmp_path / "file")
    with pytest.raises(InputError, match="aaa: File name too long"):
        parent_of(tmp_path / ("a" * 256))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    assert parent_of(tmp_path / "file") == tmp_path  # the file itself can be
    with pytest.raises(InputError, match="other: this cannot be written"):
        parent_of(tmp_path / "other")
    with pytest.raises(InputError, match="nothing can be written to this directory"):
        writable(tmp_path)


def test_files_are_written_where_the_reader_has_gone_away(folder):
    assert unread("decide", "m.json", "--domain", "box:0,1", "--ranges", "r.csv", "--report", "page")[0] == 0
    assert (folder / "r.csv").read_text().startswith("layer,neuron,")
    assert (folder / "page" / "index.html").exists()
    assert unread("prune", "m.json", "--domain", "box:0,1", "-o", "s.json", "--report") == (0, "")
    assert (folder / "s.json").exists()


def test_nobody_reads_and_nothing_is_written(folder):
    for arguments in (["--version"], ["table", "formulas"], ["regions", "m.json", "--signs"]):
        assert unread(*arguments) == (0, "")


def test_standard_output_is_closed(folder, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    for arguments in (["--version"], ["decide", "m.json", "--domain", "box:0,1"]):
        assert main(arguments) == 0


def full(*arguments, **streams):
    """Run it where nothing fits into its standard output: exit code, standard error."""
    command = [sys.executable, "-m", "geomrelu", *arguments]
    with open("/dev/full", "wb") as room:
        streams = {name: room if stream is None else stream for name, stream in streams.items()}
        found = subprocess.run(command, **streams, text=True, timeout=ENDS, check=False)
    return found.returncode, found.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_is_full(folder):
    for arguments in (["--version"], ["decide", "m.json", "--domain", "box:0,1"]):
        found = full(*arguments, stdout=None, stderr=subprocess.PIPE)
        assert found == (2, "geomrelu: error: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_files_are_written_where_standard_output_is_full(folder):
    told = "geomrelu: error: No space left on device\n"
    page = f"geomrelu: the page is page/index.html\n{told}"
    for arguments, said, written in (
        ("decide m.json --domain box:0,1 --ranges r.csv --report page --certificates c", page, "r.csv page/index.html"),
        ("regions m.json --signs --graph g.graphml", told, "g.graphml"),
        ("prune m.json --domain box:0,1 -o s.json --report --certificate p.json", told, "s.json p.json"),
    ):
        assert full(*arguments.split(), stdout=None, stderr=subprocess.PIPE) == (2, said)
        assert all((folder / name).exists() for name in written.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_nobody_can_be_told(folder):
    """The exit code says it all the same: not 1, which is a certificate that was rejected."""
    for arguments in (["decide", "absent.json", "--domain", "box:0,1"], ["simulate", "nothing"], ["--nothing"]):
        assert full(*arguments, stdout=subprocess.DEVNULL, stderr=None)[0] == 2
    assert full("decide", "m.json", "--domain", "box:0,1", stdout=None, stderr=None)[0] == 2


def test_names_of_files_need_not_be_text(folder, capsys):
    name = os.fsdecode(b"m\xf6del.json")
    (folder / name).write_text(MODEL)
    assert run(capsys, "decide", name, "--domain", "box:0,1", "--report", "page")[0] == 0
    assert b"m\\udcf6del.json" in (folder / "page" / "index.html").read_bytes()


def test_a_certificate_that_does_not_fit_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "layer-1.json"
    save(path, {"former": 1})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"layer-1\.json: No space left on device$"):
        save(path, {"new": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["layer-1.json"] and "former" in path.read_text()
    (tmp_path / "layer-2.json").mkdir()
    with pytest.raises(InputError, match=r"layer-2\.json: Is a directory$"):
        save(tmp_path / "layer-2.json", {})
