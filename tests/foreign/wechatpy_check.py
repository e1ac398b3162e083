"""Drives the simulator with wechatpy, unmodified but for the host, and opens the simulator's pushes with it.

Every check is an assertion; the first that fails ends the program with an error.
"""

import io
import json
import time
import urllib.parse

import xmltodict
from PIL import Image
from requests.adapters import HTTPAdapter
from wechatpy.client import WeChatClient
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatClientException
from wechatpy.utils import check_signature
from wechatpy.work import WeChatClient as WeComClient

import simulator as sim


class Rewrite(HTTPAdapter):
    """Sends what is meant for Tencent to the simulator."""

    def send(self, request, **kwargs):
        there, here = urllib.parse.urlsplit(request.url), urllib.parse.urlsplit(sim.URL)
        request.url = urllib.parse.urlunsplit((here.scheme, here.netloc) + there[2:])
        kwargs["proxies"] = {}
        return super().send(request, **kwargs)


def redirected(client, host):
    client._http.trust_env = False
    client._http.mount(f"https://{host}/", Rewrite())
    return client


def refused(errcode, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except WeChatClientException as error:
        assert error.errcode == errcode, (error.errcode, error.errmsg, "instead of", errcode)
        return error.errmsg
    raise AssertionError(f"{errcode} was expected and {answer!r} came")


def asked(path):
    return sum(item["path"] == path for item in sim.control("requests")["items"])


def check_sign_in(wechat, openid):
    code = sim.control("codes", {"openid": openid})["code"]
    session = wechat.wxa.code_to_session(code)
    assert session["openid"] == openid and len(session["session_key"]) == 24, session
    assert ", rid: " in refused(40163, wechat.wxa.code_to_session, code)
    refused(40029, wechat.wxa.code_to_session, "0123456789abcdefghijklmnopqrstuv")


def check_token(wechat):
    first = wechat.access_token
    assert wechat.access_token == first and asked("/cgi-bin/token") >= 1
    before = asked("/cgi-bin/token")
    sim.control("faults", {"path": "/cgi-bin/getcallbackip", "errcode": 40001, "times": 1})
    answer = wechat.get("getcallbackip")
    assert answer["ip_list"] == ["127.0.0.1"], answer
    assert asked("/cgi-bin/token") == before + 1, "wechatpy fetched a new token after 40001"
    assert wechat.access_token != first


def check_phone(wechat, openid):
    code = sim.control("phone-codes", {"openid": openid})["code"]
    info = wechat.wxa.get_phone_number(code)["phone_info"]
    assert info["phoneNumber"] == info["purePhoneNumber"] == "13800001234", "the number of the user"
    assert info["countryCode"] == "86" and info["watermark"]["appid"] == sim.APP_ID, "country and watermark"
    assert " rid: " in refused(40029, wechat.wxa.get_phone_number, code)


def check_codes(wechat):
    answer = wechat.wxa.get_wxa_code_unlimited("v=310000000001", page="pages/home/home")
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (430, 430), "L"), picture
    levels = [level for level, count in enumerate(picture.histogram()) if count]
    assert levels == [0, 255], "black modules on white ground, and nothing between"
    answer = wechat.wxa.get_wxa_code_unlimited("v=310000000001", width=300, is_hyaline=True)
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert (picture.format, picture.size) == ("PNG", (300, 300)), picture
    alpha = picture.convert("RGBA").getchannel("A").getextrema()
    assert alpha == (0, 255), "the ground is transparent and the code is not"
    refused(40169, wechat.wxa.get_wxa_code_unlimited, "x" * 33)
    refused(40129, wechat.wxa.get_wxa_code_unlimited, "a b")
    link = wechat.wxa.get_url_link(path="pages/home/home", query="id=1")
    assert link["url_link"].startswith("https://wxaurl.cn/"), link


def check_messages(wechat, openid):
    templates = sim.control("templates")["items"]
    once = next(template for template in templates if template["kind"] == "one_time")["id"]
    good = {"thing1": {"value": "村务接待日"}, "time2": {"value": "2026-11-24 09:00"}, "enum_string3": {"value": "村委会"}}

    def send(template=once, to=openid, **changes):
        return wechat.wxa.send_subscribe_message(to, template, good | changes, page="pages/day?id=1")

    refused(43101, send)
    sim.control("subscriptions", {"openid": openid, "template_id": once, "answer": "accept"})
    words = refused(47003, send, thing1={"value": "村" * 21})
    assert words.startswith("argument invalid! data.thing1.value invalid rid: "), words
    refused(47003, send, thing1={"value": ""})
    refused(40037, send, template="x" * 43)
    refused(40003, send, to="o" * 28)
    assert send()["errcode"] == 0
    refused(43101, send)
    sent = sim.control(f"sent?openid={openid}")["items"]
    assert [item["data"] for item in sent] == [good] and sent[0]["page"] == "pages/day?id=1", sent


def check_texts(wechat, openid):
    sim.control("verdicts", {"text_contains": "骗子", "suggest": "risky", "label": 20008})

    def check(content, who=openid):
        data = {"version": 2, "openid": who, "scene": 3, "content": content}
        return wechat.post("msg_sec_check", api_base_url="https://api.weixin.qq.com/wxa/", data=data)

    answer = check("今天天气很好")
    assert answer["result"] == {"suggest": "pass", "label": 100} and answer["trace_id"], answer
    answer = check("有骗子来了")
    assert answer["result"] == {"suggest": "risky", "label": 20008}, answer
    assert {"keyword", "content_model"} == {part["strategy"] for part in answer["detail"]}
    refused(40003, check, "好", "o" * 28)
    refused(87014, wechat.wxa.check_text_security, "有骗子来了")


def check_wecom(wecom):
    sim.control("members", {"userid": "ZhangSan"})
    code = sim.control("members/codes", {"userid": "ZhangSan", "kind": "oauth"})["code"]
    answer = wecom.get("auth/getuserinfo", params={"code": code})
    assert answer["userid"] == "ZhangSan", answer
    words = refused(40029, wecom.get, "auth/getuserinfo", params={"code": code})
    assert "hint: [" in words and words.endswith("devtool/query?e=40029"), words
    stranger = sim.control("members/codes", {"userid": None, "kind": "oauth"})["code"]
    assert "userid" not in wecom.get("auth/getuserinfo", params={"code": stranger})
    code = sim.control("members/codes", {"userid": "zhangsan", "kind": "mini_program"})["code"]
    params = {"js_code": code, "grant_type": "authorization_code"}
    answer = wecom.get("miniprogram/jscode2session", params=params)
    assert (answer["userid"], answer["corpid"]) == ("ZhangSan", sim.CORP_ID), "the member and the organisation"

    answer = wecom.message.send_text(sim.AGENT_ID, ["zhangsan", "Nobody"], "有一件新的事要办")
    assert answer["errcode"] == 0 and answer["invaliduser"] == "nobody", answer
    sent = sim.control("members/sent?userid=ZhangSan")["items"]
    assert sent[-1]["content"]["content"] == "有一件新的事要办", sent
    refused(81013, wecom.message.send_text, sim.AGENT_ID, ["Nobody"], "x")
    refused(40056, wecom.message.send_text, 1, ["zhangsan"], "x")


def check_pushes(receiver, openid):
    assert sim.control("push/verify", {})["verified"] is True
    query = receiver.take()[-1]["query"]
    check_signature(sim.PUSH_TOKEN, query["signature"], query["timestamp"], query["nonce"])

    crypto = WeChatCrypto(sim.PUSH_TOKEN, sim.PUSH_AES_KEY, sim.APP_ID)
    message = {"FromUserName": openid, "MsgType": "text", "Content": "乡亲们好 <&> ]]>", "MsgId": "1"}
    for mode in ["plain", "compatible", "safe"]:
        for form in ["json", "xml"]:
            outcome = sim.control("push", {"mode": mode, "format": form, "message": message})
            assert outcome == {"delivered": True, "attempts": 1, "status": 200, "answer": "success"}, outcome
            (push,) = receiver.take()
            query, text = push["query"], push["body"]
            check_signature(sim.PUSH_TOKEN, query["signature"], query["timestamp"], query["nonce"])
            if mode != "plain":
                assert query["encrypt_type"] == "aes" and query["openid"] == openid
                sealed = text if form == "xml" else json.loads(text)
                text = crypto.decrypt_message(sealed, query["msg_signature"], query["timestamp"], query["nonce"])
                with open(sim.PUSHES_FILE, "a", encoding="utf-8") as file:
                    file.write(json.dumps(push | {"format": form, "opened": text}) + "\n")
            read = json.loads(text) if form == "json" else xmltodict.parse(text)["xml"]
            assert {name: read[name] for name in message} == message, (mode, form, read)
            if mode == "safe":
                assert "乡亲们" not in push["body"]

    receiver.failures = [500, 503]
    outcome = sim.control("push", {"mode": "safe", "format": "json", "message": message})
    attempts = receiver.take()
    assert outcome["attempts"] == len(attempts) == 3 and outcome["delivered"], outcome
    assert attempts[0] == attempts[1] == attempts[2], "a push is repeated as it was"
    receiver.failures = [500] * 3
    assert sim.control("push", {"mode": "plain", "format": "xml", "message": message})["delivered"] is False
    receiver.take()


def check_events(receiver, wechat, openid):
    data = {"version": 2, "openid": openid, "scene": 3, "media_type": 2, "media_url": f"{sim.URL}/_sim/requests"}
    answer = wechat.post("media_check_async", api_base_url="https://api.weixin.qq.com/wxa/", data=data)
    crypto = WeChatCrypto(sim.PUSH_TOKEN, sim.PUSH_AES_KEY, sim.APP_ID)
    for _ in range(100):
        for push in receiver.take():
            query, sealed = push["query"], json.loads(push["body"])
            text = crypto.decrypt_message(sealed, query["msg_signature"], query["timestamp"], query["nonce"])
            event = json.loads(text)
            if event["Event"] == "wxa_media_check":
                assert event["trace_id"] == answer["trace_id"] and event["FromUserName"] == openid, event
                assert event["result"] == {"suggest": "pass", "label": "100"}, event
                return
        time.sleep(0.05)
    raise AssertionError("the event of the media check did not come")


def main():
    receiver = sim.Receiver()
    wechat = redirected(WeChatClient(sim.APP_ID, sim.SECRET), "api.weixin.qq.com")
    wecom = redirected(WeComClient(sim.CORP_ID, sim.CORP_SECRET), "qyapi.weixin.qq.com")
    openid = sim.control("users", {"nickname": "甲", "phone": "13800001234"})["openid"]
    checks = [
        ("sign in", lambda: check_sign_in(wechat, openid)),
        ("token", lambda: check_token(wechat)),
        ("phone number", lambda: check_phone(wechat, openid)),
        ("codes and links", lambda: check_codes(wechat)),
        ("subscribe messages", lambda: check_messages(wechat, openid)),
        ("content check", lambda: check_texts(wechat, openid)),
        ("WeCom", lambda: check_wecom(wecom)),
        ("pushes", lambda: (time.sleep(0.5), receiver.take(), check_pushes(receiver, openid))),
        ("events", lambda: check_events(receiver, wechat, openid)),
    ]
    for name, check in checks:
        check()
        print(f"  wechatpy: {name}: ok")


if __name__ == "__main__":
    main()
