"""One command creates the database roles, on a server of one's own and on one that somebody else runs."""

import itertools

import psycopg
import pytest

from hoa_ops.cli.main import main
from hoa_ops.errors import HoaOpsError
from hoa_ops.schema.roles import Role, create_roles

_numbers = itertools.count(1)


@pytest.fixture
def names():
    number = next(_numbers)
    return {"database": f"roles_{number}", "schema-owner": f"owner_{number}", "worker": f"worker_{number}"}


@pytest.fixture
def create(postgres, names):
    def run(dsn=None, *, owner_password="first", worker_password="second"):
        return create_roles(
            dsn or postgres.dsn(),
            database=names["database"],
            schema_owner=Role(names["schema-owner"], owner_password),
            worker=Role(names["worker"], worker_password),
        )

    return run


def answers(postgres, database, role, password):
    try:
        psycopg.connect(postgres.dsn(database, role, password)).close()
    except psycopg.OperationalError:
        return False
    return True


def test_database_and_roles_are_created_and_can_log_in(postgres, names, create):
    assert create() == [
        f"role {names['schema-owner']}: created",
        f"role {names['worker']}: created",
        f"database {names['database']}: created",
    ]
    assert answers(postgres, names["database"], names["schema-owner"], "first")
    assert answers(postgres, names["database"], names["worker"], "second")
    assert not answers(postgres, names["database"], names["worker"], "wrong")


def test_worker_and_strangers_can_do_nothing_in_the_new_database(postgres, names, create):
    create()
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"CREATE ROLE stranger_to_{names['database']} LOGIN PASSWORD 'third'")
    assert not answers(postgres, names["database"], f"stranger_to_{names['database']}", "third")
    with psycopg.connect(postgres.dsn(names["database"], names["worker"], "second"), autocommit=True) as worker:
        for statement in ("CREATE SCHEMA mine", "CREATE TABLE public.mine ()", "CREATE TEMPORARY TABLE mine ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                worker.execute(statement)


def test_rerun_keeps_what_exists_and_changes_a_password_only_if_given(postgres, names, create):
    create()
    assert create(owner_password=None, worker_password="changed") == [
        f"role {names['schema-owner']}: already exists, password unchanged",
        f"role {names['worker']}: already exists, password set",
        f"database {names['database']}: already exists, and both roles may connect",
    ]
    assert answers(postgres, names["database"], names["schema-owner"], "first")
    assert answers(postgres, names["database"], names["worker"], "changed")


def test_a_database_that_others_use_stays_open_to_them(postgres, names, create):
    postgres.create_database(names["database"])
    create()
    with psycopg.connect(postgres.dsn(names["database"], names["schema-owner"], "first")) as owner:
        owner.execute("CREATE SCHEMA hoa")
        assert owner.execute("SELECT has_database_privilege('public', current_database(), 'CONNECT')").fetchone()[0]


def test_administrator_need_not_be_a_superuser(postgres, names, create):
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"CREATE ROLE admin_of_{names['database']} LOGIN PASSWORD 'root' CREATEROLE CREATEDB")
    create(postgres.dsn("postgres", f"admin_of_{names['database']}", "root"))
    assert answers(postgres, names["database"], names["worker"], "second")
    with psycopg.connect(postgres.dsn(names["database"], names["schema-owner"], "first")) as owner:
        owner.execute("CREATE SCHEMA hoa")


def test_role_without_rights_is_told_which_ones_it_needs(postgres, names, create):
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute(f"CREATE ROLE nobody_in_{names['database']} LOGIN PASSWORD 'none'")
    with pytest.raises(HoaOpsError, match="permission denied to create role: use a role with CREATEROLE and CREATEDB"):
        create(postgres.dsn("postgres", f"nobody_in_{names['database']}", "none"))


def test_new_role_without_a_password_is_refused_and_nothing_is_created(postgres, names, create):
    with pytest.raises(
        HoaOpsError, match=f"{names['schema-owner']} does not exist yet, and needs a password: set HOA_OPS_OWNER"
    ):
        create(owner_password=None)
    with psycopg.connect(postgres.dsn()) as server:
        assert server.execute("SELECT 1 FROM pg_roles WHERE rolname = ANY (%s)", [[*names.values()]]).fetchall() == []


def test_worker_may_not_be_the_owner(names, create):
    names["worker"] = names["schema-owner"]
    with pytest.raises(HoaOpsError, match="must be two roles"):
        create()


def test_passwords_come_from_the_environment_and_the_server_never_sees_them(postgres, names, monkeypatch, capsys):
    with psycopg.connect(postgres.dsn(), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET log_statement = 'all'")
        server.execute("SELECT pg_reload_conf()")
    monkeypatch.setenv("HOA_OPS_ADMIN_DSN", postgres.dsn())
    monkeypatch.setenv("HOA_OPS_OWNER_PASSWORD", "canary-of-the-owner")
    monkeypatch.setenv("HOA_OPS_WORKER_PASSWORD", "canary-of-the-worker")
    try:
        assert main(["create-roles", *itertools.chain(*((f"--{name}", value) for name, value in names.items()))]) == 0
    finally:
        with psycopg.connect(postgres.dsn(), autocommit=True) as server:
            server.execute("ALTER SYSTEM RESET log_statement")
            server.execute("SELECT pg_reload_conf()")
    assert f"database {names['database']}: created" in capsys.readouterr().out
    assert answers(postgres, names["database"], names["worker"], "canary-of-the-worker")
    log = postgres.log.read_text()
    assert f'CREATE ROLE "{names["worker"]}"' in log
    assert "canary-of-the" not in log


def test_unreachable_server_is_named_in_the_error(names):
    with pytest.raises(HoaOpsError, match="cannot connect to the server as an administrator"):
        create_roles(
            "postgresql://127.0.0.1:1/postgres", database="x", schema_owner=Role("a", "a"), worker=Role("b", "b")
        )
