"""The record of the imitated API agrees with itself."""

import json

from smsdesk import contract


def test_every_refusal_of_the_examples_has_its_reason() -> None:
    refusals = [example for example in contract.examples() if example.status != 200]
    assert len(refusals) == 12
    for example in refusals:
        error = contract.errors()[example.name]
        assert json.loads(example.response) == {"message": error.message}
        assert (error.status, error.origin, error.page) == (400, "page", "apps-api-sms")


def test_a_sentence_of_ours_names_no_page_and_theirs_does() -> None:
    assert len(contract.errors()) > 12
    for error in contract.errors().values():
        assert bool(error.page) == (error.origin == "page")


def test_the_reasons_are_in_the_order_of_the_checks() -> None:
    shown = [example.name for example in contract.examples() if example.status != 200]
    assert [reason for reason in contract.errors() if reason in shown] == shown


def test_every_word_of_the_examples_is_in_the_lists() -> None:
    words = {name: {word.value for word in values} for name, values in contract.statuses().items()}
    for example in contract.examples():
        if example.status == 200:
            chat = json.loads(example.response)
            assert chat["status"] in words["chat_status"]
            assert chat["chat_type"] in words["chat_type"]
            assert chat["disconnected_by"] in words["disconnected_by"]
            assert chat["answer_type"] in words["answer_type"]
            for person in chat["participants"]:
                assert person["type"] in words["participant_type"]
                assert person["status"] in words["participant_status"]
                assert person["fail_reason"] in words["fail_reason"]
