"""How a plan is compared with what another program did."""

from hoa_ops.engine.comparison import compare


def test_differences_are_listed_in_natural_order(tmp_path):
    plan, other = tmp_path / "plan.csv", tmp_path / "other.csv"
    plan.write_text("unit_number,amount,action,reason\n" + "".join(f"{unit},1.00,post,\n" for unit in (10, 9, 100)))
    other.write_text("unit_number,amount\n")
    assert compare(plan, other).lines()[1:4] == ["  9: $1.00", "  10: $1.00", "  100: $1.00"]
