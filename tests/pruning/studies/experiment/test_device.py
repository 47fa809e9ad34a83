import pytest

from pruning.studies.experiment.device import device_name


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("tpu", "device must be cpu, cuda, or one GPU, for example cuda:1; got 'tpu'"),
        ("cuda:x", "got 'cuda:x'"),
        ("cuda:999", "device 'cuda:999' not found: torch finds"),
    ],
)
def test_a_wrong_device_is_refused(device, message):
    with pytest.raises(ValueError, match=message):
        device_name(device)


def test_the_processor_needs_no_gpu():
    assert device_name("cpu") == "cpu"
