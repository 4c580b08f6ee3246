"""Pure rules of notify: what matches, where we send, when we try again."""
