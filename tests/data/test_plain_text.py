from posttrain.data.dataset import from_rows
from posttrain.data.notices import Notices
from posttrain.data.plain_text import TEXT, note_plain_text


def test_prompts_in_plain_text_are_counted():
    rows = [{"prompt": [{"role": "user", "content": "a"}], "completion": "b"}, {"prompt": "a", "completion": "b"}]
    notices = Notices()
    note_plain_text(from_rows([*rows, {"text": "a"}], "demonstrations"), notices)
    assert notices.lines() == [f"{TEXT} (1 row, the first row 1)"]
