"""Lets clients of Open311 talk to the server, and holds it to the rules of the SeeClickFix validator."""

import datetime
import itertools
import os

import requests
import xmltodict

# `three` was written for Python 2, which had this; it is all that it lacks.
itertools.ifilter = filter

from georeport import GeoReport  # noqa: E402
from three import Three  # noqa: E402

BASE = os.environ["API_URL"]
API, ENDPOINT = BASE + "/api/v1", BASE + "/open311/v2"
JURISDICTION = "511702108000"
VILLAGE = "511702108212"


def sign_in(name):
    body = {"username": name, "password": "shuoshi-demo"}
    answer = requests.post(f"{API}/auth/staff", json=body, timeout=10)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def a_key():
    # Two systems of codes use the same numbers for different places.
    found = requests.get(f"{API}/divisions?code={JURISDICTION}", timeout=10).json()["items"]
    division = next(place["id"] for place in found if place["code"] == JURISDICTION)
    made = requests.post(
        f"{API}/staff/divisions/{division}/api-keys", json={"name": "样例 平台"}, headers=sign_in("admin"), timeout=10
    )
    assert made.status_code == 201, made.text
    return made.json()["key"]


def listed(value):
    return value if isinstance(value, list) else [value]


def past(text):
    read = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return read < datetime.datetime.now(datetime.timezone.utc)


def rules_of_the_validator():
    """Service discovery, services and definitions, in both formats, as open311-validator asks for them."""
    url = f"{BASE}/open311/discovery"
    in_json = requests.get(url + ".json", timeout=10).json()
    in_xml = xmltodict.parse(requests.get(url + ".xml", timeout=10).content)["discovery"]
    endpoints = {"json": in_json["endpoints"], "xml": listed(in_xml["endpoints"]["endpoint"])}
    for discovery in [in_json, in_xml]:
        assert discovery["contact"].strip() and discovery["key_service"].strip()
        assert past(discovery["changeset"])
    assert in_json["contact"] == in_xml["contact"]
    for way, found in endpoints.items():
        assert found, way
        for endpoint in found:
            formats = endpoint["formats"] if way == "json" else endpoint["formats"]["format"]
            assert isinstance(formats, list) and "text/xml" in formats, formats
            assert endpoint["specification"] and endpoint["url"] and endpoint["type"]
            assert past(endpoint["changeset"])
            for kind in [kind.split("/")[1] for kind in formats]:
                services(endpoint["url"], kind)


def services(url, kind):
    answer = requests.get(f"{url}/services.{kind}?jurisdiction_id={JURISDICTION}", timeout=10)
    assert answer.headers["content-type"].endswith("charset=utf-8"), answer.headers
    found = answer.json() if kind == "json" else listed(xmltodict.parse(answer.content)["services"]["service"])
    assert found
    for service in found:
        assert service["service_code"] is not None
        if service["metadata"] in (True, "true"):
            code = service["service_code"]
            definition = requests.get(f"{url}/services/{code}.{kind}?jurisdiction_id={JURISDICTION}", timeout=10)
            assert definition.status_code == 200, definition.text


def with_three(key):
    client = Three(ENDPOINT, api_key=key, jurisdiction=JURISDICTION)
    assert client.discovery()["endpoints"][0]["url"] == ENDPOINT
    codes = [service["service_code"] for service in client.services()]
    assert "roads" in codes, codes
    assert client.services("roads")["attributes"][0]["code"] == "concern"
    matter = {
        "address": "碑庙镇石笋村3组", "name": "大山 样例王", "phone": "13800001234", "description": "村口的路灯不亮",
        "attribute[concern]": "help",
    }
    posted = client.post("roads", **matter)
    assert "service_request_id" in posted[0], posted
    number = posted[0]["service_request_id"]
    assert client.post("roads", **matter) == posted, "a repeat files nothing"
    assert client.request(number)[0]["status"] == "open"
    today = datetime.date.today()
    span = [(today - datetime.timedelta(days=30)).strftime("%m-%d-%Y"), (today + datetime.timedelta(days=2)).strftime("%m-%d-%Y")]
    assert [one["service_request_id"] for one in client.requests("roads", between=span, count=5)] == [number]
    assert client.token(number)[0]["service_request_id"] == number
    refused = client.post("roads", **{**matter, "description": "没有电话", "phone": ""})
    assert refused[0]["code"] == 400 and "phone" in refused[0]["description"], refused
    return number


def looked_at(number):
    """Who files through a program has no WeChat: somebody of the desk accepts the matter and lets its words be seen."""
    shown = lambda: requests.get(f"{ENDPOINT}/requests/{number}.json?jurisdiction_id={JURISDICTION}", timeout=10).json()[0]
    assert "路灯不亮" not in shown()["description"], "before anybody looked"
    desk = sign_in("desk")
    places = requests.get(f"{API}/divisions?code={VILLAGE}", timeout=10).json()["items"]
    village = next(place["id"] for place in places if place["code"] == VILLAGE)
    queue = requests.get(f"{API}/staff/divisions/{village}/content", headers=desk, timeout=10).json()["items"]
    item = next(item for item in queue if "路灯不亮" in item["text"])
    assert item["reason"] == "no_account", item
    case, decide = f"{API}/staff/cases/{item['subject_id']}", f"{API}/staff/content/{item['id']}/decide"
    assert requests.post(f"{case}/actions", json={"action": "accept"}, headers=desk, timeout=10).status_code == 200
    assert requests.post(decide, json={"decision": "show"}, headers=desk, timeout=10).status_code == 200
    assert "路灯不亮" in shown()["description"]


def with_georeport(number):
    seen = []
    for kind in ["json", "xml"]:
        client = GeoReport(ENDPOINT, jurisdiction=JURISDICTION, output_format=kind)
        assert any(service["service_code"] == "roads" for service in client.get_service_list())
        assert client.get_service_definition("roads")["service_code"] == "roads"
        one = client.get_service_request(number)
        many = listed(client.get_service_requests(service_code="roads,water", status="open"))
        assert many == [one], many
        assert listed(client.get_service_requests(service_request_id=f"{number},1")) == [one]
        assert "13800001234" not in str(one) and "大山" not in str(one), one
        seen.append(one)
    assert seen[0] == seen[1], "both formats say the same"
    assert seen[0]["address_id"] == VILLAGE and seen[0]["service_name"]


def main():
    rules_of_the_validator()
    number = with_three(a_key())
    looked_at(number)
    with_georeport(number)
    print("open311: three and georeport understand it, and the validator's rules hold")


main()
