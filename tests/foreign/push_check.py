"""Seals pushes with wechatpy, as WeChat would, and POSTs them to a running server: each has its effect, once.

API_URL is the server, SIM_URL its simulator; pushes are sealed with the token and key of its configuration.
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

API = os.environ["API_URL"]
SIM = os.environ["SIM_URL"]
TOKEN, KEY, APP_ID = (os.environ[name] for name in ["PUSH_TOKEN", "PUSH_AES_KEY", "APP_ID"])
ONE_TIME = "shuoshi-demo-talk-day-template-000000000002"
LONG_TERM = "shuoshi-demo-progress-template-000000000001"

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, token=None, kind="application/json"):
    """Status and text."""
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with _direct.open(urllib.request.Request(url, data, headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def villager():
    """Openid and access token of somebody new."""
    openid = json.loads(call(f"{SIM}/_sim/users", {"nickname": "甲"})[1])["openid"]
    code = json.loads(call(f"{SIM}/_sim/codes", {"openid": openid})[1])["code"]
    status, text = call(f"{API}/api/v1/auth/wechat", {"code": code})
    assert status == 200, text
    return openid, json.loads(text)["access_token"]


def push(message, kind):
    """Sealed by wechatpy; the query is what WeChat sends in safe mode."""
    text = json.dumps(message, ensure_ascii=False) if kind == "json" else xmltodict.unparse({"xml": message}, full_document=False)
    nonce, timestamp = "1320562132", str(int(time.time()))
    sealed = xmltodict.parse(WeChatCrypto(TOKEN, KEY, APP_ID).encrypt_message(text, nonce, timestamp))["xml"]
    query = {
        "timestamp": timestamp, "nonce": nonce, "openid": message["FromUserName"], "encrypt_type": "aes",
        "msg_signature": sealed["MsgSignature"],
    }
    body = {"ToUserName": "gh_sample", "Encrypt": sealed["Encrypt"]}
    body = json.dumps(body) if kind == "json" else xmltodict.unparse({"xml": body}, full_document=False)
    return f"{API}/wechat/push?" + urllib.parse.urlencode(query), body


def left(token, template):
    items = json.loads(call(f"{API}/api/v1/subscriptions/templates", token=token)[1])["items"]
    return next(item["left"] for item in items if item["template_id"] == template)


def expect(token, template, wanted):
    for _ in range(100):
        if left(token, template) == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"{wanted} were expected of {template} and {left(token, template)} are there")


def check_address():
    signer, timestamp = WeChatSigner(), str(int(time.time()))
    signer.add_data(TOKEN, timestamp, "n")
    query = {"signature": signer.signature, "timestamp": timestamp, "nonce": "n", "echostr": "4711"}
    assert call(f"{API}/wechat/push?" + urllib.parse.urlencode(query)) == (200, "4711")
    query["nonce"] = "m"
    assert call(f"{API}/wechat/push?" + urllib.parse.urlencode(query))[0] == 403


def check_pushes():
    openid, token = villager()
    now, wanted = int(time.time()), 0
    for kind in ["json", "xml"]:
        wanted += 1
        event = {
            "ToUserName": "gh_sample", "FromUserName": openid, "CreateTime": str(now - 3600 * wanted), "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
        }
        item = {"TemplateId": ONE_TIME, "SubscribeStatusString": "accept", "PopupScene": "0"}
        event |= {"List": item} if kind == "json" else {"SubscribeMsgPopupEvent": {"List": item}}
        url, body = push(event, kind)
        for _ in range(3):
            began = time.monotonic()
            assert call(url, body, kind="text/xml") == (200, "success"), kind
            assert time.monotonic() - began < 1, "WeChat waits no longer"
        expect(token, ONE_TIME, wanted)
        assert call(url.replace("nonce=1", "nonce=2"), body)[0] == 403, "another nonce was not signed"
    long_term = {"TemplateId": LONG_TERM, "SubscribeStatusString": "accept", "PopupScene": "0"}
    event = {"FromUserName": openid, "CreateTime": str(now), "MsgType": "event", "Event": "subscribe_msg_popup_event"}
    call(*push(event | {"List": [long_term]}, "json"))
    expect(token, LONG_TERM, 1)
    off = {"TemplateId": ONE_TIME, "SubscribeStatusString": "reject"}
    event |= {"Event": "subscribe_msg_change_event", "List": off}
    assert call(*push(event, "json")) == (200, "success")
    expect(token, ONE_TIME, 0)
    assert left(token, LONG_TERM) == 1


check_address()
check_pushes()
print("push: what wechatpy seals is believed and has its effect, in JSON and XML")
