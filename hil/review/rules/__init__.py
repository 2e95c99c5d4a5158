"""The rules of the design review, a few files by what they look at. `hil.review.rule.all_rules` finds them all."""
