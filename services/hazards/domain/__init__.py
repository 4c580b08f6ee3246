"""The rules of cases: the state machine, who may move, routing, deadlines. No I/O."""
