from posttrain.search.prompts.planted import Planted, joined

TASK = Planted(("Think.", "Check.", "Be brief."))


def test_a_prompt_is_as_good_as_what_it_holds():
    assert TASK.scores("Think. Be brief.") == {0: 1.0, 1: 0.0, 2: 1.0}


def test_what_is_right_adds_one_sentence_and_in_the_end_nothing():
    prompt, seen = "Go.", []
    for seed in range(5):
        prompt = TASK.better(prompt, seed)
        seen.append(sum(TASK.scores(prompt).values()))
    assert seen == [1, 2, 3, 3, 3]
    assert len({TASK.better("Go.", seed) for seed in range(20)}) == 3


def test_what_is_wrong_is_no_better():
    for prompt in ("Go.", "Go. Think. Check."):
        before = sum(TASK.scores(prompt).values())
        assert all(sum(TASK.scores(p).values()) <= before for p in TASK.worse(prompt))
        assert prompt not in TASK.worse(prompt)
    assert "Go. Think." in TASK.worse("Go. Think. Check.")


def test_sentences_are_joined_by_a_space():
    assert joined(" a. ", "", "b.") == "a. b."
