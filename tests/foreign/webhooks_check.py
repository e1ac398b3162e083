"""Lets the library of Standard Webhooks judge what the server tells a receiver."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

API = os.environ["API_URL"] + "/api/v1"
heard = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        heard.append((dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def sign_in(name):
    body = {"username": name, "password": "shuoshi-demo"}
    answer = requests.post(f"{API}/auth/staff", json=body, timeout=10)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def wait_for(many):
    for _ in range(300):
        if len(heard) >= many:
            return
        time.sleep(0.1)
    raise AssertionError(f"{len(heard)} of {many} messages came within thirty seconds")


def verified(secret, headers, body):
    return Webhook(secret).verify(body, headers)


def main():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    admin, desk = sign_in("admin"), sign_in("desk")
    village = requests.get(f"{API}/divisions?code=511702108212", timeout=10).json()["items"][0]["id"]
    address = {"url": f"http://127.0.0.1:{server.server_port}/hook"}
    made = requests.post(f"{API}/staff/divisions/{village}/webhooks", json=address, headers=admin, timeout=10)
    assert made.status_code == 201, made.text
    webhook, secret = made.json()["webhook"]["id"], made.json()["secret"]

    case = {
        "kind": "voice", "concern": "help", "division": village, "text": "来电求助", "channel": "phone",
        "for_person": {"name": "样例", "phone": "13800000007"},
    }
    filed = requests.post(f"{API}/staff/cases", json=case, headers=desk, timeout=10)
    assert filed.status_code == 201, filed.text
    wait_for(1)
    headers, body = heard[0]
    event = verified(secret, headers, body)
    event = event if isinstance(event, dict) else json.loads(body)
    assert event["specversion"] == "1.0" and event["type"] == "cn.shuoshi.case.submitted", event
    assert event["id"] == headers["webhook-id"] and event["subject"] == filed.json()["number"], event
    assert "13800000007" not in body.decode() and "来电求助" not in body.decode(), body
    for secret_of_others in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]:
        try:
            verified(secret_of_others, headers, body)
        except WebhookVerificationError:
            continue
        raise AssertionError("another secret verifies it too")

    rotated = requests.post(f"{API}/staff/webhooks/{webhook}/rotate-secret", json={}, headers=admin, timeout=10)
    assert rotated.status_code == 200, rotated.text
    requests.post(f"{API}/staff/webhooks/{webhook}/test", json={}, headers=admin, timeout=10).raise_for_status()
    wait_for(2)
    for either in [secret, rotated.json()["secret"]]:
        verified(either, *heard[1])
    server.shutdown()
    print("webhooks: standardwebhooks verifies what is told, by either secret")


main()
