"""How people say in English that they want no more texts.

Sources: the words that the FCC calls clear in any case, and whatever else a reasonable person would take for a
revocation (47 CFR 64.1200(a)(10)); requests that operators of desks have made public.
"""

from smsdesk.domain.wording_rules import Language, Verdict
from smsdesk.domain.wording_rules_en_unclear import UNCLEAR
from smsdesk.domain.wording_rules_en_words import ENGLISH_WORDS as _EN

_CLEAR = (
    _EN.whole(
        Verdict.STOP,
        "a command word among courtesies",
        r"""
        (texting |text )?stop( stop)*  stop is stop  stop all  stop today  stop this  stop these  stop sending
        stop text  stop2end  quit  quit it  quit this  optout  unsubscribe  stop everything  revoke  stop means stop
        stop doing this  stop with it  stopall  stop whatever this is  remove  delete  opting out
        (this|it|these|they|that) (needs?|has|have|must|got) (to )?(to )?stop
        (can|could|will|would) (this|it|these) stop
        (how (can|do) i |please )?make (it|this|these|them) stop
        (i )?(want|need) (it|this|these|them) to stop
        how (do|can) i get (this|these|it|them) to stop
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "asks that the messages end",
        r"""
        make {FILL}{SENT} stop  stop blowing up {ME}  stop hitting (me|us) up  ^(text )?{SENT} off( please)?$
        zero {SENT}  nobody wants {FILL}{SENT}
        (?<!if i ){CEASE} {FILL}{SENT}(?! (so|too) (much|often|late|early))
        (stop|quit|cease) sending( me| us| to me)*( please| now| already| anymore)*$
        (stop|quit|cease) sending (me |us )?(this|these|it|shit|crap|stuff|to this|everything|anything|things|
            nonsense|junk|more|anymore)
        ^(please )?stop (this |it |now )*or (i|ill|im|we|else)
        ^stop (i said|this costs|it costs|i pay)
        wrong (number|person) (please )?(stop|remove|delete)
        turn (these|them|the|this|those|all|your|my)( \w+)?( {SENT})? off(?= please| for my|$)
        {SENT} (need|have|must|should|ought)( to| got to)? (stop|end|cease)
        (want|need|like) {FILL}{SENT} to (stop|end)
        stop (the|this|your) (harassment|harassing)
        (stop|discontinue|cease|end|no further|no more|no) (all |any |further )*(contact|communications?)( (with|
            to) (me|us|this number))?( please)?$
        when (will|do|are) {FILL}{SENT} (stop|end)
        (end|stop) it with {FILL}{SENT}
        (get|stay) (off|out)( of)? my (phone|text|inbox|cell|messages)
        (stop|no) solicit(ing|ation|ations|ors)?
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "asks not to be written to",
        r"""
        (leave|let) (me|us) be$  no need to text
        (stop|quit|cease|refrain from|enough|would you mind not|mind not) (\w+ )?(texting|contacting)(?! (so|too) )
        (stop|quit|cease|refrain from) (\w+ )?(writing|bothering|harassing|bugging|spamming|annoying|pestering|
            stalking|disturbing|reaching out|messing with|advertising){TO_ME}
        (?<!i )(?<!they )(?<!he )(?<!she )(?<!you )(?<!why )dont (ever |you ever |you dare |fucking )?(text|texting|
            contact|solicit){TO_ME}
        better not (text|contact|get another){TO_ME}
        (better not|dont let me|dont want to) (get|see|receive) another {SENT}
        (not|arent|isnt) (authorized|allowed|permitted) to (text|contact|call|use){TO_ME}
        forbid you (to|from) (text|texting|contact|contacting){TO_ME}
        dont use (my|this) number(?! for| to)
        (times|keep|kept|must i|have to)( \w+){0,4} (say|text|tell|telling|ask|reply)( you)?( to)? stop$
        (?<!i )(?<!they )(?<!you )dont (ever |fucking )?(bother|disturb|bug|harass|spam|write|
            reach out)( to)? {ME}(?! ring| if)
        never (ever |again )?(text|contact|bother|write){TO_ME}
        (?<!i )dont (ever )?send (me |us )?(\w+ )?{FILL}({SENT}|anything)(?! that| like| to my| until)
        (stop|quit|dont) (\w+ )?text(ing)? (me|us|this)
        (if|that) you stopped (texting|contacting)
        (you|guys|please) (\w+ )?(need to|have to|must|should|got to|gotta|better) stop$
        leave (me|us|my phone|this number)( \w+){0,3} alone
        (asked|told|telling|asking) you( guys)?( \w+)? to stop
        (put|add|mark) (me|us|this number|my number) .*?(dnc|do ?not|dont) ?(\w+)?
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "asks to be taken off the list",
        r"""
        (remove|delete|erase|take|drop|scratch|cross|pull|get|strike|scrub|exclude|leave|keep|
            count) {MINE}( \w+)? ?(off|from|out)( of)? {LIST}{LIST_ENDS}
        (remove|take|exclude|count|drop|delete) {MINE} (off|from|out)( of)? {FILL}{SENT}(?! (lesson|class))
        take {MINE} off( of)?( this| these| it| here)?( please)?$
        (get rid of|discard|ditch|deactivate|disable) (my|this) (\w+ )?number
        block my number from {FILL}{SENT}
        (remove|delete|erase) (me|my (\w+ )?(number|contact|contact \w+)|this (\w+ )?(number|contact))( \w+)?$
        (remove|delete|erase) (me|my (\w+ )?number|this number|my contact \w+) (and|immediately|now|please)
        (?<!to )(lose|loose|forget) (my|this) (\w+ )?number
        (?<!get )(off|out)( of)? {LIST}{LIST_ENDS}
        (i|want|like|need|asked|please|see that) ((?!get)\w+ ){0,3}(be|am|have my number|have me) (removed|
            taken off|unsubscribed|deleted|unenrolled)( now| please| asap)?( (from|off|of) {LIST})?$
        (be|been|get|am|have me|number) (removed|taken off|deleted) (from |of )?{LIST}
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "asks to be unsubscribed",
        r"""
        ^opted out$  my optout( request)?$  optout request
        unsubscribe(d me)?( (me|us|this|my|number|cell|phone|all|please|now|from|everything|these|those|them|here|
            your|the|any|list|lists|{SENT}|immediately|thanks|you|sir|asap|again|already))*$
        optout( (me|us|it|this number|my number|please|now|immediately|asap|all|again))*( (of|
            from) {FILL}({SENT}( only)?|all|everything|this|these|it|communications?|list))?( (please|now|again|
            thanks|you))*$
        (already|have|i) (opted out|unsubscribed)( (already|twice|before))*$
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "takes consent back",
        r"""
        ^no consent$
        (revoke|withdraw|rescind|cancel|retract|pull)(ing)?( all| any)?( of)? (my |all |any )?(prior )?(consent|
            permission|authorization)
        (consent|permission) (is |has been )?(revoked|withdrawn)
        (never|not|dont) (give |gave )?consent(ed)?( to (this|these|text.*|any.*))?$
        dont have my (consent|permission)
        dont have (any )?(permission|consent) to (contact|text)
        dont (consent|agree|give consent) to (any |these |your |receive |receiving |being |get )*(text|contacted|
            contact)
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "does not want the messages",
        r"""
        hear from you (again|anymore)  no (more|{SENT}) from you  dont wish to (receive|get)$
        (these|your) text unwanted  dont accept text
        (dont|no longer|do no|not|never) (want|wish|need|care|desire|like|accept)( to)?( ever)? (get|receive|
            receiving|getting|hear from|accept)?( from)? ?({FILL}{SENT}|(get|receive|receiving|getting) (these|this|
            those|them|anything|any)|from you|hear from)
        (dont|no longer|not)( \w+)? (want|wish|prefer|like)?( to)? ?be (contacted|text|texting|texted|messaged)
        (?<!have )(?<!got )no (more|further) {FILL}{SENT}{NO_MORE_ENDS}
        (rather|would) not (get|receive) {FILL}{SENT}
        not interested in (getting|receiving|your) {FILL}{SENT}
        dont (want|wish|need) {FILL}(communications?|contact)(?! lens)
        (want|appreciate) no more {SENT}
        prefer not to (be contacted|(get|receive) {FILL}{SENT})
        didnt ask for (these|your) text$
        id like to (stop|quit) (getting|receiving)
        (stop|quit) (getting|receiving) (these|this|them|those)
    """,
    ),
    _EN.whole(
        Verdict.STOP,
        "wants no messages",
        r"""
        no more  no more of (these|this)  dont disturb  dont disturb me  i am opting out  i want out
        (no|zero) {FILL}({SENT}|contact)
    """,
    ),
    _EN.whole(
        Verdict.STOP,
        "tells us to go",
        r"""
        fuck off  f off  eff off  piss off  bugger off  buzz off  sod off  screw off  gtfo  go away  get lost
        shove off  go the fuck away  leave
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "tells us to go",
        r"""
        (go away|fuck off|piss off|f off) and (stop|dont|leave)
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "says that STOP was said before",
        r"""
        (ive|i) said stop  i texted stop and
        i (already |have |have already |just |did )?(said|say|replied|texted|text|wrote|sent|typed|
            told you) (you )?stop( \w+)?( times)?$
        already (said|replied|texted|sent) stop
    """,
    ),
    _EN.somewhere(
        Verdict.STOP,
        "asks how to end it",
        r"""
        (how|what) (do|can|would|to) ?(i|you|we|u)? ?(need to do to |do to |have to do to |get you to )?(stop|end|
            turn off|get off|get out of|cancel|block) (this$|these$|this list|these list|{FILL}{SENT})
    """,
    ),
)

_NOT_MEANT = _EN.wordings(r"""
    (dont|not|never|didnt|cant|couldnt|doesnt|isnt|(?<!why )wont|without)( (want|wanna|trying|going|to|you|ever|
        please|mean|meaning|intend|wish|let|have|plan|need|be|get|been|u|guys|asking|just)){0,4} (stop|quit|cancel|
        end|unsubscribe|optout|remove|removed|delete|take|taken|erase|cease|discontinue|revoke|turn off|
        disable)( (texting|sending|me|off|my|number|from|the|this|these|text|out))*
    (did|have|had|has|are|were|when) (you|u|they|it|we)( (ever|guys|all|going|to|gonna|just))* (stop|quit|stopping|
        end|cancel)( (texting|sending|me|the|text|contacting|my|reminders))*
    (take|get|remove|put|keep) (\w+ ){1,3}(off |from |on )?(the |your |a |my )?wait(ing)? ?list
    (unsubscribe|optout)(d)?( \w+)? from (the |your |my )?(\w+ )?(box|emails?|newsletter|magazine)
    stop (by|in|over|at|for|off|on|payment|leak|sign|watch|light|motion|loss|work order)
    (bus|rest|pit|truck|next|last|first|door|full|non|one|whistle) stop
    (do|does|did|will) the (offers?|promos?|promotions?|deals?|coupons|sale) (end|stop)
    group (lesson|class|tour|rate)  no more than
    (did|was|were|why was|why were|have) (you|i|we)( (ever|just))? (unsubscribed?|removed?|deleted?)( \w+)*
    (let me|do i) turn off
    turn off( \w+)? (notifications|alerts|reminders) (for my (?!phone|number|cell)\w+|in the|on the|in my)
    text(ing)? (while|and) driv\w+  do not (knock|enter)
""")
"""Negations, questions of the past (`why did you stop texting me`), and the word stop for other things."""

_QUALIFIED = (
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but for a time only",
        r"""
        until  till  tonight  today  [0-9]{1,2} ?[ap]m  (so|too|this) (late|early)  at night  during
        when(ever)? (im|i am|you|i)  at work  vacation  next (week|month)  daytime  nights?
        for (now|a (while|bit|week|month|few|couple)|the (day|night|moment))
        this (week|weekend|month|evening)(?! please)
        (before|after|past|at) [0-9]{1,4}( ?[ap]m)?
        in the (morning|evening|middle of the night)
        on (the )?(weekends?|sundays?|saturdays?|holidays?|mondays?)
        while (im|i am|at|driving|he|she|we)
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but some messages are wanted",
        r"""
        except  only  just (the|send|keep)  unless  other than  keep (the|my|sending)
        but (keep|i (want|do want|still want|need)|not the|send|leave)
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but another number is named",
        r"""
        [0-9]{3} [0-9]{4} instead  instead use  (call me|just call)  ^call( instead)?$
        (use|try|text|message|contact) (my|his|her|the|him|it at|me at|me on)(?! (phone|number|again))
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but perhaps in jest",
        r"""
        haha  jk  just kidding  kidding  you goof
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but perhaps somebody else's words",
        r"""
        (he|she|they|friend|son|daughter|wife|husband|mom|boss|doctor|sister|brother)( (keeps|just|always|
            is))? (said|says|told|tells|telling|asked|screaming|saying)
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "clear, but only considered",
        r"""
        if i  should i  might  maybe  thinking (about|of)  do i (text|reply|send)  what happens  was going to
    """,
    ),
)

MISTAKE = _EN.wordings(r"""
    by (accident|mistake)  accident(al)?ly  accidental  unintentionally  didnt mean to  opt(ed)? back in
    resubscribe  resume
""")
"""Says that a command was no command: then nothing in the text is one."""

WANTED = _EN.wordings(r"""
    ^((please|just|you can|no) )*text(ing)? me( instead| please| back| anytime)?$
""")
"""Says that texts are welcome: then nothing in the rest is doubtful."""

ENGLISH = Language("en", _EN.courtesies, (*_CLEAR, *UNCLEAR), _NOT_MEANT, _QUALIFIED)
