"""Why a text did not reach its phone: one closed list for all carriers, with what a person reads."""

REASONS: dict[str, str] = {
    "opted_out": "They asked not to be texted",
    "unreachable": "Phone off or out of reach",
    "blocked": "Carrier or person blocks this number",
    "unknown_number": "Not a working number",
    "landline": "Cannot receive texts",
    "filtered": "Carrier took it for spam",
    "unknown_error": "Carrier gave no reason",
    "queue_full": "Waiting for a sending slot",
    "unregistered": "This number is not approved to text",
    "expired_here": "Too late to be useful, not sent",
    "bad_sender": "Carrier does not accept this sender number",
    "too_long": "Carrier refused the length",
    "carrier_error": "Carrier had a fault of its own",
    "not_sent": "Not sent, as a person found out",
    "ambiguous": "May have been sent; being checked",
}
"""Reason to the sentence for people. The rows are those of the field's carriers taken together."""
