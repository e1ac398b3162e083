//! Pushes that are right, and the many ways in which they can be wrong.

use super::*;

const TOKEN: &str = "AAAAA";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP: &str = "wx0123456789abcdef";

fn inbox(key: &str) -> Inbox {
    Inbox::new(&TOKEN.into(), &key.into(), APP).unwrap()
}

/// A query signed for `sealed` (or for nothing).
fn query(inbox: &Inbox, sealed: &str) -> PushQuery {
    let (timestamp, nonce) = ("1714112445".to_owned(), "415670741".to_owned());
    PushQuery {
        signature: inbox.signature(&[&timestamp, &nonce]),
        msg_signature: inbox.signature(&[&timestamp, &nonce, sealed]),
        echostr: "4375120948345356249".to_owned(),
        timestamp,
        nonce,
    }
}

#[test]
fn plain_pushes_are_read_in_json_and_xml() {
    let inbox = inbox("");
    let query = query(&inbox, "");
    let pushed = inbox.receive(&query, br#" {"MsgType":"event","CreateTime":1}"#).unwrap();
    assert_eq!((pushed.format, &pushed.message["CreateTime"]), (Format::Json, &json!(1)));
    let pushed = inbox.receive(&query, b"<xml><MsgType>event</MsgType></xml>").unwrap();
    assert_eq!((pushed.format, &pushed.message["MsgType"]), (Format::Xml, &json!("event")));
    for body in ["", "[]", "MsgType=event", "{", "<xml>", "{\"a\":\u{1}}"] {
        assert_eq!(inbox.receive(&query, body.as_bytes()), Err(PushError::Unreadable), "{body}");
    }
    assert_eq!(inbox.receive(&query, &[b'{', 0xff]), Err(PushError::Unreadable));
    assert_eq!(inbox.receive(&query, &vec![b' '; BODY_BYTES + 1]), Err(PushError::Unreadable));
    let wrong = PushQuery { nonce: "415670742".to_owned(), ..query };
    assert_eq!(inbox.receive(&wrong, b"{}"), Err(PushError::Signature));
    assert_eq!(inbox.receive(&PushQuery::default(), b"{}"), Err(PushError::Signature));
}

#[test]
fn sealed_pushes_open_and_their_plain_half_is_not_believed() {
    let inbox = inbox(KEY);
    let text = r#"{"MsgType":"text","Content":"乡亲们"}"#;
    let sealed = inbox.seal(text).unwrap();
    let query = query(&inbox, &sealed);
    let compatible = json!({ "MsgType": "text", "Content": "forged", "Encrypt": sealed }).to_string();
    for body in [compatible, format!("<xml><ToUserName/><Encrypt>{}</Encrypt></xml>", xml::cdata(&sealed))] {
        let pushed = inbox.receive(&query, body.as_bytes()).unwrap();
        assert_eq!((pushed.text.as_str(), &pushed.message["Content"]), (text, &json!("乡亲们")));
    }
    // The signature of a plain push covers no body, so with a key it is worth nothing.
    assert_eq!(inbox.receive(&query, text.as_bytes()), Err(PushError::NotSealed));
    let other = json!({ "Encrypt": inbox.seal(text).unwrap() }).to_string();
    assert_eq!(inbox.receive(&query, other.as_bytes()), Err(PushError::Signature));
}

#[test]
fn a_sealed_push_without_a_key_and_one_for_somebody_else_are_refused() {
    let sealed = inbox(KEY).seal("{}").unwrap();
    let body = json!({ "ToUserName": "gh_1", "Encrypt": sealed }).to_string();
    let keyless = inbox("");
    assert_eq!(keyless.receive(&query(&keyless, &sealed), body.as_bytes()), Err(PushError::Key));
    let other = Inbox::new(&TOKEN.into(), &KEY.into(), "wxffffffffffffffff").unwrap();
    assert_eq!(other.receive(&query(&other, &sealed), body.as_bytes()), Err(PushError::Receiver));
    for key in ["x", &KEY[1..], &format!("{KEY}A"), "!bcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"] {
        assert_eq!(Inbox::new(&TOKEN.into(), &key.into(), APP).unwrap_err(), PushError::Key, "{key}");
    }
}

#[test]
fn nothing_but_a_whole_seal_opens() {
    let inbox = inbox(KEY);
    let sealed = inbox.seal("{}").unwrap();
    for broken in ["", "=", "AAAA", &sealed[4..], &sealed.replace('=', ""), &format!("{sealed}AAAA")] {
        assert_eq!(inbox.open(broken), Err(PushError::Sealed), "{broken}");
    }
    // Texts of every length around the padding's unit survive.
    for length in 0..70 {
        let text = "a".repeat(length);
        assert_eq!(inbox.open(&inbox.seal(&text).unwrap()), Ok(text));
    }
}

#[test]
fn without_a_token_nothing_is_believed() {
    let open = Inbox::new(&"".into(), &"".into(), APP).unwrap();
    assert_eq!(open.receive(&query(&open, ""), b"{}"), Err(PushError::Signature));
    assert_eq!(open.verify_url(&query(&open, "")), Err(PushError::Signature));
}

#[test]
fn a_reply_opens_at_the_other_end() {
    let inbox = inbox(KEY);
    let reply: Value = serde_json::from_str(&inbox.reply(Format::Json, "{\"a\":1}", 5, "n").unwrap()).unwrap();
    let sealed = reply["Encrypt"].as_str().unwrap();
    assert_eq!(inbox.open(sealed).unwrap(), "{\"a\":1}");
    assert_eq!(reply["MsgSignature"], inbox.signature(&["5", "n", sealed]));
    assert_eq!(inbox.reply(Format::Xml, "x", 5, "]]>").map(|text| text.contains("<Nonce><![CDATA[]]]]><")), Ok(true));
}

#[test]
fn nothing_secret_shows() {
    let shown = format!("{:?}", inbox(KEY));
    assert!(!shown.contains(TOKEN) && !shown.contains(KEY) && !shown.contains("105, 183"), "{shown}");
}

/// `foreign.json` was made by wechatpy and @wecom/crypto (each entry says by which and how), so that what we open is not
/// only what we sealed ourselves; `.ci/foreign` has them open ours.
#[test]
fn what_other_libraries_sealed_opens() {
    let file: Value = serde_json::from_str(include_str!("foreign.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let inbox =
        Inbox::new(&text(&file["token"]).into(), &text(&file["encoding_aes_key"]).into(), &text(&file["appid"]));
    let inbox = inbox.unwrap();
    let pushes = file["pushes"].as_array().unwrap();
    assert_eq!(pushes.len(), 4);
    for push in pushes {
        let body = text(&push["body"]);
        let (_, outer) = read(&body).unwrap();
        let query = PushQuery {
            timestamp: text(&push["timestamp"]),
            nonce: text(&push["nonce"]),
            msg_signature: text(&outer["MsgSignature"]),
            ..PushQuery::default()
        };
        let opened = inbox.receive(&query, body.as_bytes()).unwrap();
        assert_eq!(opened.text, text(&push["text"]));
        assert_eq!(opened.message["Content"], "乡亲们好 <&>");
    }
}
