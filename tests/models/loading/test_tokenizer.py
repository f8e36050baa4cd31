"""A tokenizer and the configs, without weights, say what a loaded model says."""

import pytest

from posttrain.errors import ModelError
from posttrain.models.loading.load import load
from posttrain.models.loading.tokenizer import load_reader


@pytest.mark.parametrize("spec", ["tiny", pytest.param("smollm2", marks=pytest.mark.real)])
def test_a_reader_is_what_the_model_reads_with(spec):
    reader, loaded = load_reader(spec), load(spec)
    assert reader.context == loaded.network.context
    assert reader.stop == loaded.stop
    assert reader.tokenizer.get_vocab() == loaded.tokenizer.get_vocab()


def test_a_missing_model_is_an_error(tmp_path):
    with pytest.raises(ModelError):
        load_reader(str(tmp_path))
