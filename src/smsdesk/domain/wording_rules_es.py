"""How people say it in Spanish, as it is written on phones in the United States: without accents, `q` for que."""

from smsdesk.domain.wording_rules import Language, Notation, Verdict

_ES = Notation(
    {
        "COURTESIES": r"""
        porfavor|favor|gracias|muchas|hola|ya|buenos|buenas|dias|tardes|noches|senores?|senora|senorita|oigan|oiga|
            mil|si|no|ok|disculpe|perdon|amigos?|ahora|mismo|inmediatamente|please|de una vez|les pido que|
            le pido que|todo|sus|esto
    """,
        "SENT": r"""
        mensaje|sms|notificacion(es)?|publicidad|promocion(es)?|spam|anuncios?|alertas?|recordatorios?|ofertas?|msg|
            text|avisos? por mensaje
    """,
        "FILL": r"""
        ((los|las|el|la|de|con|mas|tantos|tantas|sus|estos|estas|esos|esas|mis|a|todos|todas|recibir|mandar|enviar|
            envio|mandarme|enviarme|me|cualquier|mandando|enviando|molestos|mi|suscripcion|publicidad|texto|
            por) ){0,5}
    """,
        "WRITE": r"""
        escrib\w+|mand(ar|arme|arnos|en|es|e|ando|andome|n)|envi(ar|arme|arnos|en|es|e|ando|andome)|contact(ar|arme|
            en|es|e|ando|arnos)|moles(tar|tarme|ten|te|tes|tando|tarnos)|text(ear|earme|een|ee|eando|eame|eeen)|
            chingar|joder|jodan|fregar|insistir|fastidiar|hablar
    """,
        "WRITE_ME": r"""
        escrib(a|an|as|ir)|mand(e|en|es|ar|n)|envi(e|en|es|ar)|contact(e|en|es|ar)|molest(e|en|es|ar)|texte(e|en|es|
            ar)|textee|jodan|chinguen|frieguen|fastidien|busquen
    """,
        "WHAT": r"""
        ( (nada|mas|ya|{FILL}{SENT}|otra vez|nunca|a este numero|este numero|aqui|esas cosas|de nuevo|porfavor|
            gracias))*$
    """,
        "OFF": r"""
        quit(e|en|enme|eme|ame|ar|arme|enos)|quitenmen|sac(ar|arme)|saqu(e|en|eme|enme)|sacame|borr(e|en|a|ar|eme|
            enme|ame|arme)|elimin(e|en|a|ar|eme|enme|ame|arme)|remuev(an|a|anme|ame)|remover(me)?|retir(en|e|ar|
            enme|eme|arme)
    """,
    }
)

_CLEAR = (
    _ES.whole(
        Verdict.STOP,
        "a command word among courtesies",
        r"""
        alto  parar  paren  pare  paren esto  detener  detengan?  detengan esto  baja  desuscribir  desuscribirme
        desuscrib[ae]n?me  desuscribeme  (stop ?)+  parenle con esto  detenganse  cancelar suscripcion  no mas
        ya no mas  nunca mas  cancelo  dar de baja  darse de baja  desuscripcion  anular suscripcion
        (sin|nada de) {FILL}{SENT}
        baja (de(l servicio de)?) mensaje
    """,
    ),
    _ES.exactly(
        Verdict.STOP,
        "a command word",
        r"""
        cancelar
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "asks that the messages end",
        r"""
        (ya )?estuvo {FILL}{SENT}  no mas {FILL}{SENT}  dejense de {SENT}  stop {FILL}{SENT}
        (par(e|en|ar|a|enle)|deten(er|ga|gan)|suspend(er|a|an)|cancel(ar|e|en|a|o)|alto|basta|cese|cesen|termin(e|
            en|ar)) (ya )?{FILL}{SENT}
        ^(ya )?basta (ya )?{FILL}{SENT}
        no (me )?(esten|este|sigan|siga) (mand|envi|escrib|molest|ching|jod|fastid)(ando|iendo)( {FILL}{SENT})?
        suscripcion (de|a) (los )?{SENT}
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "asks not to be written to",
        r"""
        no {WRITE_ME} (mas )?{SENT}  no molesten  no jodan  (dejeme|dejenme) tranquil[oa]
        (deje|dejen|deja|dejar|dejarian|dejaran|paren?|para|parar) (ya )?(de )?{WRITE}(?! correos?| cartas?)
        no (me|nos|le|les) {WRITE_ME}{WHAT}
        no (me|nos) (vuelva[ns]?|vuelvas) a {WRITE_ME}
        no (vuelva|vuelvan|vuelvas) a {WRITE}
        (nunca|jamas) (mas )?(me |nos )?(vuelvan? a )?{WRITE_ME}( mas)?$
        no (\w+ )?(m|me) (mandn|mande?n?) {FILL}{SENT}
        (^|ya |favor de |que |y )no {WRITE_ME}{WHAT}
        no (me|nos) {WRITE_ME}( mensaje)? (de noche|en la|en el|hasta|los|tan|muy|por ahora|hoy|mientras|cuando|
            a este)
        no (quiero|deseo) que (me|nos) {WRITE_ME}
        no (quiero que )?usen mi numero
        dejen de (chingar|joder|fregar)
        (deje|dejen|deja)(me|nme|nos)? en paz
        (dije|dijimos|pedi|pido|pedimos) que (ya )?(paren|no me|dejen)
        no (les |le )?(autorizo|doy permiso)( a)?( que me)? ?({WRITE}|{SENT})
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "asks to be taken off the list",
        r"""
        {OFF} (de )?((su|sus|la|esta|esa|este|todas|mi|las|tu) )+(\w+ )?(listas?|base|sistema|registros?|contactos?|
            agenda)(?! de espera)
        {OFF} (mi|este) numero(?! de (la )?espera)
        (pueden?|podrian?|favor de) (me )?{OFF} (de )?(la|su|esta) lista(?! de espera)
        (salgo|salirme|salir|quito) de (esta|su|la) lista(?! de espera)
    """,
    ),
    _ES.whole(
        Verdict.STOP,
        "asks to be taken off the list",
        r"""
        (quitenme|quiteme|quitame|borrenme|borreme|borrame|eliminenme|eliminame|elimineme|saquenme|sacame|saqueme|
            remuevanme|retirenme)
        quiero que me (borren|quiten|saquen|eliminen)
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "asks to be unsubscribed",
        r"""
        cancelar (mi )?suscripcion$
        (den?me|dame|darme|demen|me den|me doy|me quiero dar|me puede[ns]? dar|denos|dar|solicito la|
            quiero la) (de )?baja( (porfavor|de (su|la|esta|sus|los|estos) (lista|mensaje|base \w+ \w+)|este numero|
            mi numero|ya|gracias|inmediatamente|ahora))*$
        (desuscrib\w+|desinscrib\w+|desubscrib\w+)
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "takes consent back",
        r"""
        (revoco|retiro|cancelo|anulo) (mi|la|el|mis) (consentimiento|autorizacion|permiso)
        no doy (mi )?(consentimiento|permiso|autorizacion)
        no autorizo {FILL}({SENT}|que me)
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "does not want the messages",
        r"""
        dejar de recibir$
        no (quiero|deseo|necesito|acepto|quisiera|me interesan?) (nada de )?{FILL}{SENT}
        no (quiero|deseo) (que me contacten|ser contactad[oa]|saber (nada )?(mas )?de ustedes)
        (dejo|dejar|hago para no) (de )?recibir (mas )?{FILL}{SENT}
        como (cancelo|paro|detengo|quito) {FILL}{SENT}
    """,
    ),
    _ES.somewhere(
        Verdict.STOP,
        "says that STOP was said before",
        r"""
        (dije|puse|mande|escribi|conteste) (que )?stop
    """,
    ),
)

_UNCLEAR = (
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "a wrong number, or somebody else's now",
        r"""
        (numero|persona) equivocad[oa]  no soy (esa|la) persona  ya no es (su|de|el|mi)
        no es (su|mi) (nombre|numero)  no conozco a (esa|ese|nadie)  no vive esa persona
        (de mi hij[oa]|de un menor)$  no es mi nombre  es un numero nuevo  dar este numero  nadie con ese nombre
        ya no tiene este  a quien buscan
        se (equivoco|equivocaron)( de (numero|persona))?
        ya no tiene este (numero|telefono)
        (este|ese) (numero|telefono) (ya )?no es
        equivocado(?= numero|$)(?<=numero equivocado)
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "says that he is somebody else",
        r"""
        (yo )?no soy \w+  esta equivocado  creo que se equivoco
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "speaks of a death",
        r"""
        (el|ella|mi \w+|esa persona)( ya)? (fallecio|murio)( \w+ \w+)?
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "is a customer no more",
        r"""
        ya no soy (client[ea]|paciente|miembro)
        ya no vivo (ahi|alli|en esa direccion)$
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "is not interested",
        r"""
        no (me|nos) interesa( nada)?  no estoy interesad[oa]  sin interes  no quiero( nada)?  no lo quiero
        ya no quiero nada
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "calls it spam",
        r"""
        fraude
        ((es|esto es|son|son unos) )?(spam|acoso|estafa|estafadores)
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "complains or threatens",
        r"""
        me estan acosando  esto es (ilegal|acoso)
        (voy|vamos) a (reportar|demandar|bloquear|denunciar|llamar a (mi abogado|la policia))\w*(?! (un|una|mi|el|
            la) )
        (demandar|reportar|denunciar|bloquear)(los|las|te)
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "complains or threatens",
        r"""
        bloquead[oa]
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "says that he never asked for it",
        r"""
        nunca (les |le )?di mi numero  no me suscribi
        (nunca|no) (me|les|le|yo me) (inscribi|suscribi|di|registre|apunte)
        no pedi (esto|informacion|mensaje|nada)$
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "asks how we know the number",
        r"""
        (quien|donde|como) (les? |te )?(dio|sacaron|saco|consiguieron|consiguio|obtuvieron|tienen) (este|mi|
            el) numero
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "complains of the number of messages",
        r"""
        que (molestos|necios) son  que fastidio  ^que necios$  ya me cansaron
        por que (me|nos) (siguen |estan )?(mandan|escriben|mandando|llegan|envian|enviando|escribiendo)( (estos|
            tantos|tanto|mensaje|tantas|cosas|veces|a cada rato))*$
        (demasiados|muchos|menos|tantos) mensaje
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "has had enough",
        r"""
        (ya )?basta( ya)?  ya  ya parenle  parenle  para  fin  salir  callense  chinga tu madre  vete a la mierda
        vayanse a la mierda  vayanse al diablo  chinguen a su madre
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "speaks of calls or mail",
        r"""
        no (me |nos )?(llame[ns]?|hablen|marquen)( (mas|ya|porfavor|nunca|otra|vez))*$
        dejen? de (llamar|llamarme|marcarme)
        (mandarme|manden|enviarme|envien) correos
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "wants them otherwise",
        r"""
        use el otro
        mejor (llameme|llamenme|escriban a mi otro)
        prefiero (que me llamen|correo|llamadas)
        solo (mand\w+|quiero|env\w+|escr\w+)
        no (escriban|manden mensaje) en
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "asks what STOP would do",
        r"""
        si (pongo|contesto|mando|escribo|respondo) stop
    """,
    ),
    _ES.whole(
        Verdict.DOUBTFUL,
        "may mean the messages",
        r"""
        cancel(e|en|a|ar)( todo)?  cancelar porfavor  borren todo
        (cancelar|cierren|borren) mi cuenta
    """,
    ),
)

_NOT_MEANT = _ES.wordings(r"""
    no (dejen?|dejes|paren?|pares|cancelen?|detengan|detenga|eliminen?|borren?|suspendan)( (de|me|mi|los|las|la|
        mensaje|avisarme|mandar|mandarme|escribirme|enviar|enviarme|recordatorios|de la lista))*
    no (me|nos) (quiten?|saquen?|borren?|eliminen?|den de baja|dejen|cancelen)( de)?( la)?( lista)?
    no quiero (dejar|darme|cancelar|que me quiten|que dejen|salir)( de)?( (baja|recibir|mandarme|mensaje))*
    (deje|(?<!como )dejo) de (recibir|llegar|funcionar)
    (dejaron|dejo) de (mandarme|mandar|enviar|enviarme)( (los|mensaje|recordatorios|sus))*
    no me (han|ha) mandado
    (ya no|por que ya no) me (mandan|llegan|escriben|envian)( (mensaje|nada|los|recordatorios))*
    no mas (de|dolor|preguntas|eso)
    lista de espera( \w+)*
    (presion|voz|temperatura|temporada) (esta )?(muy )?(alta|baja)
    (?<!no )(?<!me )sigan (mandando|enviando)( mensaje)?
    de baja (en|por|del|el|la|mi|al)(?! lista| base| numero)
""")

_QUALIFIED = (
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "clear, but for a time only",
        r"""
        hasta  por ahora  de noche  en la noche  (tan|muy) (temprano|tarde)  hoy  mientras  en el trabajo
        esta semana  cuando  (antes|despues) de las
        (los|el) (domingos?|sabados?|lunes|martes|miercoles|jueves|viernes|fines)
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "clear, but some messages are wanted",
        r"""
        pero (si|quiero|manden)  excepto  menos los  solo  solamente  nomas los
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "clear, but another number is named",
        r"""
        (use|usen|escriban? a) (el|mi) (otro|trabajo|celular)
    """,
    ),
    _ES.somewhere(
        Verdict.DOUBTFUL,
        "clear, but only considered",
        r"""
        si (pongo|contesto) stop
        ^si (pongo|contesto|mando|escribo|respondo)
    """,
    ),
)

WANTED_ES = _ES.wordings(r"""
    ^(un )?mande(n)?me (un )?mensaje  ^escriban?me$
""")
"""Says that texts are welcome: then nothing in the rest is doubtful."""

SPANISH = Language("es", _ES.courtesies, (*_CLEAR, *_UNCLEAR), _NOT_MEANT, _QUALIFIED)
