"""The shards of all workers make up the batches of one, and each reads only its own images."""

import numpy as np
import pytest

from data.color.lab import join_lab
from data.input.batches import training_batches, validation_batches
from data.input.input_shard import InputShard
from tests.data.input.images import (
    colors_of,
    loader_of,
    stream,
    write_broken,
    write_noise,
    write_solid,
)


@pytest.mark.parametrize(
    ("workers", "replicas"),
    [(1, 2), (2, 4), *(pytest.param(each, each, marks=pytest.mark.slow) for each in (2, 3))],
)
def test_shards_of_all_workers_make_up_the_whole_batches(tmp_path, workers, replicas):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    whole = stream(loader, 3, batch_size=12, start=12).reshape(3, 12, 8, 8, 3)
    rows = []
    for worker in range(workers):
        shard = InputShard(worker, workers, replicas)
        # One batch for each of the worker's replicas.
        batches = 3 * replicas // workers
        part = stream(loader, batches, batch_size=12, start=12, shard=shard)
        rows.append(part.reshape(3, 12 // workers, 8, 8, 3))
    np.testing.assert_array_equal(np.concatenate(rows, axis=1), whole)


def test_worker_reads_only_its_own_images(tmp_path, monkeypatch):
    loader = loader_of(write_noise(tmp_path, count=40), tmp_path)
    read, load = set(), loader.load
    monkeypatch.setattr(loader, "load", lambda number: (read.add(number), load(number))[1])
    per_worker = []
    for worker in range(2):
        read.clear()
        # One epoch.
        for _ in training_batches(loader, 8, 4, seed=0, shard=InputShard(worker, 2, 2)).take(10):
            pass
        per_worker.append(set(read))
    # Images of the next epoch are read ahead, in which a worker may have any image.
    assert 20 <= len(per_worker[0]) < 40
    assert per_worker[0] | per_worker[1] == set(range(40))


@pytest.mark.parametrize("replicas", [6, pytest.param(3, marks=pytest.mark.slow)])
def test_validation_shards_contain_each_image_once(tmp_path, replicas):
    loader = loader_of(write_solid(tmp_path) + write_broken(tmp_path, 1), tmp_path)
    shown = []
    for worker in range(3):
        batches = list(validation_batches(loader, 8, 6, shard=InputShard(worker, 3, replicas)))
        assert all(len(lightness) <= 6 // replicas for lightness, _ in batches)
        shown += [each for batch in batches for each in colors_of(join_lab(*batch))]
    assert sorted(shown) == list(range(6))
