"""English wordings that may mean a revocation: a wrong number, a complaint, a threat, "not interested"."""

from smsdesk.domain.wording_rules import Verdict
from smsdesk.domain.wording_rules_en_words import ENGLISH_WORDS as _EN

UNCLEAR = (
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "a wrong number, or somebody else's now",
        r"""
        number was reassigned  no one with that name  who are you looking for  im not (that|the) person
        i am not (that|the) person  doesnt have this  no one here by  nobody here named  dont know that person
        (not|isnt) my name  this is his phone  im 1[0-7]
        wrong (number|person|phone)(?! of| on)
        (this is|got|have) (a |this )?new number
        (just got|had|got) this number( last| before|$)
        (this|that) (isnt|is not|aint) (him|her|me|(his|her|their) (number|phone)|\w+s (number|phone))
        no longer (has|have|uses?|his|her|belongs)
        doesnt have this (number|phone)
        belongs to (someone|somebody|a minor|another)
        (no one|nobody|noone)( is)?( here)? (by|of|named|with) (that|here|this)?
        (this is|its|this is a) (my |a )?(\w+ )?(kids?|childs?|sons?|daughters?|minors?) (phone|cell|number)
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "says that he is somebody else",
        r"""
        not me$  this isnt me
        im not (?!(robot|home|sure|able|well|interested|here|ready|done|available|happy|in)( |$))[a-z]+
        not (?!me|now|yet|sure|really|today|here|home|at|for|that|this|you|much|bad|so|long|a|the|too|enough|needed|
            interested|right|available|ready|able|possible|bad|good)[a-z]{3,}
        this isnt (?!right|working|good|fair|it|what|how|ok|okay|fun|funny|over)[a-z]+
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "speaks of a death",
        r"""
        (he|she|they|my \w+|the patient)( has| have| had)? (died|passed away|passed|is dead|is deceased)( (last|in|
            on|this) \w+)?
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "is a customer no more",
        r"""
        we closed our account  already bought one elsewhere  ill contact you if  nothing to do with (this|your)
        (no longer|not|arent|isnt) (a |your )?(customers?|clients?|patients?|
            members?)( of yours| anymore| there| here)*$
        no longer (a )?(customers?|patients?|clients?)
        dont (use your|have an account with)
        never (done business|had an account)
        (dont|no longer) need your services?
        went with (someone|somebody) else
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "lives there no more",
        r"""
        i moved away
        (i )?(no longer|dont) live (there|at that address)( anymore)?
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "is not interested",
        r"""
        no interest  dont want  no want  not needed
        ((im|i am|we are|were|shes|hes) )?(not|no longer) interested( in (your|this|these|any) ?\w*)?
        i? ?(dont|didnt) (want|need) (it|this|any|these|them|that)
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "calls it spam",
        r"""
        ((this|it|that) is |its |thats |more |your a |you are a )?(spam|junk|junk mail|scam|scammers?|unsolicited)
        (im |i |i am )?(reported|reporting|marked|marking)( (this|it|you|as|is|to|the|number)){0,4}( (spam|junk|
            7726|fcc))?
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "complains or threatens",
        r"""
        youre blocked  you are blocked  your blocked  reported (you|this|yall)  calling the (police|cops)
        against the law  see you in court  hear from my (lawyer|attorney)  my (lawyer|attorney) (will|is)
        do ?not call (list|registry)  dont call (list|registry)  (you are|youre|your) harassing
        (i|ill|i will|im|am|going to|gonna|to) (report|sue|block|reporting|blocking|suing|blocked) (you|this number|
            yall)
        (fcc|ftc|tcpa|attorney general|bbb)
        hearing from my (lawyer|attorney)
        (this is|its|is) (illegal|harassment)
        ill call (a|my) (lawyer|attorney)
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "complains or threatens",
        r"""
        harassment  blocked  blocking this number  blocking( you)?  illegal
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "says that he never asked for it",
        r"""
        (didnt|never|dont|did not) (\w+ )?(sign up|signed up|subscribe|subscribed|agree|agreed|request|requested|
            asked? for)( (for|to) (this|these|it|any|text|your).*)?$
        never (\w+ )?(gave|give|signed up|given)( you)?( my)?( number| permission| consent)?$
        didnt give (you|anyone) (my|permission)
        (didnt|never) (request|requested|ask for|asked for) (this|these|it)
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "asks how we know the number",
        r"""
        dont know who this is and
        (who|where|how)( did|d| do)? (you |u )?(gave|give|get|got|find|found)( you)? (this|my|ur) (number|cell|
            phone|info)
        why do you have (my|this) number
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "complains of the number of messages",
        r"""
        (too|so|to) many (\w+ )?text  (fewer|less) text  text (\w+ )?(less|fewer)  filling (up )?my (inbox|phone)
        text are (bothering|annoying)  with all the text  text me every  [0-9]+(st|nd|rd|th) text
        why (are|do|am|r|is|did|would) (you|i|u|we)( (?!not)\w+)? (texting|text|getting|receiving|get|
            keep)( (texting|getting|receiving|text|me|these|this|so|much|often|from|you|us|all))*$
        (text|texting)( me)? (too|so) (much|often)
        ^((this|it|these|your|that|text|all|is|are|its|getting|so|really|very|too|just) )+annoying$
        (chill|ease up|slow down|easy) (with|on) {FILL}{SENT}
        (once|twice) a (week|month|day) is enough
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "has had enough",
        r"""
        enough  enough is enough  stop it  stop that  knock it off  cut it out  ugh not again  not (you|this) again
        annoying  end it  end this  end  leave it( alone)?  dont  dont bother  bye  take a hint  give it a rest
        get a life  get a clue  bug off  rude  kick rocks  shut up  stfu  shut the fuck up  screw you  fuck you
        go to hell  eat shit  fuck yall  rudesign  nosign  (rudesign ?)+  (nosign ?)+  done with this
        nah im good leave it  bite me
        thats enough( text)?( for today)?
        im done( with (this|you|you people))?
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "speaks of calls or mail",
        r"""
        (stop|quit|cease|dont|no more|end)( the| all| these| ever| please)? (sending me )?(call|calling|calls|email|
            emailing|emails|mail|mailing|phoning|ringing)( (me|or|email|text|us|my|this|or|stuff|again|phone|number|
            please|anymore))*$
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "wants them otherwise",
        r"""
        only send  dont contact us  dont text$  just (the |send )?reminders  please stop the surveys
        email instead of texting
        only text (me |us )?(if|in|about|when|for)
        only text (during|between|before|after)
        dont text (before|after|at|while|during|on|until|in)
        (email|emails|mail|calls?) (me )?only
        (prefer|rather) (you )?(email|emails|phone calls?|calls?|call me|get emails?|be called|mail)
        (use|try) my (other|work|home|wifes|husbands|cell)( \w+)?
        (email|mail|call) (me )?instead
        text my (wife|husband|other|cell|work|daughter|son)( \w+)? instead
        (pause|snooze|hold off|mute)( \w+){0,3} (text|notifications|alerts|reminders)
    """,
    ),
    _EN.somewhere(
        Verdict.DOUBTFUL,
        "asks what STOP would do",
        r"""
        (if i|should i|do i|does|what if i|happens if i) (\w+ )?(text|reply|say|send|type|texted) stop
        (might|should|thinking about|thinking of|going to|maybe|may|gonna|about to) (\w+ )?(unsubscribe|
            unsubscribing|optout)
    """,
    ),
    _EN.exactly(
        Verdict.DOUBTFUL,
        "STOP beside another command",
        r"""
        (stop|unsubscribe) (help|info|start|yes|back|exit|[0-9]{1,2})
        (help|info|start|yes|back|exit|[0-9]{1,2}) (stop|unsubscribe)
    """,
    ),
    _EN.whole(
        Verdict.DOUBTFUL,
        "may mean the messages",
        r"""
        remove (it all|all|everything)  forget me  take us off  cancel my membership and text
        (please )?(cancel|end)( me| it| all| it all| everything| us)?
        (please )?(close|delete|cancel) my account
        delete (all )?my (data|information|info)
        delete everything you have on me
        remove my (info|name|information)
        remove (him|her|us)( from this)?
    """,
    ),
)
