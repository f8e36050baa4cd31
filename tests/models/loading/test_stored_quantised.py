"""Models that were saved or given with quantised weights are refused with a remedy."""

import json

import pytest

from posttrain.errors import ModelError
from posttrain.models.loading.given import Given, load_given
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.stored_quantised import named_as_quantised
from posttrain.models.loading.tiny import tiny_model

REFUSED = "its weights are quantised already.* use the model that it was made from.* model.quantize: nf4"


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq"])
def test_a_folder_of_quantised_weights_is_refused(tmp_path, method):
    save(*tiny_model(), tmp_path)
    file = tmp_path / "config.json"
    own = {"quant_method": method, "load_in_4bit": True, "bits": 4, "group_size": 64}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"quantization_config": own}))
    with pytest.raises(ModelError, match=REFUSED):
        load(str(tmp_path))


def test_a_model_that_was_loaded_in_4_bits_is_refused():
    network, tokenizer = tiny_model()
    network.trunk.is_quantized = True
    with pytest.raises(ModelError, match=REFUSED):
        load_given(Given(network.trunk, tokenizer), "mine", dtype=None, device="cpu")


def test_errors_of_other_models_stay_as_they_are():
    with pytest.raises(ImportError, match="x"), named_as_quantised("m", object()):
        raise ImportError("x")
