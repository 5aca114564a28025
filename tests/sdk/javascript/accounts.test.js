'use strict';

/** Names, addresses, numbers, passwords and sessions. */

const assert = require('node:assert/strict');
const { randomInt, randomUUID } = require('node:crypto');
const { beforeEach, test } = require('node:test');

const { AV, emulatorForThisFile } = require('./emulator');

const emulator = emulatorForThisFile('counted', '--no-sms-limits');
const PASSWORD = 'correct horse';

beforeEach(async () => {
  await AV.User.logOut();
  await emulator.request('DELETE', '/__emu/inbox');
});

const name = () => `u-${randomUUID()}`;
const email = () => `${randomUUID()}@example.com`;
const phone = () => `+8613${String(randomInt(1e9)).padStart(9, '0')}`;
const refused = code => error => error.code === code;

async function signedUp(attributes = {}) {
  const user = new AV.User();
  user.set({ username: name(), password: PASSWORD, ...attributes });
  return user.signUp();
}

/** The newest that was sent. */
async function message() {
  const { results } = await emulator.request('GET', '/__emu/inbox');
  return results.at(-1);
}

const code = async () => (await message()).code;

async function withVerifiedPhone() {
  const user = await signedUp({ mobilePhoneNumber: phone() });
  await AV.User.requestMobilePhoneVerify(user.getMobilePhoneNumber());
  await AV.User.verifyMobilePhone(await code());
  return user;
}

test('signing up signs in', async () => {
  const user = await signedUp({ n: 1 });
  assert.equal(user.getSessionToken().length, 25);
  assert.equal(AV.User.current().id, user.id);
  assert.equal(user.get('emailVerified'), false);
  assert.ok(await user.isAuthenticated());
});

test('by the short way', async () => {
  const user = await AV.User.signUp(name(), PASSWORD, { n: 2 });
  assert.equal((await AV.User.logIn(user.getUsername(), PASSWORD)).get('n'), 2);
});

test('names, addresses and numbers are unique', async () => {
  const taken = { username: name(), email: email(), mobilePhoneNumber: phone() };
  await signedUp(taken);
  await assert.rejects(signedUp({ username: taken.username }), refused(202));
  await assert.rejects(signedUp({ email: taken.email }), refused(203));
  await assert.rejects(signedUp({ mobilePhoneNumber: taken.mobilePhoneNumber }), refused(214));
});

for (const [attributes, number] of [
  [{ username: '  ' }, 217],
  [{ password: '  ' }, 218],
  [{ email: 'none' }, 125],
  [{ mobilePhoneNumber: '12' }, 127],
]) {
  test(`no user has ${JSON.stringify(attributes)}`, () =>
    assert.rejects(signedUp(attributes), refused(number)));
}

test('logging in by name, address and number', async () => {
  const user = await signedUp({ email: email(), mobilePhoneNumber: phone() });
  for (const attempt of [
    () => AV.User.logIn(user.getUsername(), PASSWORD),
    () => AV.User.loginWithEmail(user.getEmail(), PASSWORD),
    () => AV.User.logInWithMobilePhone(user.getMobilePhoneNumber(), PASSWORD),
  ]) {
    const found = await attempt();
    assert.equal(found.id, user.id);
    assert.equal(found.getSessionToken(), user.getSessionToken());
  }
});

test('wrong log-ins', async () => {
  const user = await signedUp();
  await assert.rejects(AV.User.logIn(user.getUsername(), 'wrong'), refused(210));
  await assert.rejects(AV.User.logIn(name(), PASSWORD), refused(211));
  await assert.rejects(AV.User.loginWithEmail(email(), PASSWORD), refused(211));
  await assert.rejects(AV.User.logInWithMobilePhone(phone(), PASSWORD), refused(213));
});

test('guessing locks the user', async () => {
  const user = await signedUp();
  for (let guess = 0; guess < 7; guess += 1) {
    await assert.rejects(AV.User.logIn(user.getUsername(), 'wrong'), refused(210));
  }
  await assert.rejects(AV.User.logIn(user.getUsername(), PASSWORD), refused(219));
});

test('becoming a user', async () => {
  const user = await signedUp();
  await AV.User.logOut();
  const found = await AV.User.become(user.getSessionToken());
  assert.equal(found.id, user.id);
  assert.equal(AV.User.current().id, user.id);
  await assert.rejects(AV.User.become('0'.repeat(25)), refused(211));
});

test('a deleted user is signed out', async () => {
  const user = await signedUp();
  const token = user.getSessionToken();
  await user.destroy();
  await AV.User.logOut();
  await assert.rejects(AV.User.become(token), refused(211));
});

test('only the user changes itself', async () => {
  const user = await signedUp();
  await user.save({ n: 1 });
  await AV.User.logOut();
  await assert.rejects(user.save({ n: 2 }, { sessionToken: '' }), refused(206));
  const other = await signedUp();
  const stolen = AV.Object.createWithoutData('_User', user.id);
  await assert.rejects(stolen.save({ n: 2 }, { user: other }), refused(206));
  await assert.rejects(stolen.destroy({ user: other }), refused(206));
});

test('private fields are the own user\'s', async () => {
  const user = await signedUp({ email: email(), mobilePhoneNumber: phone() });
  const own = await new AV.Query('_User').get(user.id);
  assert.equal(own.get('email'), user.getEmail());
  await signedUp();
  const seen = await new AV.Query('_User').get(user.id);
  assert.equal(seen.get('email'), undefined);
  assert.equal(seen.get('mobilePhoneNumber'), undefined);
  const all = await new AV.Query('_User').get(user.id, { useMasterKey: true });
  assert.equal(all.get('email'), user.getEmail());
});

test('a new password by the old one', async () => {
  const user = await signedUp();
  const old = user.getSessionToken();
  await user.updatePassword(PASSWORD, 'another');
  assert.notEqual(user.getSessionToken(), old);
  assert.ok(await user.isAuthenticated());
  await assert.rejects(user.updatePassword(PASSWORD, 'third'), refused(210));
  await AV.User.logOut();
  await assert.rejects(AV.User.become(old), refused(211));
  assert.equal((await AV.User.logIn(user.getUsername(), 'another')).id, user.id);
});

test('a new password by saving', async () => {
  const user = await signedUp();
  user.setPassword('another');
  await user.save();
  assert.ok(!(await user.isAuthenticated()));
  assert.ok(await (await AV.User.logIn(user.getUsername(), 'another')).isAuthenticated());
});

test('a new token', async () => {
  const user = await signedUp();
  const old = user.getSessionToken();
  await user.refreshSessionToken();
  assert.notEqual(user.getSessionToken(), old);
  assert.ok(await user.isAuthenticated());
  await AV.User.logOut();
  await assert.rejects(AV.User.become(old), refused(211));
});

test('two race for a name', async () => {
  const username = name();
  const attempts = await Promise.allSettled([1, 2, 3, 4].map(() => signedUp({ username })));
  assert.equal(attempts.filter(one => one.status === 'fulfilled').length, 1);
  const codes = attempts.flatMap(one => one.reason?.code ?? []);
  assert.deepEqual(codes, [202, 202, 202]);
});

test('verifying an address', async () => {
  const user = await signedUp({ email: email() });
  assert.equal((await message()).to, user.getEmail());
  await AV.User.requestEmailVerify(user.getEmail());
  const page = await fetch((await message()).link);
  assert.equal(page.status, 200);
  await user.fetch();
  assert.equal(user.get('emailVerified'), true);
  await user.save({ email: email() });
  await user.fetch();
  assert.equal(user.get('emailVerified'), false);
  await assert.rejects(AV.User.requestEmailVerify(email()), refused(205));
});

test('a forgotten password by mail', async () => {
  const user = await signedUp({ email: email() });
  await AV.User.requestPasswordReset(user.getEmail());
  const { link } = await message();
  const body = new URLSearchParams({ password: 'another', again: 'another' });
  assert.equal((await fetch(link, { method: 'POST', body })).status, 200);
  assert.ok(!(await user.isAuthenticated()));
  assert.equal((await AV.User.loginWithEmail(user.getEmail(), 'another')).id, user.id);
  await assert.rejects(AV.User.requestPasswordReset(email()), refused(205));
});

test('codes of their own', async () => {
  const number = phone();
  await AV.Cloud.requestSmsCode({ mobilePhoneNumber: number, name: 'Shop', op: 'pay', ttl: 5 });
  assert.match((await message()).text, /Shop.*pay/);
  await assert.rejects(AV.Cloud.verifySmsCode('no', number), refused(603));
  const digits = await code();
  await AV.Cloud.verifySmsCode(digits, number);
  await assert.rejects(AV.Cloud.verifySmsCode(digits, number), refused(603));
});

test('signing in by number', async () => {
  const number = phone();
  await AV.Cloud.requestSmsCode(number);
  const user = await AV.User.signUpOrlogInWithMobilePhone(number, await code(), { n: 3 });
  assert.equal(user.getUsername(), number);
  assert.equal(user.get('mobilePhoneVerified'), true);
  assert.equal(user.get('n'), 3);
  await AV.Cloud.requestSmsCode(number);
  const again = await AV.User.signUpOrlogInWithMobilePhone(number, await code());
  assert.equal(again.id, user.id);
  assert.equal(again.getSessionToken(), user.getSessionToken());
  await assert.rejects(AV.User.signUpOrlogInWithMobilePhone(number, '000'), refused(603));
});

test('verifying a number', async () => {
  const user = await withVerifiedPhone();
  await user.fetch();
  assert.equal(user.get('mobilePhoneVerified'), true);
  await assert.rejects(AV.User.verifyMobilePhone('000'), refused(603));
  await assert.rejects(AV.User.requestMobilePhoneVerify(phone()), refused(213));
});

test('a code to log in with', async () => {
  const user = await withVerifiedPhone();
  const number = user.getMobilePhoneNumber();
  await AV.User.requestLoginSmsCode(number);
  const found = await AV.User.logInWithMobilePhoneSmsCode(number, await code());
  assert.equal(found.id, user.id);
  const other = await signedUp({ mobilePhoneNumber: phone() });
  await assert.rejects(AV.User.requestLoginSmsCode(other.getMobilePhoneNumber()), refused(215));
});

test('a forgotten password by code', async () => {
  const user = await withVerifiedPhone();
  const number = user.getMobilePhoneNumber();
  await AV.User.requestPasswordResetBySmsCode(number);
  const digits = await code();
  await assert.rejects(AV.User.resetPasswordBySmsCode('000', 'another'), refused(603));
  await AV.User.resetPasswordBySmsCode(digits, 'another');
  await assert.rejects(AV.User.resetPasswordBySmsCode(digits, 'third'), refused(603));
  assert.equal((await AV.User.logInWithMobilePhone(number, 'another')).id, user.id);
});

test('changing the number', async () => {
  const taken = (await signedUp({ mobilePhoneNumber: phone() })).getMobilePhoneNumber();
  const user = await signedUp();
  await assert.rejects(AV.User.requestChangePhoneNumber(taken), refused(214));
  const number = phone();
  await AV.User.requestChangePhoneNumber(number);
  await assert.rejects(AV.User.changePhoneNumber(number, '000'), refused(603));
  await AV.User.changePhoneNumber(number, await code());
  await user.fetch();
  assert.equal(user.getMobilePhoneNumber(), number);
  assert.equal(user.get('mobilePhoneVerified'), true);
});

test('captchas are off', async () => {
  await assert.rejects(AV.Cloud.requestCaptcha(), refused(119));
  await assert.rejects(AV.Cloud.verifyCaptcha('0000', 'token'), refused(119));
});
