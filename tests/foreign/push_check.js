// Seals pushes with @wecom/crypto and POSTs them to a running server: each has its effect, once.
'use strict';

const assert = require('node:assert/strict');
const { encrypt, getSignature } = require('@wecom/crypto');

const env = process.env;
const TEMPLATE = 'shuoshi-demo-talk-day-template-000000000002';

async function post(url, body, headers = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  return { status: answer.status, text: await answer.text() };
}

async function villager() {
  const { openid } = JSON.parse((await post(`${env.SIM_URL}/_sim/users`, { nickname: '乙' })).text);
  const { code } = JSON.parse((await post(`${env.SIM_URL}/_sim/codes`, { openid })).text);
  const signedIn = await post(`${env.API_URL}/api/v1/auth/wechat`, { code });
  assert.equal(signedIn.status, 200, signedIn.text);
  return { openid, token: JSON.parse(signedIn.text).access_token };
}

/** Address and body of a push in safe mode. */
function sealed(message, format) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = '428';
  const Encrypt = encrypt(env.PUSH_AES_KEY, message, env.APP_ID);
  const query = new URLSearchParams({
    timestamp, nonce, encrypt_type: 'aes', msg_signature: getSignature(env.PUSH_TOKEN, timestamp, nonce, Encrypt),
  });
  const body = format === 'json'
    ? JSON.stringify({ ToUserName: 'gh_sample', Encrypt })
    : `<xml><ToUserName><![CDATA[gh_sample]]></ToUserName><Encrypt><![CDATA[${Encrypt}]]></Encrypt></xml>`;
  return { url: `${env.API_URL}/wechat/push?${query}`, body };
}

async function left(token) {
  const answer = await fetch(`${env.API_URL}/api/v1/subscriptions/templates`, { headers: { Authorization: `Bearer ${token}` } });
  return (await answer.json()).items.find((item) => item.template_id === TEMPLATE).left;
}

async function main() {
  const { openid, token } = await villager();
  const now = Math.floor(Date.now() / 1000);
  const item = { TemplateId: TEMPLATE, SubscribeStatusString: 'accept', PopupScene: '0' };
  const messages = {
    json: JSON.stringify({
      FromUserName: openid, CreateTime: now - 7200, MsgType: 'event', Event: 'subscribe_msg_popup_event', List: item,
    }),
    xml: `<xml><FromUserName><![CDATA[${openid}]]></FromUserName><CreateTime>${now - 3600}</CreateTime>`
      + '<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe_msg_popup_event]]></Event><SubscribeMsgPopupEvent>'
      + `<List><TemplateId><![CDATA[${TEMPLATE}]]></TemplateId><SubscribeStatusString><![CDATA[accept]]>`
      + '</SubscribeStatusString><PopupScene>0</PopupScene></List></SubscribeMsgPopupEvent></xml>',
  };
  let wanted = 0;
  for (const [format, message] of Object.entries(messages)) {
    wanted += 1;
    const push = sealed(message, format);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      assert.deepEqual(await post(push.url, push.body), { status: 200, text: 'success' });
    }
    for (let tries = 0; (await left(token)) !== wanted; tries += 1) {
      assert.ok(tries < 100, `${wanted} were expected`);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    const forged = await post(push.url.replace('nonce=428', 'nonce=429'), push.body);
    assert.equal(forged.status, 403);
  }
  console.log('push: what @wecom/crypto seals is believed and has its effect, in JSON and XML');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
