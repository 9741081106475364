"""Figures held against targets, and the table of them."""

import dataclasses


@dataclasses.dataclass
class Figure:
    """Without a bound it is told for what it is worth. A value that could not be had is None, and never good."""

    what: str
    value: float | None
    bound: tuple | None = None  # such as ("<=", 1.15)
    decimals: int | None = None  # that count; None: as many as are worth reading, and all of them count

    def is_good(self):
        if self.bound is None or self.value is None:
            return self.bound is None
        sign, limit = self.bound
        value = self.value if self.decimals is None else round(self.value, self.decimals)
        return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit,
                "=": value == limit}[sign]

    def text(self):
        if self.value is None:
            return "none"
        return number(self.value) if self.decimals is None else f"{self.value:,.{self.decimals}f}"


def number(value):
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.2f}"


def lines_of(figures):
    """The table."""
    rows = [("figure", "target", "measured", "ok")]
    for figure in figures:
        target, ok = ("", "") if figure.bound is None else \
            (f"{figure.bound[0]} {number(figure.bound[1])}", "yes" if figure.is_good() else "NO")
        rows.append((figure.what, target, figure.text(), ok))
    lines = aligned(rows, names=1)
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def aligned(rows, names):
    """Numbers, to the right, stand between the first `names` columns and the last one, to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [" | ".join(cell.rjust(width) if names <= i < len(row) - 1 else cell.ljust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))) for row in rows]
