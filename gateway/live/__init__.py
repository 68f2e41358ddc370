"""What a developer sees of email writes: the verdict, the rules that are broken, the body with the spots to change.

Nothing here is for `serve`, which shows no body to anybody.
"""
