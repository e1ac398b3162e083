"""Lets three foreign readers of iCalendar read what a running server publishes, and compares what they understood.

icalendar and recurring-ical-events (Python) read here, ical.js (Node) in calendar_read.js. A booking is made, its day is
shifted, then it is cancelled; the village's calendar is read before and after. Every check is an assertion.
"""

import datetime
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import icalendar
import recurring_ical_events

API = os.environ["API_URL"] + "/api/v1"
SIM = os.environ["SIM_URL"]
FOLDER = os.environ["FOLDER"]
NODE = os.environ.get("NODE")
DEMO_VILLAGE = "511702108212"

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, token=None):
    """The answer's bytes and headers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    data = None if body is None else json.dumps(body).encode()
    try:
        with _direct.open(urllib.request.Request(url, data, headers), timeout=30) as answer:
            return answer.read(), answer.headers
    except urllib.error.HTTPError as fault:
        raise AssertionError(f"{url}: {fault.code} {fault.read().decode()}") from fault


def ask(path, body=None, token=None):
    return json.loads(call(API + path, body, token)[0])


def villager():
    openid = json.loads(call(SIM + "/_sim/users", {})[0])["openid"]
    code = json.loads(call(SIM + "/_sim/codes", {"openid": openid})[0])["code"]
    return ask("/auth/wechat", {"code": code})["access_token"]


def fetched(path, name, token=None):
    """Stores a calendar under a name; checks what every calendar must be as bytes."""
    text, headers = call(API + path, token=token)
    assert headers["Content-Type"] == "text/calendar; charset=utf-8", headers["Content-Type"]
    assert text.count(b"\n") == text.count(b"\r\n"), "a line that does not end with CRLF"
    for line in text.split(b"\r\n"):
        assert len(line) <= 75, line
        line.decode()  # No character is cut in two.
    file = os.path.join(FOLDER, name + ".ics")
    with open(file, "wb") as out:
        out.write(text)
    return file


def by_icalendar(file):
    with open(file, "rb") as text:
        calendar = icalendar.Calendar.from_ical(text.read())
    return {"method": str(calendar["METHOD"]), "events": [understood(event) for event in calendar.walk("VEVENT")]}


def by_recurring_ical_events(file):
    with open(file, "rb") as text:
        calendar = icalendar.Calendar.from_ical(text.read())
    now = datetime.datetime.now(datetime.timezone.utc)
    found = recurring_ical_events.of(calendar).between(now - datetime.timedelta(400), now + datetime.timedelta(400))
    return {"method": str(calendar["METHOD"]), "events": [understood(event) for event in found]}


def understood(event):
    def instant(name):
        at = event[name].dt
        assert at.utcoffset() is not None, name
        return int(at.timestamp())

    for name in ("DTSTART", "DTEND"):
        assert event[name].dt.utcoffset() == datetime.timedelta(hours=8), name
    return {
        "uid": str(event["UID"]),
        "starts": instant("DTSTART"),
        "ends": instant("DTEND"),
        "stamp": instant("DTSTAMP"),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "location": str(event["LOCATION"]),
        "alarms": [int(alarm["TRIGGER"].dt.total_seconds()) for alarm in event.walk("VALARM")],
    }


def by_ical_js(files):
    script = os.path.join(os.path.dirname(__file__), "calendar_read.js")
    return json.loads(subprocess.run([NODE, script, *files], check=True, capture_output=True, timeout=60).stdout)


def in_order(calendar):
    return {**calendar, "events": sorted(calendar["events"], key=lambda event: event["uid"])}


def agreed(files):
    """What all readers understood of each file; they must have understood the same."""
    foreign = by_ical_js(files) if NODE else [None] * len(files)
    calendars = []
    for file, third in zip(files, foreign, strict=True):
        first = in_order(by_icalendar(file))
        assert in_order(by_recurring_ical_events(file)) == first, (file, first, by_recurring_ical_events(file))
        if third is not None:
            assert in_order(third) == first, (file, first, in_order(third))
        calendars.append(first)
    return calendars


def seconds(instant):
    return int(datetime.datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp())


def main():
    village = ask(f"/divisions?code={DEMO_VILLAGE}")["items"][0]["id"]
    person = villager()
    desk = ask("/auth/staff", {"username": "desk", "password": "shuoshi-demo"})["access_token"]
    on = datetime.date.today() + datetime.timedelta(days=4)
    terms = {"starts": "09:00", "ends": "10:00", "place": "村委会二楼, 东头; 会议室", "walk_in_share": 0.0}
    day = ask(f"/staff/divisions/{village}/talk-days", {"date": on.isoformat(), **terms}, desk)
    off = ask(f"/staff/divisions/{village}/talk-days", {"date": (on + datetime.timedelta(1)).isoformat(), **terms}, desk)
    wish = {"topic": "roads", "summary": "不能让人看见的话", "privacy": "private"}
    slot = day["slots"][2]
    booking = ask(f"/slots/{slot['id']}/bookings", wish, person)
    own, feed = f"/bookings/{booking['id']}/calendar.ics", f"/divisions/{village}/calendar.ics"

    files = [fetched(own, "booked", person), fetched(feed, "feed-before")]
    moved = {"date": (on + datetime.timedelta(2)).isoformat(), "starts": "14:30", "reason": "下雪，封路"}
    shifted = ask(f"/staff/talk-days/{day['id']}/shift", moved, desk)
    ask(f"/staff/talk-days/{off['id']}/cancel", {"reason": "停电"}, desk)
    files += [fetched(own, "shifted", person), fetched(feed, "feed-after")]
    ask(f"/bookings/{booking['id']}/cancel", {}, person)
    files.append(fetched(own, "cancelled", person))
    booked, before, later, after, gone = agreed(files)

    for calendar in (booked, later, gone):
        (event,) = calendar["events"]
        assert event["uid"] == f"{booking['id']}@shuoshi.invalid", event
        assert event["location"] == terms["place"], event
        assert event["summary"].startswith("说事日 · 石笋村 · "), event
    assert [calendar["method"] for calendar in (booked, later, gone)] == ["PUBLISH", "PUBLISH", "CANCEL"]
    events = [calendar["events"][0] for calendar in (booked, later, gone)]
    assert [event["status"] for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"], events
    assert [event["alarms"] for event in events] == [[-86400], [-86400], []], events
    assert events[0]["sequence"] < events[1]["sequence"] < events[2]["sequence"], events
    assert events[0]["starts"] == seconds(slot["starts_at"]), events
    assert events[1]["starts"] == events[2]["starts"] == seconds(shifted["slots"][2]["starts_at"]), events

    def of(calendar, one):
        return next(event for event in calendar["events"] if event["uid"] == f"{one['id']}@shuoshi.invalid")

    assert before["method"] == after["method"] == "PUBLISH"
    assert len(before["events"]) == len(after["events"]) >= 6, before
    assert of(after, day)["starts"] == seconds(shifted["starts_at"])
    assert of(after, off)["status"] == "CANCELLED" and of(before, off)["status"] == "CONFIRMED"
    for one in (day, off):
        assert of(after, one)["sequence"] > of(before, one)["sequence"]
    for file in files:
        with open(file, encoding="utf-8") as text:
            assert "不能让人看见" not in text.read().replace("\n ", ""), file
    readers = ["icalendar", "recurring-ical-events"] + (["ical.js"] if NODE else [])
    print(f"calendars: {', '.join(readers)} agree on {sum(len(c['events']) for c in (booked, before, later, after, gone))}"
          f" events of {len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
