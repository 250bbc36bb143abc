"""The lists of states, channels and actions in Python are those that the database enforces."""

import re

import pytest

from hoa_ops.delivery.actions import Action
from hoa_ops.delivery.message_state import UNFINISHED, Channel, MessageState


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("outbox_state_check", MessageState),
        ("outbox_channel_check", Channel),
        ("outbox_actions_action_check", Action),
    ],
)
def test_values_are_those_that_the_table_allows(database, constraint, values):
    rule = database.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", constraint)
    assert set(re.findall(r"'(\w+)'", rule)) == {value.value for value in values}


def test_the_index_of_unfinished_messages_has_all_of_them(database):
    rule = database.value(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'outbox_unfinished'::regclass"
    )
    assert set(re.findall(r"'(\w+)'", rule)) == {state.value for state in UNFINISHED}


def test_message_is_in_progress_finished_or_for_a_person():
    assert [state for state in MessageState if state.needs_person] == ["uncertain", "failed"]
    assert [state for state in MessageState if state.is_finished] == ["sent", "obsolete", "suppressed", "canceled"]
    assert set(UNFINISHED) == {"pending", "sending", "uncertain", "failed"}


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("state", MessageState)
def test_every_state_has_words_for_pages_and_reports(state, channel):
    assert state.label(channel)
    assert re.match("(no )?(notification|letter)", state.outcome(channel))
