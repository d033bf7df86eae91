"""Migrations expand, and contract only where they say so: two versions run side by side."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

from shared.persistence import migrate

VERSIONS: Final = sorted((Path(migrate.__file__).parent / "migrations" / "versions").glob("0*.py"))
# Before the first release there was no version to run beside.
FIRST_RELEASED: Final = "0006"
_GONE: Final = {"drop_table", "drop_column", "drop_constraint", "rename_table"}
_CHANGED: Final = {"type_", "new_column_name"}
_SQL: Final = re.compile(r"\b(drop|rename|set\s+not\s+null|alter\s+column\s+\w+\s+type)\b", re.I)


def offences(source: str) -> list[str]:
    """Return what in `upgrade` the version before could not live with, line by line."""
    tree = ast.parse(source)
    made = {_table_of(call) for call in _calls(tree) if _name(call) == "create_table"}
    return [
        f"line {call.lineno}: {offence}"
        for call in _calls(tree)
        if (offence := _offence(call, made))
    ]


def contracts_since(source: str) -> str | None:
    """Return the release from which on nothing needs what the migration takes away."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name("contract_since")], value=ast.Constant(str(since))):
                return since
    return None


def _offence(call: ast.Call, made: set[str]) -> str | None:
    name, given = _name(call), {each.arg: each.value for each in call.keywords}
    if name in _GONE:
        return name
    if name == "alter_column" and (_CHANGED & given.keys() or _is(given.get("nullable"), False)):
        return "alter_column: type, name or NOT NULL"
    if name == "Column" and _is_added(call) and _is(given.get("nullable"), False):
        return None if "server_default" in given else "add_column: NOT NULL without a default"
    if name == "create_index" and not _is(given.get("if_not_exists"), True):
        table = getattr(call, "table", "") or _table_of(call, 1)
        return None if table in made else "create_index: without if_not_exists"
    if name in {"execute", "text"} and any(map(_SQL.search, _texts(call))):
        return "SQL that drops, renames or narrows"
    return None


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls in `upgrade`; columns know that they are added, batches their table."""
    for node in tree.body:
        if not (isinstance(node, ast.FunctionDef) and node.name == "upgrade"):
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.With) and isinstance(each.items[0].context_expr, ast.Call):
                table = _table_of(each.items[0].context_expr)
                for inner in ast.walk(each):
                    inner.table = table  # type: ignore[attr-defined]
            if isinstance(each, ast.Call):
                for argument in each.args if _name(each) == "add_column" else ():
                    argument.added = True  # type: ignore[attr-defined]
                yield each


def _is_added(call: ast.Call) -> bool:
    return getattr(call, "added", False)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _table_of(call: ast.Call, position: int = 0) -> str:
    found = call.args[position : position + 1]
    return str(found[0].value) if found and isinstance(found[0], ast.Constant) else ""


def _texts(call: ast.Call) -> list[str]:
    return [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)
            and isinstance(each.value, str)]  # fmt: skip


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize(
    "path", [path for path in VERSIONS if path.name[:4] >= FIRST_RELEASED], ids=lambda p: p.stem
)
def test_a_migration_only_adds_unless_it_says_since_when_it_may_take_away(path: Path) -> None:
    """The version before runs on beside it; what it needs is still there."""
    source = path.read_text("utf-8")
    since = contracts_since(source)

    assert since is not None or offences(source) == []
    assert since is None or _numbers(since) <= _numbers(version("patron"))


@pytest.mark.parametrize(
    ("statement", "offence"),
    [
        ('op.drop_table("links")', "drop_table"),
        ('batch_op.drop_column("entity")', "drop_column"),
        ('batch_op.drop_constraint("uq_links_x")', "drop_constraint"),
        ('op.rename_table("links", "ties")', "rename_table"),
        ('op.alter_column("links", "status", new_column_name="state")', "alter_column: type"),
        ('op.alter_column("links", "status", type_=sa.Integer())', "alter_column: type"),
        ('op.alter_column("links", "status", nullable=False)', "alter_column: type"),
        ('op.add_column("links", sa.Column("a", sa.Text(), nullable=False))', "add_column: NOT"),
        ('batch_op.add_column(sa.Column("a", sa.Text(), nullable=False))', "add_column: NOT"),
        ('op.create_index("ix", "links", ["status"])', "create_index: without"),
        ('op.execute("ALTER TABLE links DROP COLUMN status")', "SQL that drops"),
        ('op.execute(sa.text("ALTER TABLE links ALTER a SET NOT NULL"))', "SQL that drops"),
    ],
)
def test_what_takes_away_is_noticed(statement: str, offence: str) -> None:
    """Each of what the version before could not live with."""
    found = offences(f"def upgrade():\n    {statement}\n")

    assert any(each.startswith(f"line 2: {offence}") for each in found)


@pytest.mark.parametrize(
    "statement",
    [
        'op.create_table("a", sa.Column("b", sa.Text(), nullable=False))',
        'op.add_column("links", sa.Column("a", sa.Text(), nullable=True))',
        'op.add_column("links", sa.Column("a", sa.Text(), nullable=False, server_default="x"))',
        'op.alter_column("links", "status", nullable=True)',
        'op.create_index("ix", "links", ["status"], if_not_exists=True)',
        'op.create_table("a", sa.Column("b"))\n    op.create_index("ix", "a", ["b"])',
        'op.create_table("a")\n    with op.batch_alter_table("a") as b: b.create_index("i", [])',
    ],
)
def test_what_adds_is_let_pass(statement: str) -> None:
    """The version before does not notice it."""
    assert (
        offences(f"def upgrade():\n    {statement}\ndef downgrade():\n    op.drop_table('a')\n")
        == []
    )


def test_a_migration_says_since_when_it_may_take_away() -> None:
    """In a line of its own: the release that does not use it any more."""
    assert contracts_since('contract_since = "0.2.0"\n') == "0.2.0"
    assert contracts_since('revision = "0007"\n') is None


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])
