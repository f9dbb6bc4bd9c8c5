import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from course_utils import checkpoints
from course_utils.checkpoints import CheckpointError

TREE = {
    "a": {"W": jnp.arange(6.0).reshape(2, 3)},
    "count": jnp.array(3),
    "rng": jax.random.key(7),
    "low": jnp.ones(2, jnp.bfloat16),
}


def test_round_trip_with_keys_and_half_precision(tmp_path):
    path = tmp_path / "deep" / "x.safetensors"
    checkpoints.save(path, TREE, {"steps": np.int64(3), "seed": jnp.int32(2), "clip": np.asarray(0.5)})
    tree, about = checkpoints.load(path, jax.tree.map(lambda a: a, TREE))
    assert about == {"steps": 3, "seed": 2, "clip": 0.5} == checkpoints.about(path)
    assert (tree["a"]["W"] == TREE["a"]["W"]).all()
    assert tree["count"].dtype == TREE["count"].dtype
    assert tree["low"].dtype == jnp.bfloat16
    assert jax.random.normal(tree["rng"]) == jax.random.normal(TREE["rng"])
    assert [file.name for file in path.parent.iterdir()] == ["x.safetensors"]


def test_what_a_description_cannot_hold_is_named_and_nothing_is_left(tmp_path):
    for value in (tmp_path, np.arange(2)):
        with pytest.raises(TypeError, match="A description holds text, numbers, lists and dicts, not "):
            checkpoints.save(tmp_path / "x.safetensors", TREE, {"where": value})
    assert not list(tmp_path.iterdir())


def test_a_key_keeps_its_kind(tmp_path):
    path, key = tmp_path / "x.safetensors", jax.random.key(7, impl="rbg")
    checkpoints.save(path, {"rng": key}, {})
    assert jax.random.normal(checkpoints.load(path, {"rng": key})[0]["rng"]) == jax.random.normal(key)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 400])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.safetensors is damaged"):
        checkpoints.load(path, TREE)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "x.safetensors"
    checkpoints.save(path, TREE, {})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.load(path, TREE)


def test_a_foreign_file_is_named(tmp_path):
    path = tmp_path / "theirs.safetensors"
    save_file({"w": jnp.ones(2).__array__()}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this course"):
        checkpoints.load(path, TREE)


def test_another_models_file_is_named_with_what_differs(tmp_path):
    path = tmp_path / "x.safetensors"
    checkpoints.save(path, TREE, {})
    with pytest.raises(CheckpointError, match=r"'a/W' has shape \(2, 3\) there, \(3, 3\) here"):
        checkpoints.load(path, {**TREE, "a": {"W": jnp.ones((3, 3))}})
    with pytest.raises(CheckpointError, match="lacks 'b'"):
        checkpoints.load(path, {**TREE, "b": jnp.ones(1)})
    with pytest.raises(CheckpointError, match="holds 'count'"):
        checkpoints.load(path, {k: v for k, v in TREE.items() if k != "count"})
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoints.load(tmp_path / "absent", TREE)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    checkpoints.save(path, TREE, {"version": 1})
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(path, TREE, {"version": 2})
    assert checkpoints.about(path) == {"version": 1}
    assert len(list(tmp_path.iterdir())) == 1
