"""Trees of arrays on disk, as safetensors: no code is ever loaded, and a file is whole or absent."""

import json
import os
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from .files import write
from .runtime import CourseError

FORMAT = "recurrence-to-attention/1"
ANEW = "Delete it; the model will be trained again."
Header = TypeVar("Header", bound=BaseModel)


class CheckpointError(CourseError):
    """A file that cannot be used as a checkpoint here; the message says why."""


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _named(tree: Any) -> dict[str, Any]:
    """The leaves of a tree by their path: `params/cell/W_h`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {"/".join(_step(part) for part in path): leaf for path, leaf in leaves}


def _step(part: Any) -> str:
    for attribute in ("key", "name", "idx"):
        if hasattr(part, attribute):
            return str(getattr(part, attribute))
    return str(part)


def _number(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray, jax.Array)) and value.ndim == 0:
        return value.item()
    raise TypeError(f"A description holds text, numbers, lists and dicts, not {value!r:.60}.")


def save(path: os.PathLike | str, tree: Any, about: dict[str, Any]) -> None:
    """Write a tree of arrays and a JSON-able description, whole or not at all."""
    arrays = {
        name: np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf, order="C")
        for name, leaf in _named(tree).items()
    }
    description = json.dumps(about, sort_keys=True, default=_number)
    write(path, to_bytes(arrays, {"format": FORMAT, "about": description}))


def about(path: os.PathLike | str) -> dict[str, Any]:
    """The description stored with a checkpoint, without reading its arrays."""
    return _read(path)[1]


def checked(path: os.PathLike | str, header: type[Header], description: Any) -> Header:
    """A description, or a part of one, in the fields and kinds that `header` names; `CheckpointError` says which is not."""
    try:
        return header.model_validate_json(json.dumps(description), strict=True)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"])) or "its description"
        raise CheckpointError(f"{path} is damaged: {field} is not what it should be ({wrong['msg']}). {ANEW}") from None


def require_rows(path: os.PathLike | str, name: str, shape: tuple[int, ...]) -> None:
    """The array `name` of a checkpoint must have the shape that the description says."""
    with safe_open(path, framework="numpy") as file:
        there = tuple(file.get_slice(name).get_shape()) if name in file.keys() else None  # noqa: SIM118
    if there != shape:
        found = "there are none" if there is None else f"they have shape {there}"
        raise CheckpointError(f"{path} is damaged: its description says {shape} {name}, and {found}. {ANEW}")


def load(path: os.PathLike | str, like: Any) -> tuple[Any, dict[str, Any]]:
    """The tree stored at `path`, in the structure, shapes and dtypes of `like`, and its description.

    Raises `CheckpointError` where the file is damaged, not one of ours, or made for another model; the
    message names the first array that does not fit.
    """
    arrays, description = _read(path, arrays=True)
    wanted = _named(like)
    missing, foreign = sorted(wanted.keys() - arrays.keys()), sorted(arrays.keys() - wanted.keys())
    if missing or foreign:
        found = f"it lacks {missing[0]!r}" if missing else f"it holds {foreign[0]!r}, which this model has not"
        raise CheckpointError(f"{path} was made by another model: {found}.")
    leaves = []
    for name, leaf in wanted.items():
        expected = jax.random.key_data(leaf) if _is_key(leaf) else leaf
        stored = arrays[name]
        if stored.shape != np.shape(expected):
            raise CheckpointError(
                f"{path} was made by another model: {name!r} has shape {stored.shape} there, {np.shape(expected)} here."
            )
        value = jnp.asarray(stored, jnp.asarray(expected).dtype)
        leaves.append(jax.random.wrap_key_data(value, impl=jax.random.key_impl(leaf)) if _is_key(leaf) else value)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(like), leaves), description


def _read(path: os.PathLike | str, arrays: bool = False) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is not a checkpoint of this course (its format is {metadata.get('format')!r}, "
                    f"expected {FORMAT!r})."
                )
            stored = {name: file.get_tensor(name) for name in file.keys()} if arrays else {}  # noqa: SIM118
            description = json.loads(metadata["about"])
            if not isinstance(description, dict):
                raise ValueError("its description is no dict")
            return stored, description
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint at {path}.") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from None
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged and cannot be read ({error}). {ANEW}") from error
