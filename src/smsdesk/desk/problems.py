"""What went wrong, in the reader's language, and the status that goes with it."""

from smsdesk.desk.words import Words
from smsdesk.errors import Problem

STATUS = {"forbidden": 403, "not_found": 404, "sign_in_refused": 401, "overloaded": 503,
          "too_many_tries": 429, "second_factor_wrong": 401, "link_over": 404, "identity_refused": 401}  # fmt: skip
"""Others are 409 where something else came first, and 422 where what was asked for cannot be."""
FIRST = frozenset(
    ("chat_ended", "chat_status_wrong", "chat_taken", "offer_over", "transfer_open", "transfer_over",
     "answered_meanwhile", "agent_unavailable", "not_in_chat", "active_session")
)  # fmt: skip


def status_of(problem: Problem) -> int:
    """The HTTP status of a refusal."""
    return STATUS.get(problem.reason) or (409 if problem.reason in FIRST else 422)


def own_status(problem: Problem) -> int:
    """The same on a page of somebody who is signed in: there 401 means to a script that he is not any more."""
    status = status_of(problem)
    return 422 if status == 401 else status


def sentence(problem: Problem, words: Words) -> str:
    """What to tell a person: what was wrong, and what to do."""
    say = words.say
    known = {
        "forbidden": say("Your role does not allow this."),
        "not_found": say("There is no such thing here, or it is not yours to see."),
        "agent_unknown": say("This person does not work here any more."),
        "chat_ended": say("This chat has ended."),
        "chat_status_wrong": say("This cannot be done with the chat as it is now."),
        "chat_taken": say("Somebody else was first: the chat is taken."),
        "offer_over": say("The offer is over: somebody else has the chat, or its time has run out."),
        "transfer_open": say("The chat is on its way to somebody else."),
        "transfer_over": say("The transfer is over."),
        "agent_unavailable": say("This agent cannot take the chat now: he is away or has all the chats he may have."),
        "not_in_chat": say("This chat is not yours."),
        "answered_meanwhile": say("The chat was answered while you wrote. Read the new answer, then send again."),
        "active_session": say("There is an open chat with this consumer already."),
        "message_too_long": say("The text is too long: at most 10 parts can be sent."),
        "message_missing": say("Write something first."),
        "end_user_opted_out": say("This person has opted out of texts from us. Nothing may be sent."),
        "end_user_blocked": say("This number is blocked. Nothing is sent to it."),
        "consent_in_doubt": say("It is not clear whether this person still wants our texts. Decide that first."),
        "outbound_number_unknown": say("The number that this chat came to is not ours any more."),
        "sms_disabled": say("Texting is switched off."),
        "outbound_sms_disabled": say("Starting conversations is switched off."),
        "end_user_number_missing": say("Whom is it for? Type a phone number."),
        "end_user_number_invalid": say("This is no phone number."),
        "non_us_number": say("Numbers of this country may not be texted."),
        "sign_in_refused": say("The address or the password is wrong."),
        "too_many_tries": say("Too many failed tries. Wait, then try again."),
        "second_factor_wrong": say("The code is wrong, too old, or was used already. Type the one that is shown now."),
        "link_over": say("This link is over: it was used already, or is too old. Ask for a new one."),
        "password_unfit": say(
            "This password cannot be used: take 8 characters or more, and something other than your e-mail address."
        ),
        "identity_refused": say("The sign-in at your company did not work. Try again, or ask your administrator."),
        "not_doubtful": say("It is known by now what became of this text."),
        "overloaded": say("The database is away or busy. Nothing was lost: try again in a moment."),
    }
    return known.get(problem.reason) or problem.detail or problem.reason.replace("_", " ")
