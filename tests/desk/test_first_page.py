"""The first look: who is not signed in is asked to, who is sees his screen."""

from tests.kit.desk import DeskKit


async def test_nobody_is_sent_to_the_sign_in_page(desk: DeskKit) -> None:
    seen = await desk.nobody().get("/desk")
    assert (seen.status, seen.headers["location"]) == (303, "/desk/sign-in")
    form = (await desk.nobody().get("/desk/sign-in")).html.find("form")
    assert form is not None


async def test_an_agent_sees_his_screen(desk: DeskKit) -> None:
    john = await desk.person("john")
    seen = await john.get("/desk")
    assert seen.status == 200, seen.text
    assert "John Doe" in seen.text
    assert "default-src 'none'" in seen.headers["content-security-policy"]
