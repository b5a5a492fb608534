"""What a browser says of itself, in two words for the list of one's own sessions."""

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
           ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser_name(said: str) -> str:
    """Browser and system, as far as they are known; what it said, cut short, where neither is."""
    found = [next((name for sign, name in table if sign in said), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, found)) or said[:60]
