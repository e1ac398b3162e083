"""Lets frictionless read the open data of a running server: before anything is signed, and after a month was.

The descriptor must be valid, the files what it says of them (bytes, hash, types, keys); and a file that was touched must be
found out, so that the check is known to check. Every check is an assertion.
"""

import datetime
import json
import os
import urllib.error
import urllib.request

import frictionless

API = os.environ["API_URL"] + "/api/v1"
SIM = os.environ["SIM_URL"]
FOLDER = os.environ["FOLDER"]
DEMO_VILLAGE = "511702108212"

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    data = None if body is None else json.dumps(body).encode()
    try:
        with _direct.open(urllib.request.Request(url, data, headers), timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as fault:
        raise AssertionError(f"{url}: {fault.code} {fault.read().decode()}") from fault


def ask(path, body=None, token=None):
    return json.loads(call(API + path, body, token))


def villager():
    openid = json.loads(call(SIM + "/_sim/users", {}))["openid"]
    code = json.loads(call(SIM + "/_sim/codes", {"openid": openid}))["code"]
    return ask("/auth/wechat", {"code": code})["access_token"]


def staff(name):
    return ask("/auth/staff", {"username": name, "password": "shuoshi-demo"})["access_token"]


def validated(url, rows):
    """What frictionless says of the package at an address; the rows of its tables must be as many."""
    report = frictionless.Package(url).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    counted = {task.name: task.stats.get("rows", 0) for task in report.tasks}
    assert set(counted) == {"cases_by_month", "rates"}, counted
    assert counted["cases_by_month"] == rows, counted
    return counted


def main():
    village = ask(f"/divisions?code={DEMO_VILLAGE}")["items"][0]["id"]
    url = f"{API}/open-data/{village}/datapackage.json"
    assert validated(url, rows=0)["rates"] == 0

    month = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m")
    for number in range(12):
        matter = {"kind": "voice", "concern": "question", "division": village, "text": "样例"}
        ask("/cases", {**matter, "topic": "roads" if number < 8 else "water"}, villager())
    call(os.environ["API_URL"] + "/_dev/clock", {"advance_s": 40 * 24 * 3600})
    report = ask(f"/staff/divisions/{village}/reports", {"kind": "monthly_list", "period": month}, staff("desk"))
    ask(f"/staff/reports/{report['id']}/sign", {"version": 1}, staff("town"))
    # Eight on roads are told, four on water are not.
    validated(url, rows=1)

    for name in ("datapackage.json", "cases_by_month.csv", "rates.csv"):
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(call(f"{API}/open-data/{village}/{name}"))
    validated(os.path.join(FOLDER, "datapackage.json"), rows=1)
    with open(os.path.join(FOLDER, "cases_by_month.csv"), "ab") as file:
        file.write(f"{month},{DEMO_VILLAGE},voice,farming,3,,,,,\r\n".encode())
    touched = frictionless.Package(os.path.join(FOLDER, "datapackage.json")).validate()
    kinds = {kind for (kind,) in touched.flatten(["type"])}
    assert not touched.valid and {"hash-count", "constraint-error"} & kinds, kinds
    print("open data: frictionless", frictionless.__version__, "agrees")


main()
