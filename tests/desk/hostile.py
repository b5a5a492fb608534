"""Texts that would do harm where a page is careless."""

HOSTILE = {
    "script": "<script>window.hit = 1</script>",
    "picture": '<img src=x onerror="window.hit = 1">',
    "quotes": "\"'><svg onload=window.hit=1> {{ 7 * 7 }} {% raw %} ${1}",
    "markup": "</bdi></li></ol></section><h1>gone</h1><!--",
    "htmx": '<div hx-get="/desk" hx-trigger="load" hx-target="body">x</div><a href="javascript:window.hit=1">y</a>',
    "override": "\u202egnihton\u202c \u202e\u202e\u202e never closed",
    "isolates": "\u2067\u2066\u2068\u200f\u200eshalom שלום \u202d123",
    "unseen": "a\u200bb\u200cc\u200dd\u2060e\ufeff\u00adf",
    "stacks": "Z" + "\u0300\u0316\u0334" * 300,
    "one_word": "w" * 3000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 40,
    "lines": "\n" * 300 + "the last line",
    "arabic": "مرحبا بالعالم " * 30,
    "lone_surrogate": "\ufffd\ufffe",
    "long": "0123456789" * 1000,
}
