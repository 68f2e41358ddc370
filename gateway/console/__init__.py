"""The page for people: who sends what wrong, since when, how often, and what to change.

Rule    What is served is what lies here: no build step, no library, and nothing that comes from another host.
Rule    Every value comes from outside. `dom.js` alone makes elements, and a text becomes a text node, never markup.
"""
