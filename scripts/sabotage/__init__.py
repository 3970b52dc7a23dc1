"""How much of what is broken does the lab notice? Its deployments, and its own code, are broken.

`make sabotage` breaks the deployments, `make sabotage-code` the code. See docs/sabotage.md.
"""
