'use strict';
// Loaded by --require into every Node process of a project, Node 12 or newer.
//
// It ties what the code does to the call that is being served: requests to the emulator's API carry
// the call's id, lines of output reach the parent with the id and the place they were written at.
// It also tells which files were read, so that an edit is noticed before the next call.
//
// Nothing here may break a project: whatever cannot be done is left undone, without a word.

const CALL_HEADER = 'x-lean-emu-call';
const LINES_HEADER = 'X-Lean-Emu-Lines';
const LONGEST_LINE = 1 << 20;

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return undefined;
  }
}

const http = require('http');
const https = require('https');
const fs = require('fs');
const path = require('path');

const env = Object.assign({}, process.env);
const project = env.LEAN_EMU_PROJECT || '';
const inside = project.endsWith(path.sep) ? project : project + path.sep;

// The `call` is {id, lines} of the request being served; Node before 12.17 cannot tell it.
const AsyncLocalStorage = attempt(() => require('async_hooks').AsyncLocalStorage);
const calls = AsyncLocalStorage ? new AsyncLocalStorage() : null;

function current() {
  return calls === null ? undefined : calls.getStore();
}

function isOwn(file) {
  return file.startsWith(inside) && !file.slice(project.length).includes(path.sep + 'node_modules' + path.sep);
}

function shown(file) {
  return path.relative(project, file).split(path.sep).join('/');
}

// ------------------------------------------------------------------------------- requests coming in

function serveInCall(output) {
  const emit = http.Server.prototype.emit;

  function emitIn(call, emitter) {
    // Events of a request come from the parser, which has begun before the call was known.
    const plain = emitter.emit;
    emitter.emit = function () {
      return calls.run(call, () => plain.apply(emitter, arguments));
    };
  }

  function countLines(call, res) {
    const writeHead = res.writeHead;
    res.writeHead = function () {
      const args = arguments;
      attempt(() => {
        output.finish(call);
        const plain = !Array.isArray(args[1]) && !Array.isArray(args[2]);
        if (call.lines && plain && !res.headersSent) res.setHeader(LINES_HEADER, String(call.lines));
      });
      return writeHead.apply(this, args);
    };
  }

  function prepared(req, res) {
    const id = req.headers[CALL_HEADER];
    if (!id) return undefined;
    delete req.headers[CALL_HEADER]; // the code must not hand it on to somebody else
    const call = { id: String(id).slice(0, 100), lines: 0 };
    emitIn(call, req);
    emitIn(call, res);
    countLines(call, res);
    return call;
  }

  http.Server.prototype.emit = function (event, req, res) {
    const call = event === 'request' ? attempt(() => prepared(req, res)) : undefined;
    if (call === undefined) return emit.apply(this, arguments);
    return calls.run(call, () => emit.apply(this, arguments));
  };
}

// ------------------------------------------------------------------------------- requests going out

function tagRequests() {
  const api = new URL(env.LEANCLOUD_API_SERVER);
  const hosts = new Set([api.host, 'localhost:' + api.port, '127.0.0.1:' + api.port]);

  function tag(request) {
    const call = current();
    if (call !== undefined && hosts.has(request.getHeader('host')) && !request.headersSent) {
      request.setHeader(CALL_HEADER, call.id);
    }
  }

  for (const module of [http, https]) {
    const plain = module.request;
    const request = function request() {
      const made = plain.apply(this, arguments);
      attempt(() => tag(made));
      return made;
    };
    module.request = request;
    module.get = function get() {
      const made = request.apply(this, arguments);
      made.end();
      return made;
    };
  }
  attempt(() => require('module').syncBuiltinESMExports());

  // fetch does not go through http.
  attempt(() =>
    require('diagnostics_channel')
      .channel('undici:request:create')
      .subscribe((message) =>
        attempt(() => {
          const call = current();
          if (call === undefined) return;
          if (hosts.has(new URL(String(message.request.origin)).host)) {
            message.request.addHeader(CALL_HEADER, call.id);
          }
        })
      )
  );
}

// ------------------------------------------------------------------------------------------- output

// Frames on the stdout pipe: NUL, the secret, six hex digits of length, the payload. A payload is a
// kind, `+` when the message goes on in the next frame or `.`, a head, a line feed, data.
class Channel {
  constructor(secret) {
    this.mark = Buffer.from('\0' + secret);
    this.atomic = process.platform === 'linux' ? 4096 : 512;
    this.stream = process.stdout;
    this.plain = process.stdout.write;
  }

  send(kind, head, data) {
    const start = Buffer.from(head + '\n');
    const room = Math.max(64, this.atomic - this.mark.length - 8 - start.length);
    let at = 0;
    let more;
    let flowing = true;
    do {
      const piece = data.slice(at, at + room);
      at += room;
      more = at < data.length;
      const payload = Buffer.concat([Buffer.from(kind + (more ? '+' : '.')), start, piece]);
      const length = Buffer.from(payload.length.toString(16).padStart(6, '0'));
      const frame = Buffer.concat([this.mark, length, payload]);
      flowing = this.plain.call(this.stream, frame);
    } while (more);
    return flowing;
  }

  report(facts) {
    this.send('R', '', Buffer.from(facts));
  }
}

// One of the two streams: whole lines go to the parent with their call and place.
class Lines {
  constructor(number, channel) {
    this.number = number;
    this.channel = channel;
    this.begun = null;
    this.call = undefined;
    this.where = '';
  }

  feed(data) {
    const call = current();
    if (this.begun !== null && this.call !== call) this.finish();
    if (this.begun === null) {
      this.call = call;
      this.where = place();
    } else {
      data = Buffer.concat([this.begun, data]);
      this.begun = null;
    }
    let flowing = true;
    let from = 0;
    for (let end; (end = data.indexOf(10, from)) >= 0; from = end + 1) {
      flowing = this.send(data.slice(from, end));
    }
    if (from < data.length) this.begun = Buffer.from(data.slice(from));
    if (data.length - from > LONGEST_LINE) this.finish();
    return flowing;
  }

  finish() {
    if (this.begun === null) return;
    const data = this.begun;
    this.begun = null;
    this.send(data);
  }

  send(line) {
    const call = this.call;
    const head = this.number + '\t' + (call ? call.id : '') + '\t' + this.where;
    const flowing = this.channel.send('L', head, line);
    if (call) call.lines += 1;
    return flowing;
  }
}

// The nearest line of the project's own in the stack, or nothing.
function place() {
  const limit = Error.stackTraceLimit;
  const prepare = Error.prepareStackTrace;
  try {
    Error.stackTraceLimit = 30;
    Error.prepareStackTrace = (_, sites) => sites;
    const holder = {};
    Error.captureStackTrace(holder, place);
    for (const site of holder.stack) {
      let file = site.getFileName() || '';
      if (file.startsWith('file:')) file = require('url').fileURLToPath(file);
      if (isOwn(file)) return (shown(file) + ':' + site.getLineNumber()).slice(-100);
    }
  } catch (error) {
    // a stack that cannot be read has no place
  } finally {
    Error.stackTraceLimit = limit;
    Error.prepareStackTrace = prepare;
  }
  return '';
}

class Output {
  constructor(channel) {
    this.lines = [];
    if (channel === null) return;
    this.follow(1, process.stdout, channel);
    if (isPipe(2)) this.follow(2, process.stderr, channel);
    process.on('exit', () => this.finish());
  }

  finish(call) {
    for (const lines of this.lines) {
      if (call === undefined || lines.call === call) attempt(() => lines.finish());
    }
  }

  follow(number, stream, channel) {
    const lines = new Lines(number, channel);
    const plain = stream.write;
    this.lines.push(lines);
    stream.write = function (chunk, encoding, done) {
      let flowing;
      try {
        const known = typeof encoding === 'string' ? encoding : 'utf8';
        const data = typeof chunk === 'string' ? Buffer.from(chunk, known) : Buffer.from(chunk);
        flowing = lines.feed(data);
      } catch (error) {
        return plain.apply(stream, arguments);
      }
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') process.nextTick(callback);
      return flowing;
    };
  }
}

// Is this descriptor still the parent's pipe? A program whose output the code itself reads has
// inherited the environment, but not the pipe.
function isPipe(number) {
  const inode = (env.LEAN_EMU_PIPES || '').split(':')[number - 1];
  if (!inode || inode === '0') return false;
  return attempt(() => String(fs.fstatSync(number, { bigint: true }).ino)) === inode;
}

// --------------------------------------------------------------------------------------- files read

function tellFiles(channel) {
  const zlib = require('zlib');

  function stamp(file) {
    const state = fs.statSync(file, { bigint: true });
    const zipped = zlib.gzipSync(fs.readFileSync(file), { level: 0 });
    const crc = zipped.readUInt32LE(zipped.length - 8); // the last words of the format
    return '[' + [state.mtimeNs, state.size, state.ino, crc].join(',') + ']'; // too large for numbers
  }

  const extensions = require('module')._extensions;
  for (const suffix of ['.js', '.json']) {
    const plain = extensions[suffix];
    extensions[suffix] = function (module, file) {
      // Before it is read: an edit in between must look like one.
      attempt(() => {
        if (!isOwn(file)) return;
        const facts = '{"event":"read","files":{' + JSON.stringify(file) + ':' + stamp(file) + '}}';
        channel.report(facts);
      });
      return plain.apply(this, arguments);
    };
  }
}

// ----------------------------------------------------------------------------------------- starting

function isTool() {
  // npm and its like start the project's code in a process of its own.
  const name = path.basename(process.argv[1] || '').replace(/(-cli)?(\.c?js)?$/, '');
  return ['npm', 'npx', 'yarn', 'yarnpkg', 'pnpm', 'pnpx', 'corepack'].includes(name);
}

function isMain() {
  const workers = attempt(() => require('worker_threads'));
  return !workers || workers.isMainThread;
}

attempt(() => {
  if (isTool()) return;
  let channel = null;
  if (env.LEAN_EMU_SECRET && project && isMain() && isPipe(1)) {
    channel = attempt(() => new Channel(env.LEAN_EMU_SECRET)) || null;
  }
  if (channel !== null) attempt(() => tellFiles(channel));
  const output = new Output(channel);
  if (calls === null) return;
  attempt(() => serveInCall(output));
  attempt(() => tagRequests());
});
