"""Use cases of notify: subscriptions, and what those who made them may see."""
