// Drives the simulator with node-easywechat and opens its pushes with @wecom/crypto.
// Every check is an assertion; the first that fails ends the program with an error.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');

const { MiniApp } = require('node-easywechat');
const wecomCrypto = require('@wecom/crypto');

const env = process.env;

/** One of the simulator's own calls. */
async function control(name, body) {
  const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(`${env.SIM_URL}/_sim/${name}`, request);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function asked(path) {
  const { items } = await control('requests');
  return items.filter((item) => item.path === path).length;
}

const app = new MiniApp({
  app_id: env.APP_ID,
  secret: env.APP_SECRET,
  token: env.PUSH_TOKEN,
  aes_key: env.PUSH_AES_KEY,
  use_stable_access_token: true,
  // Other programs of this run are no business of a cache on the disk.
  file_cache: { path: env.CACHE_FOLDER, fileMode: 0o600, ext: '.cache' },
  http: { baseURL: `${env.SIM_URL}/`, proxy: false },
});
const client = () => app.getClient();

async function checkSignIn(openid) {
  const { code } = await control('codes', { openid });
  const session = await app.getUtils().codeToSession(code);
  assert.equal(session.openid, openid);
  assert.equal(session.session_key.length, 24);
  await assert.rejects(app.getUtils().codeToSession(code), /40163/);
  await assert.rejects(app.getUtils().codeToSession('0123456789abcdefghijklmnopqrstuv'), /40029/);
}

async function checkToken() {
  const before = await asked('/cgi-bin/stable_token');
  const token = await app.getAccessToken().getToken();
  assert.equal(token.length, 136);
  assert.equal(await app.getAccessToken().getToken(), token);
  assert.equal(await asked('/cgi-bin/stable_token'), before + 1);
  await app.getAccessToken().refresh();
  assert.equal(await app.getAccessToken().getToken(), token, 'a stable token stays');
}

async function checkPhone(openid) {
  const { code } = await control('phone-codes', { openid });
  const told = (await client().postJson('/wxa/business/getuserphonenumber', { code, openid })).toObject();
  assert.equal(told.errcode, 0);
  assert.equal(told.phone_info.purePhoneNumber, '13900005678');
  assert.equal(told.phone_info.countryCode, '86');
  const again = (await client().postJson('/wxa/business/getuserphonenumber', { code })).toObject(false);
  assert.equal(again.errcode, 40029);
}

async function checkCodes() {
  const drawn = await client().postJson('/wxa/getwxacodeunlimit', { scene: 'v=1' }, { responseType: 'arraybuffer' });
  const file = `${env.CACHE_FOLDER}/code.jpg`;
  await drawn.saveAs(file);
  assert.deepEqual([...fs.readFileSync(file).subarray(0, 3)], [0xff, 0xd8, 0xff]);
  const refused = (await client().postJson('/wxa/getwxacodeunlimit', { scene: 'x'.repeat(33) })).toObject(false);
  assert.equal(refused.errcode, 40169);
  assert.match(refused.errmsg, / rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/);
}

async function checkErrors(openid) {
  const body = { touser: openid, template_id: 'x'.repeat(43), data: {} };
  const answer = (await client().postJson('/cgi-bin/message/subscribe/send', body)).toObject(false);
  assert.equal(answer.errcode, 40037);
  await control('faults', { path: '/wxa/checksession', errcode: 45011, times: 1 });
  const limited = (await client().get('/wxa/checksession')).toObject(false);
  assert.equal(limited.errcode, 45011);
}

function checkPushes() {
  const lines = fs.readFileSync(env.PUSHES_FILE, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.length, 4, 'compatible and safe, JSON and XML');
  for (const { query, body, format, opened } of lines) {
    const sealed = format === 'json'
      ? JSON.parse(body).Encrypt
      : /<Encrypt><!\[CDATA\[(.*?)\]\]><\/Encrypt>/s.exec(body)[1];
    const { timestamp, nonce } = query;
    assert.equal(wecomCrypto.getSignature(env.PUSH_TOKEN, timestamp, nonce, sealed), query.msg_signature);
    const { message, id } = wecomCrypto.decrypt(env.PUSH_AES_KEY, sealed);
    assert.equal(id, env.APP_ID);
    assert.equal(message, opened, 'wechatpy read the same');
    assert.equal(app.getEncryptor().decrypt(sealed, query.msg_signature, nonce, timestamp), opened);
  }
}

async function main() {
  const { openid } = await control('users', { phone: '13900005678' });
  const checks = [
    ['sign in', () => checkSignIn(openid)],
    ['stable token', checkToken],
    ['phone number', () => checkPhone(openid)],
    ['codes', checkCodes],
    ['error codes', () => checkErrors(openid)],
    ['pushes', checkPushes],
  ];
  for (const [name, check] of checks) {
    await check();
    console.log(`  node-easywechat and @wecom/crypto: ${name}: ok`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
