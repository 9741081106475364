"""A client of a real server, and valid events. Their texts are the canary's, which no log line may hold."""

from decimal import Decimal

from carillon import OrderUpdate, Publisher, SystemAlert, subscribe


def url_of(server):
    return f"https://localhost:{server.address[1]}"


def ca_of(server):
    return server.directory / "ca.pem"


def publisher(server, **options):
    options = {"token": server.token("agent", scope="publish"), **options}
    return Publisher(url_of(server), ca=ca_of(server), **options)


def watch(server, sub="alice", **options):
    options = {"token": server.token(sub), **options}
    return subscribe(url_of(server), ca=ca_of(server), **options)


def order(number, **changes):
    values = {
        "user_id": "alice",
        "order_id": f"o-{number}",
        "instrument_id": "BTC/USDT",
        "status": "SUBMITTED",
        "side": "BUY",
        "type": "LIMIT",
        "quantity_total": Decimal("1.50"),
        "quantity_filled": 0,
    }
    return OrderUpdate(**(values | changes))


def alert(number):
    return SystemAlert(alert_id=f"a-{number}", level="INFO", message="canary-7f3a")
