"""Metrics of the exchange: what was accepted, what waits and for how long, how deliveries go."""

from hub.exchange.life import State
from hub.exchange.running import Exchange
from metip.telemetry import families
from metip.telemetry.samples import Samples


async def of_backlogs(exchange: Exchange, samples: Samples) -> None:
    """Subscriptions with their backlog, as the engine has them. Raises what the engine raises."""
    now = exchange.clock()
    for one in await exchange.engine.accounts():
        for state in State:
            samples.put(families.BACKLOG, one.counts.get(state, 0), one.subscription, state.value)
        samples.put(families.OLDEST, max(0.0, now - one.oldest_waiting) if one.oldest_waiting else 0.0, one.subscription)
        samples.put(families.PAUSED, float(one.paused), one.subscription)


def of_deliveries(exchange: Exchange, samples: Samples) -> None:
    """Attempts of each subscription since the hub started, and what its contract says of it."""
    now = exchange.clock()
    for said in exchange.contracts.subscriptions:
        delivery = exchange.contracts.operations[said.operation].delivery
        samples.put(families.LIMIT, said.backlog, said.name)
        samples.put(families.DELAY, delivery.delay if delivery is not None else 0.0, said.name)
    for name, line in exchange.dispatcher.lines.items():
        since = line.unreachable_since
        samples.put(families.UNREACHABLE, max(0.0, now - since) if since else 0.0, name)
        for event, count in line.attempts.outcomes.items():
            samples.put(families.ATTEMPTS, count, name, event)
        for reason, count in line.failures.items():
            samples.put(families.FAILURES, count, name, reason)
        samples.put_spread(families.ATTEMPT_SECONDS, line.attempts.spread, name)
        samples.put_spread(families.DELIVERY_SECONDS, line.delivered, name)


def of_acceptance(exchange: Exchange, samples: Samples) -> None:
    """Messages that were handed over since the hub started."""
    for name, acceptor in exchange.accepting.acceptors.items():
        for outcome, count in acceptor.counted.outcomes.items():
            samples.put(families.ACCEPTED, count, name, outcome)
        samples.put_spread(families.ACCEPT_SECONDS, acceptor.counted.spread, name)
        samples.put(families.BATCHED, acceptor.batched, name)
