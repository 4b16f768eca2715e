"""Input of `ip` and `nft`: bridges and firewall rules."""

from cntnr_compose.networks.ip_nft import Bridge, bridge_commands, nft_rules, table_name

FRONT = Bridge(
    name="br-front",
    gateway="10.128.0.1/20",
    subnet="10.128.0.0/20",
    reserved="10.128.15.241-10.128.15.254",
)
BACK = Bridge(
    name="br-back", gateway="10.128.16.1/20", subnet="10.128.16.0/20", internal=True, mtu=1500
)


def test_a_bridge_is_made_with_its_mtu_its_gateway_and_an_address_that_stays() -> None:
    assert bridge_commands(BACK).splitlines() == [
        "link add br-back address 02:cc:0a:80:10:01 type bridge",
        "link set br-back mtu 1500 up",
        "addr add 10.128.16.1/20 dev br-back",
    ]


def test_what_leaves_a_network_is_masqueraded_unless_it_is_internal() -> None:
    text = nft_rules("p_x", [FRONT, BACK])
    assert 'ip saddr 10.128.0.0/20 oifname "tap0" masquerade' in text
    assert "ip saddr 10.128.16.0/20" not in text


def test_a_network_reaches_itself_and_the_outside_alone() -> None:
    text = nft_rules("p_x", [FRONT, BACK])
    assert 'iifname "br-front" oifname != { "br-front", "tap0" } drop' in text
    assert 'iifname "br-back" oifname != { "br-back" } drop' in text
    assert 'oifname "br-back" iifname "tap0" drop' in text


def test_only_ones_own_gateway_and_resolvers_may_be_asked() -> None:
    line = next(line for line in nft_rules("p_x", [FRONT]).splitlines() if "fib daddr" in line)
    assert "ip daddr != { 10.128.0.1, 10.128.15.241-10.128.15.254 }" in line


def test_a_table_is_replaced_as_a_whole() -> None:
    lines = nft_rules("p_x", []).splitlines()
    assert lines[:3] == ["table inet p_x {}", "delete table inet p_x", "table inet p_x {"]


def test_projects_that_differ_in_signs_alone_have_tables_of_their_own() -> None:
    names = {table_name(name, "") for name in ("a-b", "a_b", "ab")} | {table_name("", "ab")}
    assert len(names) == 4
    assert all(char.isalnum() or char == "_" for name in names for char in name)
