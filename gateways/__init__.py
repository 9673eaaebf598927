"""Our words on one side, theirs on the other: payment providers, mail and stored documents."""
