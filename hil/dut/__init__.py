"""The boards, one package each, and the chips that they share. Nothing here knows an instrument."""
