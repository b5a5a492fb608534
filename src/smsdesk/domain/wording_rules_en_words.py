"""The parts that English wordings are made of."""

from smsdesk.domain.wording_rules import Notation

ENGLISH_WORDS = Notation(
    {
        "COURTESIES": r"""
        please|thanks|you|thank|very|much|so|ok|okay|hi|hey|hello|sorry|sir|maam|guys|yes|yeah|no|now|already|
            right now|immediately|asap|at once|just|good morning|good afternoon|good evening|again|seriously|and|
            for the last time|im serious|dear|omfg|pronto|today|anymore|with this|oh my god|all|everyone|team|be|
            bro|dude|lady|man|yo|um|uh|well|but|effective|right this minute|idiots|creeps|assholes|people|weirdos|
            jerks|losers|for real|fr|really|again
    """,
        "CEASE": r"""
        stop|quit|cease|discontinue|end|cancel|halt|terminate|disable|deactivate|turn off|knock it off|cut it out|
            unsubscribe( me| us)? from|enough|cease and desist|refrain from|get rid of
    """,
        "FILL": r"""
        ((the|these|those|this|that|all|any|your|of|with|more|future|further|sending|getting|receiving|me|us|my|
            such|other|damn|goddamn|fucking|stupid|annoying|promotional|marketing|automated|daily|constant|unwanted|
            spam|phone|text|texting|sms|already|a|bunch|lot|to|from|please|out|crap|anymore|subscription|im|
            i am) ){0,6}
    """,
        "SENT": r"""
        text|texting|sms|spam|notifications?|alerts?|reminders|promos?|promotions|offers|coupons|ads?|advertising|
            advertisements|marketing|links|blasts?
    """,
        "ME": r"""
        me|us|this (phone|cell|number|line|person)|my (\w+ )?(phone|cell|number|line)|here
    """,
        "MINE": r"""
        me|(my|this|our)( cell| mobile| phone| contact)?( number| name| cell| phone| info| information| line)?|this
    """,
        "LIST": r"""
        ((your|the|this|that|any|all|every|my|whatever|of|these|those|ur|a) ){0,3}((?!wait)\w+ )?(lists?|database|
            data base|system|contacts?|records|text|group|directory|distribution|program|everything)
    """,
        "LIST_ENDS": r"""
        (?= (please|now|immediately|asap|thanks|you|and|or|again|so|i|im|too|as|permanently|also|right|because|
            except|until)|$)
    """,
        "NO_MORE_ENDS": r"""
        (?= (please|thanks|from you|by text|to (me|this|my)|sent|here|at all|anymore|for me|you|or|and|today|
            tonight|until|im|i|ever)|$)
    """,
        "TO_ME": r"""
        ( to)? {ME}|( (please|thanks|you|now|already|again|anymore|ever|immediately|asap))*$
    """,
    }
)
