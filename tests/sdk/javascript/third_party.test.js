'use strict';

/** Accounts of other platforms, anonymous users and union ids; onAuthData and onLogin. */

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { beforeEach, suite, test } = require('node:test');

const { AV, emulatorForThisFile, withoutCode } = require('./emulator');

suite('accounts of other platforms', { skip: withoutCode }, () => {
  const emulator = emulatorForThisFile('accounts');
  const CREATED = { 'onAuthData _User': 1, 'beforeSave _User': 1 };
  const KNOWN = { 'onAuthData _User': 1, 'onLogin _User': 1 };

  const weixin = () => ({ openid: randomUUID(), access_token: 't', expires_in: 7200 });
  const github = () => ({ uid: randomUUID(), access_token: 't' });
  const refused = code => error => error.code === code;

  beforeEach(async () => {
    await AV.User.logOut();
    await emulator.forget();
  });

  async function signedUp() {
    const user = new AV.User();
    user.setUsername(randomUUID());
    user.setPassword('correct');
    return user.signUp();
  }

  test('an unknown account signs up, a known one logs in', async () => {
    const account = weixin();
    const first = await AV.User.loginWithAuthData(account, 'weixin');
    assert.deepEqual(await emulator.fired(), CREATED);
    await emulator.forget();
    const again = await AV.User.loginWithAuthData({ ...account, access_token: 'new' }, 'weixin');
    assert.deepEqual(await emulator.fired(), KNOWN);
    assert.equal(again.id, first.id);
    assert.equal(again.getSessionToken(), first.getSessionToken());
    assert.equal(again.get('authData').weixin.access_token, 'new');
  });

  test('failOnNotExist makes nobody', async () => {
    const attempt = AV.User.loginWithAuthData(weixin(), 'weixin', { failOnNotExist: true });
    await assert.rejects(attempt, refused(211));
  });

  test('a name comes along', async () => {
    const account = weixin();
    const user = new AV.User();
    const name = randomUUID();
    user.setUsername(name);
    const made = await user.loginWithAuthData(account, 'weixin');
    assert.equal(made.getUsername(), name);
    const known = await AV.User.loginWithAuthData(account, 'weixin');
    assert.equal(known.id, made.id);
  });

  test('onAuthData refuses', async () => {
    const attempt = AV.User.loginWithAuthData({ openid: 'stolen' }, 'weixin');
    await assert.rejects(attempt, refused(142));
  });

  test('onAuthData makes an account of a code', async () => {
    const uid = randomUUID();
    const user = await AV.User.loginWithAuthData({ uid }, 'code');
    assert.deepEqual(user.get('authData'), { weixin: { openid: uid, access_token: 'of-code' } });
  });

  test('an account is linked and unlinked', async () => {
    const user = await signedUp();
    const account = github();
    await user.associateWithAuthData(account, 'github');
    await user.associateWithAuthData(weixin(), 'weixin');
    assert.deepEqual(Object.keys(user.get('authData')).sort(), ['github', 'weixin']);
    assert.equal((await AV.User.loginWithAuthData(account, 'github')).id, user.id);
    await user.dissociateAuthData('github');
    const stranger = await AV.User.loginWithAuthData(account, 'github');
    assert.notEqual(stranger.id, user.id);
  });

  test('an account belongs to one user', async () => {
    const account = github();
    await (await signedUp()).associateWithAuthData(account, 'github');
    await AV.User.logOut();
    const other = await signedUp();
    await assert.rejects(other.associateWithAuthData(account, 'github'), refused(137));
  });

  test('an anonymous user becomes somebody', async () => {
    const user = await AV.User.loginAnonymously();
    assert.equal(user.isAnonymous(), true);
    await user.associateWithAuthData(weixin(), 'weixin');
    assert.equal(user.isAnonymous(), false);
    const fresh = await AV.User.become(user.getSessionToken());
    assert.deepEqual(Object.keys(fresh.get('authData')), ['weixin']);
    assert.equal(fresh.id, user.id);
  });

  test('an anonymous user signs up', async () => {
    const user = await AV.User.loginAnonymously();
    const name = randomUUID();
    user.setUsername(name);
    user.setPassword('correct');
    await user.signUp();
    const known = await AV.User.logIn(name, 'correct');
    assert.equal(known.id, user.id);
    assert.equal(known.isAnonymous(), false);
  });

  test('a union id joins the apps of a platform', async () => {
    const unionId = randomUUID();
    const asMainAccount = { unionIdPlatform: 'weixin', asMainAccount: true };
    const main = await AV.User.loginWithAuthDataAndUnionId(weixin(), 'app', unionId, asMainAccount);
    assert.deepEqual(main.get('authData')._weixin_unionid, { uid: unionId });
    const mini = await AV.User.loginWithAuthDataAndUnionId(weixin(), 'mini', unionId, {
      unionIdPlatform: 'weixin',
      asMainAccount: false,
    });
    assert.equal(mini.id, main.id);
    const names = Object.keys(mini.get('authData')).sort();
    assert.deepEqual(names, ['_weixin_unionid', 'app', 'mini']);
  });

  test('onLogin refuses a password', async () => {
    const user = await signedUp();
    await user.save({ blocked: true });
    const attempt = AV.User.logIn(user.getUsername(), 'correct');
    await assert.rejects(attempt, refused(142));
  });
});
